using Microsoft.ML.Data;

namespace Microsoft.ML.ForwardSampling.DataViews;

/// <summary>The column that a trainer takes as the weight of a row.</summary>
internal static class WeightColumn
{
    /// <summary>The one named, else a selection's, else that of thinned records; null: every row weighs 1.</summary>
    /// <param name="schema">Schema of the training data.</param>
    /// <param name="named">The column that the options name, or null.</param>
    /// <param name="option">The option that names it.</param>
    /// <exception cref="ArgumentOutOfRangeException">It is missing or no Single.</exception>
    public static DataViewSchema.Column? Find(DataViewSchema schema, string? named, string option)
    {
        DataViewSchema.Column? weight = named is not null ? schema[named]
            : schema.GetColumnOrNull(ForwardColumns.Weight) ?? schema.GetColumnOrNull(ForwardColumns.RecordWeight);
        if (weight is { } found)
            new ColumnNeed("weight", "Single", $"SelectRows and LoadJoined add this column; another one is named in {option}.",
                nameof(schema)).Check(ColumnFacts.Find(schema, found.Name), column => column.IsSingle);
        return weight;
    }
}
