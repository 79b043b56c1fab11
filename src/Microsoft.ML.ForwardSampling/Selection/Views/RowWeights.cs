using Microsoft.ML.Data;
using Microsoft.ML.ForwardSampling.DataViews;

namespace Microsoft.ML.ForwardSampling.Selection;

/// <summary>The weights that rows bring to a selection, each taken once: a named one, the record's, an earlier selection's.</summary>
/// <remarks>A selection's weight column says in an annotation which columns are in it, so that a second selection neither leaves out a
/// weight nor takes one twice.</remarks>
internal static class RowWeights
{
    private const string Contained = "ForwardSampling.WeightOf";

    /// <summary>The columns by which the policy's weight is multiplied, and the annotation of the product.</summary>
    /// <param name="schema">The rows'.</param>
    /// <param name="named">ExampleWeightColumnName, checked; or null.</param>
    /// <param name="output">WeightColumnName.</param>
    public static (DataViewSchema.Column[] Columns, DataViewSchema.Annotations Annotations) Find(DataViewSchema schema, string? named,
        string output)
    {
        var columns = new List<DataViewSchema.Column>();
        var contained = new HashSet<string>(StringComparer.Ordinal);
        if (Single(schema, output) is { } earlier && ContainedIn(earlier) is { } known)
            Take(earlier, known);
        if (named is not null)
            Take(schema[named], ContainedIn(schema[named]) ?? []);
        if (Single(schema, ForwardColumns.RecordWeight) is { } record)
            Take(record, []);

        var annotations = new DataViewSchema.Annotations.Builder();
        string text = string.Join('\n', contained.Order(StringComparer.Ordinal));
        annotations.Add(Contained, TextDataViewType.Instance, (ref ReadOnlyMemory<char> value) => value = text.AsMemory());
        return ([.. columns], annotations.ToAnnotations());

        void Take(DataViewSchema.Column column, string[] others)
        {
            if (contained.Contains(column.Name))
                return;
            columns.Add(column);
            contained.UnionWith(others);
            contained.Add(column.Name);
        }
    }

    /// <summary>Names of the columns that are in a selection's weight; null where the column is no selection's.</summary>
    private static string[]? ContainedIn(DataViewSchema.Column column)
    {
        if (column.Annotations.Schema.GetColumnOrNull(Contained) is { Type: TextDataViewType })
        {
            ReadOnlyMemory<char> text = default;
            column.Annotations.GetValue(Contained, ref text);
            return text.ToString().Split('\n', StringSplitOptions.RemoveEmptyEntries);
        }

        // Written to a file and read again, a column keeps its name alone.
        return column.Name == ForwardColumns.Weight ? [ForwardColumns.RecordWeight] : null;
    }

    private static DataViewSchema.Column? Single(DataViewSchema schema, string name)
        => ColumnFacts.Find(schema, name) is { IsSingle: true } ? schema[name] : null;
}
