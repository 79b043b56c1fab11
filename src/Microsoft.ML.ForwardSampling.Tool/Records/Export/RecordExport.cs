using System.Globalization;
using System.Text;
using Microsoft.ML.ForwardSampling.Records;
using Microsoft.ML.ForwardSampling.Tool.Files;
using Microsoft.ML.ForwardSampling.Tool.Pages;
using Parquet;
using Parquet.Schema;

namespace Microsoft.ML.ForwardSampling.Tool.Records.Export;

/// <summary>What a log is written out as.</summary>
internal enum ExportFormat
{
    Parquet,
    Csv,
}

/// <summary>Writes a log out as a table, some rows at a time.</summary>
internal static class RecordExport
{
    /// <summary>Rows of a Parquet row group: what is held in memory, and what a reader of the file can skip.</summary>
    private const int RowsAGroup = 1 << 17;

    /// <summary>Exports every record that a directory holds now.</summary>
    /// <param name="directory">Folder of the segment files.</param>
    /// <param name="format">Of the file.</param>
    /// <param name="path">The file; it has its name when it is whole.</param>
    /// <param name="cancellation">Ends it; nothing is left behind.</param>
    /// <returns>What was counted while reading, and the kind of record.</returns>
    /// <exception cref="InvalidDataException">There is no segment file, or there are several kinds of record.</exception>
    public static (ForwardRecordReaderReport Report, RecordKind Kind) Run(string directory, ExportFormat format, string path,
        CancellationToken cancellation)
    {
        OutputFile.Check("--output", path, format == ExportFormat.Parquet ? 'P' : 'k', []);
        ForwardRecordDirectoryReport report = ForwardRecordDirectory.Inspect(directory, cancellation);
        RecordKind[] kinds = [.. report.Segments.Select(segment => segment.Kind).OfType<RecordKind>().Distinct().Order()];
        RecordKind kind = kinds switch
        {
            [RecordKind only] => only,
            [] => throw RecordsText.NoSegments(report),
            _ => throw new InvalidDataException($"{ShownText.Printable(report.Directory)} holds records of several kinds ("
                + $"{string.Join(", ", kinds)}), and a table has one. Move each kind's files to a folder of their own."),
        };
        return (kind switch
        {
            RecordKind.Regression => Write(ExportColumns.Regression),
            RecordKind.Binary => Write(ExportColumns.Binary),
            RecordKind.Multiclass => Write(ExportColumns.Multiclass),
            _ => Write(ExportColumns.Label),
        }, kind);

        ForwardRecordReaderReport Write<TRecord>(ExportColumn<TRecord>[] columns)
            where TRecord : struct, ILogRecord<TRecord>
        {
            using var reader = new ForwardRecordReader<TRecord>(directory);
            OutputFile.Write(path, stream =>
            {
                if (format == ExportFormat.Parquet)
                    WriteParquetAsync(reader, columns, stream, cancellation).GetAwaiter().GetResult();
                else
                    WriteCsv(reader, columns, stream, cancellation);
            });
            return reader.Report;
        }
    }

    /// <summary>The next rows, as many as there is room for unless the log ends.</summary>
    private static int Fill<TRecord>(ForwardRecordReader<TRecord> reader, TRecord[] records, CancellationToken cancellation)
        where TRecord : struct, ILogRecord<TRecord>
    {
        int filled = 0;
        for (int read; filled < records.Length && (read = reader.Read(records.AsSpan(filled))) > 0; filled += read)
            cancellation.ThrowIfCancellationRequested();
        return filled;
    }

    private static async Task WriteParquetAsync<TRecord>(ForwardRecordReader<TRecord> reader, ExportColumn<TRecord>[] columns,
        Stream stream, CancellationToken cancellation)
        where TRecord : struct, ILogRecord<TRecord>
    {
        var schema = new ParquetSchema(columns.Select(column => column.Field));
        await using ParquetWriter writer = await ParquetWriter.CreateAsync(schema, stream, cancellationToken: cancellation);
        var records = new TRecord[RowsAGroup];
        for (int count; (count = Fill(reader, records, cancellation)) > 0;)
        {
            using ParquetRowGroupWriter rows = writer.CreateRowGroup();
            foreach (ExportColumn<TRecord> column in columns)
                await column.WriteAsync(rows, records.AsMemory(0, count), cancellation);
        }
    }

    private static void WriteCsv<TRecord>(ForwardRecordReader<TRecord> reader, ExportColumn<TRecord>[] columns, Stream stream,
        CancellationToken cancellation)
        where TRecord : struct, ILogRecord<TRecord>
    {
        using var writer = new StreamWriter(stream, new UTF8Encoding(false), 1 << 16, leaveOpen: true) { NewLine = "\n" };
        writer.WriteLine(string.Join(',', columns.Select(column => column.Name)));
        var records = new TRecord[4096];
        for (int count; (count = Fill(reader, records, cancellation)) > 0;)
        {
            foreach (TRecord record in records.AsSpan(0, count))
            {
                for (int i = 0; i < columns.Length; i++)
                {
                    if (i > 0)
                        writer.Write(',');
                    writer.Write(columns[i].Text(record));
                }

                writer.WriteLine();
            }
        }
    }

    /// <summary>One line of what was done, and one of what was not.</summary>
    public static string Describe(string path, RecordKind kind, ForwardRecordReaderReport report) => string.Create(
        CultureInfo.InvariantCulture, $"""
            {ShownText.Printable(path)}: {report.Records:N0} records ({kind}), {new FileInfo(path).Length:N0} bytes.
            Damaged places: {report.DamagedPlaces:N0}, bytes: {report.DamagedBytes:N0}; lost records: {report.LostRecords:N0}; read twice and left out: {report.DuplicateRecords:N0}.
            """);
}
