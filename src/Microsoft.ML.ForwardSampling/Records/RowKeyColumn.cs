using Microsoft.ML.Data;
using Microsoft.ML.ForwardSampling.DataViews;

namespace Microsoft.ML.ForwardSampling.Records;

/// <summary>Reads the column that holds the rows' keys: UInt64 as it is, text hashed by <see cref="RecordKey"/>.</summary>
internal static class RowKeyColumn
{
    /// <summary>Finds and checks the column.</summary>
    public static DataViewSchema.Column Check(DataViewSchema schema, string name, string parameter)
    {
        const string Expected = "UInt64 or String", Advice = "The key is what the row's record was made with: a number, or a text that RecordKey.FromString turned into one.";
        if (ColumnFacts.Find(schema, name) is not { } found)
            throw SchemaErrors.Missing("key", name, Expected, Advice, parameter);
        if (!found.IsScalar || found.IsKey || (found.ItemRawType != typeof(ulong) && found.ItemRawType != typeof(ReadOnlyMemory<char>)))
            throw SchemaErrors.Mismatch("key", found, Expected, Advice, parameter);
        return schema[name];
    }

    /// <summary>A reader of the current row's key.</summary>
    public static Func<ulong> Open(DataViewRow row, DataViewSchema.Column column)
    {
        if (column.Type is TextDataViewType)
        {
            ValueGetter<ReadOnlyMemory<char>> text = row.GetGetter<ReadOnlyMemory<char>>(column);
            ReadOnlyMemory<char> name = default;
            return () =>
            {
                text(ref name);
                return RecordKey.FromString(name.Span);
            };
        }

        ValueGetter<ulong> getter = row.GetGetter<ulong>(column);
        ulong key = 0;
        return () =>
        {
            getter(ref key);
            return key;
        };
    }
}
