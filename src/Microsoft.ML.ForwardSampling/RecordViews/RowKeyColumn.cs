using System.Numerics;
using Microsoft.ML.Data;
using Microsoft.ML.ForwardSampling.DataViews;
using Microsoft.ML.ForwardSampling.Records;

namespace Microsoft.ML.ForwardSampling.RecordViews;

/// <summary>Reads the column that holds the rows' keys: the 64 bits of an integer (a negative one continued by its sign), the raw value of
/// an ML.NET key, text hashed by <see cref="RecordKey"/>.</summary>
internal static class RowKeyColumn
{
    private static readonly Type[] s_integers = [typeof(ulong), typeof(long), typeof(uint), typeof(int), typeof(ushort), typeof(short),
        typeof(byte), typeof(sbyte)];

    /// <summary>Finds and checks the column.</summary>
    public static DataViewSchema.Column Check(DataViewSchema schema, string name, string parameter, ReadOnlyMemory<byte> secret = default)
    {
        const string Expected = "an integer, Key or String",
            Advice = "The key is what the row's record was made with: a number, or a text that RecordKey.FromString turned into one.";
        ColumnFacts key = new ColumnNeed("key", Expected, Advice, parameter).Require(ColumnFacts.Find(schema, name), name,
            found => found.IsScalar && (IsText(found) || s_integers.Contains(found.ItemRawType)));
        if (!secret.IsEmpty)
            new ColumnNeed("key", "String",
                "A secret is given for its keys, and only texts are hashed: leave the secret out for keys that are numbers.", parameter)
                .Check(key, IsText);
        return schema[name];

        static bool IsText(ColumnFacts found) => found.ItemRawType == typeof(ReadOnlyMemory<char>);
    }

    /// <summary>A secret for keys, or none.</summary>
    /// <exception cref="ArgumentException">Shorter than 16 bytes.</exception>
    public static ReadOnlyMemory<byte> CheckedSecret(ReadOnlyMemory<byte> secret, string owner, string name)
        => secret.Length is 0 or >= RecordKey.FewestSecretBytes ? secret : throw new ArgumentException(
            $"{owner}{name} must have {RecordKey.FewestSecretBytes} bytes or more, or be left out. Got {secret.Length}.", name);

    /// <summary>A reader of the current row's key; null where there is none: an empty text, or the missing value of a Key column.</summary>
    public static Func<ulong?> Open(DataViewRow row, DataViewSchema.Column column, ReadOnlyMemory<byte> secret)
    {
        if (column.Type is TextDataViewType)
        {
            ValueGetter<ReadOnlyMemory<char>> text = row.GetGetter<ReadOnlyMemory<char>>(column);
            ReadOnlyMemory<char> name = default;
            return () =>
            {
                text(ref name);
                return name.IsEmpty ? null
                    : secret.IsEmpty ? RecordKey.FromString(name.Span) : RecordKey.FromString(name.Span, secret.Span);
            };
        }

        Type type = column.Type.RawType;
        bool zeroIsMissing = column.Type is KeyDataViewType;
        return type == typeof(ulong) ? Integer<ulong>(row, column, zeroIsMissing)
            : type == typeof(long) ? Integer<long>(row, column, zeroIsMissing)
            : type == typeof(uint) ? Integer<uint>(row, column, zeroIsMissing)
            : type == typeof(int) ? Integer<int>(row, column, zeroIsMissing)
            : type == typeof(ushort) ? Integer<ushort>(row, column, zeroIsMissing)
            : type == typeof(short) ? Integer<short>(row, column, zeroIsMissing)
            : type == typeof(byte) ? Integer<byte>(row, column, zeroIsMissing)
            : Integer<sbyte>(row, column, zeroIsMissing);
    }

    private static Func<ulong?> Integer<T>(DataViewRow row, DataViewSchema.Column column, bool zeroIsMissing)
        where T : struct, IBinaryInteger<T>
    {
        ValueGetter<T> getter = row.GetGetter<T>(column);
        T key = default;
        return () =>
        {
            getter(ref key);
            return zeroIsMissing && key == T.Zero ? null : ulong.CreateTruncating(key);
        };
    }
}
