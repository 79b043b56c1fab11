using Microsoft.ML.ForwardSampling.DataViews;

namespace Microsoft.ML.ForwardSampling.Selection;

/// <summary>The input columns that a selection reads: one check for promised shapes and real schemas.</summary>
internal static class SelectionColumns
{
    /// <summary>The statistics that are columns of their own, in the order in which a window's buffers hold them.</summary>
    public static readonly RecordStatistics[] Statistics =
        [RecordStatistics.Loss, RecordStatistics.GradientNorm, RecordStatistics.Margin, RecordStatistics.Entropy, RecordStatistics.ReferenceLoss];

    /// <summary>The column that holds a statistic.</summary>
    public static string NameOf(RecordStatistics statistic, SelectionOptions options) => statistic switch
    {
        RecordStatistics.Loss => options.LossColumnName,
        RecordStatistics.GradientNorm => options.GradientNormColumnName,
        RecordStatistics.Margin => options.MarginColumnName,
        RecordStatistics.Entropy => options.EntropyColumnName,
        RecordStatistics.ReferenceLoss => options.ReferenceLossColumnName,
        _ => throw new ArgumentOutOfRangeException(nameof(statistic), statistic, "Not a statistic with a column of its own."),
    };

    /// <summary>The column whose values are the groups.</summary>
    public static string GroupName(SelectionOptions options) => options.GroupColumnName ?? options.LabelColumnName;

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
                RequireSingle("statistics", NameOf(statistic, options), find, $"{Origin(statistic)}; a renamed one is given in SelectionOptions.{statistic}ColumnName.", parameter);
        }

        if ((needs & RecordStatistics.Group) != 0)
            CheckGroup(find, options, parameter);

        CheckRecordLimits(find, options, parameter);

        if (options.ExampleWeightColumnName is { } weight)
            RequireSingle("example weight", weight, find, "SelectionOptions.ExampleWeightColumnName names it; leave that null if rows have no weight of their own.", parameter);

        if ((needs & RecordStatistics.Label) != 0 && find(options.LabelColumnName) is { } label && !ClassLabel.IsReadable(label))
            throw SchemaErrors.Mismatch("label", label, "Boolean, Key or Single", "MapValueToKey makes a key of any label; another column is given in SelectionOptions.LabelColumnName.", parameter);
    }

    /// <summary>Checks the columns of record age and model version, where they are limited.</summary>
    public static void CheckRecordLimits(Func<string, ColumnFacts?> find, SelectionOptions options, string parameter)
    {
        const string AgeAdvice = "It holds the record's age in seconds and is read because SelectionOptions.MaximumRecordAge is set; a renamed one is given in SelectionOptions.AgeColumnName.";
        if (options.MaximumRecordAge is not null)
            RequireSingle("record age", options.AgeColumnName, find, AgeAdvice, parameter);
        if (options.MinimumModelVersion is not null)
            RequireVersion(find, options, parameter);
    }

    /// <summary>Checks the column of the groups.</summary>
    public static void CheckGroup(Func<string, ColumnFacts?> find, SelectionOptions options, string parameter)
    {
        const string Expected = "Boolean or Key";
        string name = GroupName(options);
        string advice = SelectionErrors.Origin(RecordStatistics.Group);
        if (find(name) is not { } column)
            throw SchemaErrors.Missing("group", name, Expected, advice, parameter);
        if (!column.IsBoolean && !column.IsScalarKey)
            throw SchemaErrors.Mismatch("group", column, Expected, advice, parameter);
    }

    /// <summary>What writes a statistic's column.</summary>
    public static string Origin(RecordStatistics statistic) => statistic == RecordStatistics.ReferenceLoss
        ? "RecordForwardPass adds this column when the reference model is recorded with LossColumnName = 'Forward.ReferenceLoss'"
        : "RecordForwardPass adds this column";

    private static void RequireVersion(Func<string, ColumnFacts?> find, SelectionOptions options, string parameter)
    {
        const string Advice = "It holds the version of the model that scored the row and is read because SelectionOptions.MinimumModelVersion is set; a renamed one is given in SelectionOptions.ModelVersionColumnName.";
        if (find(options.ModelVersionColumnName) is not { } column)
            throw SchemaErrors.Missing("model version", options.ModelVersionColumnName, "UInt64", Advice, parameter);
        if (!column.IsScalar || column.IsKey || column.ItemRawType != typeof(ulong))
            throw SchemaErrors.Mismatch("model version", column, "UInt64", Advice, parameter);
    }

    /// <summary>Checks a column that must be there and be a plain Single.</summary>
    public static void RequireSingle(string role, string name, Func<string, ColumnFacts?> find, string advice, string parameter)
    {
        if (find(name) is not { } column)
            throw SchemaErrors.Missing(role, name, "Single", advice, parameter);
        if (!column.IsSingle)
            throw SchemaErrors.Mismatch(role, column, "Single", advice, parameter);
    }
}
