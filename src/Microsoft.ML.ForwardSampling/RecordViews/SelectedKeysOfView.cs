using System.Globalization;
using Microsoft.ML.Data;
using Microsoft.ML.ForwardSampling.DataViews;
using Microsoft.ML.ForwardSampling.Records;

namespace Microsoft.ML.ForwardSampling.RecordViews;

/// <summary>Reads the keys and weights of selected rows.</summary>
internal static class SelectedKeysOfView
{
    public static List<SelectedKey> Read(IDataView selected, string keyColumn, string weightColumn,
        ReadOnlyMemory<byte> keySecret, CancellationToken cancellationToken)
    {
        DataViewSchema.Column key = RowKeyColumn.Check(selected.Schema, keyColumn, nameof(selected), keySecret),
            weight = CheckWeight(selected.Schema, weightColumn);
        var rows = new List<SelectedKey>();
        using DataViewRowCursor cursor = selected.GetRowCursor([key, weight]);
        Func<ulong?> keyOf = RowKeyColumn.Open(cursor, key, keySecret);
        ValueGetter<float> weightOf = cursor.GetGetter<float>(weight);
        float value = 0;
        while (cursor.MoveNext())
        {
            cancellationToken.ThrowIfCancellationRequested();
            weightOf(ref value);
            rows.Add(new SelectedKey(keyOf() ?? throw new InvalidOperationException(
                string.Create(CultureInfo.InvariantCulture,
                    $"Column '{keyColumn}': the selected row at position {cursor.Position} has no key.")), value));
        }

        return rows;
    }

    private static DataViewSchema.Column CheckWeight(DataViewSchema schema, string name)
    {
        new ColumnNeed("weight", "Single", "SelectRows adds this column.", "selected")
            .Require(ColumnFacts.Find(schema, name), name, found => found.IsSingle);
        return schema[name];
    }
}
