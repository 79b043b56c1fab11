using Microsoft.ML.Data;
using Microsoft.ML.ForwardSampling.DataViews;
using Microsoft.ML.ForwardSampling.Networks;

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
        => Statistics.Aggregate(Group is null ? RecordStatistics.None : RecordStatistics.Group,
            (held, statistic) => held | statistic.Statistic.Flag);

    /// <summary>Finds columns that passed <see cref="Check"/>.</summary>
    /// <param name="schema">The rows'.</param>
    /// <param name="needs">What the policy reads.</param>
    /// <param name="names">Of the statistics' columns and the groups'.</param>
    /// <param name="label">Name of the label's column.</param>
    /// <param name="limits">Limits on records, with their columns.</param>
    public static SelectionColumns Bind(DataViewSchema schema, RecordStatistics needs, StatisticColumns names, string label,
        RecordLimits limits) => new(
        [.. RecordedStatistic.All.Where(statistic => statistic.IsIn(needs))
            .Select(statistic => (statistic, schema[statistic.ColumnName(names)]))],
        (needs & RecordStatistics.Label) != 0 && schema.GetColumnOrNull(label) is { Type: BooleanDataViewType or KeyDataViewType } classes
            ? classes : null,
        (needs & RecordStatistics.Group) != 0 ? schema[names.Group ?? label] : null,
        limits.MaximumAge is null ? null : schema[limits.AgeColumnName],
        limits.MinimumModelVersion is null ? null : schema[limits.ModelVersionColumnName]);

    /// <summary>Checks that every column the policy needs is there and has its type: one check for promised shapes and real
    /// schemas.</summary>
    /// <param name="find">The visible column of a name, or null.</param>
    /// <param name="needs">What the policy reads.</param>
    /// <param name="names">Of the statistics' columns and the groups'.</param>
    /// <param name="label">Name of the label's column.</param>
    /// <param name="limits">Limits on records, with their columns.</param>
    /// <param name="owner">Type of the options that name the label, for messages.</param>
    /// <param name="parameter">Parameter that brought the schema, for messages.</param>
    /// <param name="inTraining">Whether a trainer selects, which can compute the statistics of its own network.</param>
    /// <exception cref="ArgumentOutOfRangeException">A column is missing or has a wrong type.</exception>
    public static void Check(
        Func<string, ColumnFacts?> find, RecordStatistics needs, StatisticColumns names, string label, RecordLimits limits, string owner,
            string parameter, bool inTraining = false)
    {
        foreach (RecordedStatistic statistic in RecordedStatistic.All)
        {
            if (!statistic.IsIn(needs))
                continue;
            string instead = inTraining && statistic.IsOfTheModel ? " StatisticsSource.Fresh needs no such column." : "";
            RequireSingle("statistics", statistic.ColumnName(names), find,
                $"RecordForwardPass adds this column{statistic.Condition}; a renamed one is given in {statistic.Option}.{instead}",
                parameter);
        }

        if ((needs & RecordStatistics.Group) != 0)
            CheckGroup(find, names.Group ?? label, parameter);

        const string AgeAdvice = "It holds the record's age in seconds and is read because RecordLimits.MaximumAge is set; a renamed one "
            + "is given in RecordLimits.AgeColumnName.";
        if (limits.MaximumAge is not null)
            RequireSingle("record age", limits.AgeColumnName, find, AgeAdvice, parameter);
        if (limits.MinimumModelVersion is not null)
            RequireVersion(find, limits.ModelVersionColumnName, parameter);

        if ((needs & RecordStatistics.Label) != 0)
            new ColumnNeed("label", "Boolean, Key or Single",
                $"MapValueToKey makes a key of any label; another column is given in {owner}.LabelColumnName.", parameter)
                .Check(find(label), found => ClassLabel.IsReadable(found));
    }

    /// <summary>Checks the column of a weight that rows already have, where one is named.</summary>
    public static void CheckExampleWeight(Func<string, ColumnFacts?> find, string? name, string owner, string parameter)
    {
        if (name is not null)
            RequireSingle("example weight", name, find,
                $"{owner}.ExampleWeightColumnName names it; leave that null if rows have no weight of their own.", parameter);
    }

    private static void CheckGroup(Func<string, ColumnFacts?> find, string name, string parameter)
        => new ColumnNeed("group", "Boolean or Key", SelectionErrors.Origin(RecordStatistics.Group), parameter)
            .Require(find(name), name, found => found.IsBoolean || found.IsScalarKey);

    private static void RequireVersion(Func<string, ColumnFacts?> find, string name, string parameter)
    {
        const string Advice = "It holds the version of the model that scored the row and is read because "
            + "RecordLimits.MinimumModelVersion is set; a renamed one is given in RecordLimits.ModelVersionColumnName.";
        new ColumnNeed("model version", "UInt64", Advice, parameter)
            .Require(find(name), name, found => found.IsScalar && !found.IsKey && found.ItemRawType == typeof(ulong));
    }

    private static void RequireSingle(string role, string name, Func<string, ColumnFacts?> find, string advice, string parameter)
        => new ColumnNeed(role, "Single", advice, parameter).Require(find(name), name, found => found.IsSingle);
}
