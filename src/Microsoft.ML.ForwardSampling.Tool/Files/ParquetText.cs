using System.Globalization;
using System.Text;
using Parquet;
using Parquet.Schema;

namespace Microsoft.ML.ForwardSampling.Tool.Files;

/// <summary>A Parquet file as comma-separated text: what reads tables then reads both alike.</summary>
/// <remarks>Memory holds one row group at a time. A value that is null becomes an empty field.</remarks>
internal static class ParquetText
{
    private static ReadOnlySpan<byte> Magic => "PAR1"u8;

    /// <summary>Whether a file begins as Parquet does.</summary>
    public static bool Is(Stream file)
    {
        Span<byte> first = stackalloc byte[4];
        return file.ReadAtLeast(first, first.Length, throwOnEndOfStream: false) == first.Length && first.SequenceEqual(Magic);
    }

    /// <summary>Writes the table as UTF-8 text with a line of names.</summary>
    /// <param name="name">What messages call the file.</param>
    /// <param name="parquet">The file; it can be searched.</param>
    /// <param name="target">Where to; it stays open.</param>
    /// <param name="cancellation">Stops it.</param>
    /// <exception cref="InvalidDataException">It is damaged, or a column does not hold one number, text or time a row.</exception>
    public static async Task WriteAsync(string name, Stream parquet, Stream target, CancellationToken cancellation)
    {
        try
        {
            await using ParquetReader reader = await ParquetReader.CreateAsync(parquet, leaveStreamOpen: true,
                cancellationToken: cancellation);
            DataField[] fields = [.. reader.Schema.Fields.Select(field => Plain(name, field))];
            await using var text = new StreamWriter(target, new UTF8Encoding(false), 1 << 16, leaveOpen: true) { NewLine = "\n" };
            await text.WriteLineAsync(string.Join(',', fields.Select(field => Quoted(field.Name))));
            for (int group = 0; group < reader.RowGroupCount; group++)
            {
                using ParquetRowGroupReader rows = reader.OpenRowGroupReader(group);
                var columns = new string[fields.Length][];
                for (int i = 0; i < fields.Length; i++)
                    columns[i] = await ReadAsync(rows, fields[i], cancellation);
                for (long row = 0; row < rows.RowCount; row++)
                {
                    cancellation.ThrowIfCancellationRequested();
                    for (int i = 0; i < columns.Length; i++)
                    {
                        if (i > 0)
                            text.Write(',');
                        text.Write(columns[i][row]);
                    }

                    text.WriteLine();
                }
            }
        }
        catch (Exception e) when (e is not (InvalidDataException or OperationCanceledException or OutOfMemoryException)
            && (e is not IOException || e is EndOfStreamException || !IsOfTheDisk(e)))
        {
            // The library throws what its decoders meet.
            throw new InvalidDataException($"{name} begins as a Parquet file and cannot be read as one: {e.Message}", e);
        }
    }

    /// <summary>The system's own errors have a number of the system.</summary>
    private static bool IsOfTheDisk(Exception e) => e.HResult != new IOException().HResult;

    private static DataField Plain(string name, Field field)
    {
        if (field is DataField { IsArray: false, MaxRepetitionLevel: 0 } plain && TextOf(plain) is not null)
            return plain;
        string held = field is not DataField { IsArray: false } data ? "a list or a structure"
            : data.ClrType == typeof(byte[]) || data.ClrType == typeof(ReadOnlyMemory<byte>) ? "bytes" : $"a {data.ClrType.Name}";
        throw new InvalidDataException($"{name}, column '{field.Name}': a row of it holds {held}, and what is read is one number, text, "
            + "truth value or time. Write the file without it, or with its parts as columns.");
    }

    private static Func<ParquetRowGroupReader, DataField, CancellationToken, Task<string[]>>? TextOf(DataField field)
        => Type.GetTypeCode(field.ClrType) switch
        {
            _ when field.ClrType == typeof(string) || field.ClrType == typeof(ReadOnlyMemory<char>) => StringsAsync,
            TypeCode.Boolean => ValuesAsync<bool>,
            TypeCode.SByte => ValuesAsync<sbyte>,
            TypeCode.Byte => ValuesAsync<byte>,
            TypeCode.Int16 => ValuesAsync<short>,
            TypeCode.UInt16 => ValuesAsync<ushort>,
            TypeCode.Int32 => ValuesAsync<int>,
            TypeCode.UInt32 => ValuesAsync<uint>,
            TypeCode.Int64 => ValuesAsync<long>,
            TypeCode.UInt64 => ValuesAsync<ulong>,
            TypeCode.Single => ValuesAsync<float>,
            TypeCode.Double => ValuesAsync<double>,
            TypeCode.Decimal => ValuesAsync<decimal>,
            TypeCode.DateTime => ValuesAsync<DateTime>,
            _ when field.ClrType == typeof(DateOnly) => ValuesAsync<DateOnly>,
            _ when field.ClrType == typeof(TimeOnly) => ValuesAsync<TimeOnly>,
            _ when field.ClrType == typeof(TimeSpan) => ValuesAsync<TimeSpan>,
            _ when field.ClrType == typeof(Guid) => ValuesAsync<Guid>,
            _ => null,
        };

    private static Task<string[]> ReadAsync(ParquetRowGroupReader rows, DataField field, CancellationToken cancellation)
        => TextOf(field)!(rows, field, cancellation);

    private static async Task<string[]> StringsAsync(ParquetRowGroupReader rows, DataField field, CancellationToken cancellation)
    {
        var values = new string?[rows.RowCount];
        await rows.ReadAsync(field, values.AsMemory()!, cancellationToken: cancellation);
        return Array.ConvertAll(values, value => value is null ? "" : Quoted(value));
    }

    private static async Task<string[]> ValuesAsync<T>(ParquetRowGroupReader rows, DataField field, CancellationToken cancellation)
        where T : struct
    {
        var values = new T?[rows.RowCount];
        if (field.IsNullable)
        {
            await rows.ReadAsync<T>(field, values.AsMemory(), cancellationToken: cancellation);
        }
        else
        {
            var there = new T[values.Length];
            await rows.ReadAsync<T>(field, there.AsMemory(), cancellationToken: cancellation);
            values = Array.ConvertAll(there, value => (T?)value);
        }

        return Array.ConvertAll(values, value => value is { } one ? Text(one) : "");
    }

    private static string Text<T>(T value)
        where T : struct => value switch
        {
            bool flag => flag ? "true" : "false",
            DateTime time => time.ToString("yyyy-MM-dd HH:mm:ss.FFFFFFF", CultureInfo.InvariantCulture),
            DateOnly day => day.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture),
            TimeOnly time => time.ToString("HH:mm:ss.FFFFFFF", CultureInfo.InvariantCulture),
            IFormattable other => other.ToString(null, CultureInfo.InvariantCulture),
            _ => throw new InvalidOperationException($"No text for a {typeof(T).Name}."),
        };

    private static string Quoted(string text)
        => text.AsSpan().IndexOfAny(",\"\r\n# ") < 0 ? text : $"\"{text.Replace("\"", "\"\"", StringComparison.Ordinal)}\"";
}
