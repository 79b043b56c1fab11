using Microsoft.ML.Data;
using Microsoft.ML.ForwardSampling.DataViews;

namespace Microsoft.ML.ForwardSampling.Selection;

/// <summary>The columns of one schema that a selection reads.</summary>
/// <param name="Statistics">A Single for each statistic that is a column, in the order of the table.</param>
/// <param name="Class">Boolean or Key; null where classes are not read or the label is none: a Single is the label of a regression.</param>
/// <param name="Group">Boolean or Key; null where groups are not read.</param>
/// <param name="Age">Single; null where the age of records is not limited.</param>
/// <param name="ModelVersion">UInt64; null where that is not.</param>
internal sealed record SelectionColumns(
    (RecordedStatistic Statistic, DataViewSchema.Column Column)[] Statistics,
    DataViewSchema.Column? Class,
    DataViewSchema.Column? Group,
    DataViewSchema.Column? Age,
    DataViewSchema.Column? ModelVersion)
{
    /// <summary>None.</summary>
    public static readonly SelectionColumns None = new([], null, null, null, null);

    /// <summary>Each once: the groups may be the label's.</summary>
    public IEnumerable<DataViewSchema.Column> All
        => Statistics.Select(statistic => statistic.Column)
            .Concat(new[] { Class, Group, Age, ModelVersion }.OfType<DataViewSchema.Column>())
            .DistinctBy(column => column.Index);

    /// <summary>The statistics and groups among them.</summary>
    public RecordStatistics Held
        => Statistics.Aggregate(Group is null ? RecordStatistics.None : RecordStatistics.Group, (held, statistic) => held | statistic.Statistic.Flag);

    /// <summary>Finds columns that passed <see cref="Check"/>.</summary>
    /// <param name="schema">The rows'.</param>
    /// <param name="needs">What the policy reads.</param>
    /// <param name="options">Column names and limits.</param>
    public static SelectionColumns Bind(DataViewSchema schema, RecordStatistics needs, SelectionOptions options) => new(
        [.. RecordedStatistic.All.Where(statistic => statistic.IsIn(needs)).Select(statistic => (statistic, schema[statistic.ColumnName(options)]))],
        (needs & RecordStatistics.Label) != 0 && schema.GetColumnOrNull(options.LabelColumnName) is { Type: BooleanDataViewType or KeyDataViewType } label ? label : null,
        (needs & RecordStatistics.Group) != 0 ? schema[GroupName(options)] : null,
        options.MaximumRecordAge is null ? null : schema[options.AgeColumnName],
        options.MinimumModelVersion is null ? null : schema[options.ModelVersionColumnName]);

    /// <summary>Checks that every column the policy needs is there and has its type: one check for promised shapes and real schemas.</summary>
    /// <param name="find">The visible column of a name, or null.</param>
    /// <param name="needs">What the policy reads.</param>
    /// <param name="options">Column names and limits.</param>
    /// <param name="parameter">Parameter that brought the schema, for messages.</param>
    /// <param name="inTraining">Whether a trainer selects, which can compute the statistics of its own network.</param>
    /// <exception cref="ArgumentOutOfRangeException">A column is missing or has a wrong type.</exception>
    public static void Check(Func<string, ColumnFacts?> find, RecordStatistics needs, SelectionOptions options, string parameter, bool inTraining = false)
    {
        foreach (RecordedStatistic statistic in RecordedStatistic.All)
        {
            if (!statistic.IsIn(needs))
                continue;
            string option = inTraining ? "InTrainingSelection.Columns" : statistic.Option;
            string instead = inTraining && statistic.IsOfTheModel ? " StatisticsSource.Fresh needs no such column." : "";
            RequireSingle("statistics", statistic.ColumnName(options), find, $"RecordForwardPass adds this column{statistic.Condition}; a renamed one is given in {option}.{instead}", parameter);
        }

        if ((needs & RecordStatistics.Group) != 0)
            CheckGroup(find, options, parameter);

        const string AgeAdvice = "It holds the record's age in seconds and is read because SelectionOptions.MaximumRecordAge is set; a renamed one is given in SelectionOptions.AgeColumnName.";
        if (options.MaximumRecordAge is not null)
            RequireSingle("record age", options.AgeColumnName, find, AgeAdvice, parameter);
        if (options.MinimumModelVersion is not null)
            RequireVersion(find, options, parameter);

        if ((needs & RecordStatistics.Label) != 0 && find(options.LabelColumnName) is { } label && !ClassLabel.IsReadable(label))
            throw SchemaErrors.Mismatch("label", label, "Boolean, Key or Single", "MapValueToKey makes a key of any label; another column is given in SelectionOptions.LabelColumnName.", parameter);
    }

    /// <summary>Checks the column of a weight that rows already have, where one is named.</summary>
    public static void CheckExampleWeight(Func<string, ColumnFacts?> find, string? name, string parameter)
    {
        if (name is not null)
            RequireSingle("example weight", name, find, "SelectionOptions.ExampleWeightColumnName names it; leave that null if rows have no weight of their own.", parameter);
    }

    private static string GroupName(SelectionOptions options) => options.GroupColumnName ?? options.LabelColumnName;

    private static void CheckGroup(Func<string, ColumnFacts?> find, SelectionOptions options, string parameter)
    {
        const string Expected = "Boolean or Key";
        string name = GroupName(options);
        string advice = SelectionErrors.Origin(RecordStatistics.Group);
        if (find(name) is not { } column)
            throw SchemaErrors.Missing("group", name, Expected, advice, parameter);
        if (!column.IsBoolean && !column.IsScalarKey)
            throw SchemaErrors.Mismatch("group", column, Expected, advice, parameter);
    }

    private static void RequireVersion(Func<string, ColumnFacts?> find, SelectionOptions options, string parameter)
    {
        const string Advice = "It holds the version of the model that scored the row and is read because SelectionOptions.MinimumModelVersion is set; a renamed one is given in SelectionOptions.ModelVersionColumnName.";
        if (find(options.ModelVersionColumnName) is not { } column)
            throw SchemaErrors.Missing("model version", options.ModelVersionColumnName, "UInt64", Advice, parameter);
        if (!column.IsScalar || column.IsKey || column.ItemRawType != typeof(ulong))
            throw SchemaErrors.Mismatch("model version", column, "UInt64", Advice, parameter);
    }

    private static void RequireSingle(string role, string name, Func<string, ColumnFacts?> find, string advice, string parameter)
    {
        if (find(name) is not { } column)
            throw SchemaErrors.Missing(role, name, "Single", advice, parameter);
        if (!column.IsSingle)
            throw SchemaErrors.Mismatch(role, column, "Single", advice, parameter);
    }
}
