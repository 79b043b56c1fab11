using Microsoft.ML.ForwardSampling.DataViews;

namespace Microsoft.ML.ForwardSampling.Selection;

/// <summary>The input columns that a selection reads: one check for promised shapes and real schemas.</summary>
internal static class SelectionColumns
{
    /// <summary>The statistics that are columns of their own, in the order in which a window's buffers hold them.</summary>
    public static readonly RecordStatistics[] Statistics =
        [RecordStatistics.Loss, RecordStatistics.GradientNorm, RecordStatistics.Margin, RecordStatistics.Entropy];

    /// <summary>The column that holds a statistic.</summary>
    public static string NameOf(RecordStatistics statistic, SelectionOptions options) => statistic switch
    {
        RecordStatistics.Loss => options.LossColumnName,
        RecordStatistics.GradientNorm => options.GradientNormColumnName,
        RecordStatistics.Margin => options.MarginColumnName,
        RecordStatistics.Entropy => options.EntropyColumnName,
        _ => throw new ArgumentOutOfRangeException(nameof(statistic), statistic, "Not a statistic with a column of its own."),
    };

    /// <summary>Checks that every column the policy needs is there and has its type.</summary>
    /// <param name="find">The visible column of a name, or null.</param>
    /// <param name="needs">What the policy reads.</param>
    /// <param name="options">Column names.</param>
    /// <param name="parameter">Parameter that brought the schema, for messages.</param>
    /// <exception cref="ArgumentOutOfRangeException">A column is missing or has a wrong type.</exception>
    public static void Check(Func<string, ColumnFacts?> find, RecordStatistics needs, SelectionOptions options, string parameter)
    {
        foreach (RecordStatistics statistic in Statistics)
        {
            if ((needs & statistic) != 0)
                RequireSingle("statistics", NameOf(statistic, options), find, $"RecordForwardPass adds this column; a renamed one is given in SelectionOptions.{statistic}ColumnName.", parameter);
        }

        if (options.ExampleWeightColumnName is { } weight)
            RequireSingle("example weight", weight, find, "SelectionOptions.ExampleWeightColumnName names it; leave that null if rows have no weight of their own.", parameter);

        if ((needs & RecordStatistics.Label) != 0 && find(options.LabelColumnName) is { } label && !ClassLabel.IsReadable(label))
            throw SchemaErrors.Mismatch("label", label, "Boolean, Key or Single", "MapValueToKey makes a key of any label; another column is given in SelectionOptions.LabelColumnName.", parameter);
    }

    private static void RequireSingle(string role, string name, Func<string, ColumnFacts?> find, string advice, string parameter)
    {
        if (find(name) is not { } column)
            throw SchemaErrors.Missing(role, name, "Single", advice, parameter);
        if (!column.IsSingle)
            throw SchemaErrors.Mismatch(role, column, "Single", advice, parameter);
    }
}
