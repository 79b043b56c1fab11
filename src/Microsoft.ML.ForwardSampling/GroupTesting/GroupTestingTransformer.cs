using Microsoft.ML.Data;
using Microsoft.ML.ForwardSampling.DataViews;

namespace Microsoft.ML.ForwardSampling.GroupTesting;

/// <summary>A trained group network in a pipeline: rules out groups without a positive row by one pass, and tests the members of the
/// others.</summary>
/// <remarks>
/// <list type="table">
/// <listheader><term>Column</term><description>What it holds</description></listheader>
/// <item><term>Score</term><description>Single: the logit of the row's last test less the threshold of its round. Of a row that was ruled
/// out it is its group's, at most 0. Scores of rows whose last tests were of different rounds compare by their sign
/// only.</description></item>
/// <item><term>Probability</term><description>Single in [0, 1]: that the row is positive, given its last test, the number of rows in it and
/// <see cref="Prevalence"/>. The members of a group that was ruled out share one.</description></item>
/// <item><term>PredictedLabel</term><description>Boolean: Score &gt; 0.</description></item>
/// <item><term><see cref="ForwardColumns.Tests"/></term><description>Single: the row's share in its tests, a test of m rows counting
/// 1/m for each; the sum over all rows is the number of tests.</description></item>
/// </list>
/// <para>Not row to row: groups are rows that follow each other, so the same row among other neighbours may get another score, and there is
/// no prediction engine. A cursor reads ahead in whole groups. A cursor set is one cursor, since a split would make other groups. A cursor
/// that shuffles makes groups of the order it reads in. Columns that cannot be copied, such as images, cannot be read ahead.</para>
/// <para>A row with a feature that is no finite number is left out of its group: Score and Probability NaN, PredictedLabel false, no
/// tests; <see cref="GroupTestingReport.RowsWithoutScore"/> counts it.</para>
/// <para>Loaded by plain <c>mlContext.Model.Load</c> it tests each row alone; <c>fs.Load</c> or <c>Restore</c> puts the groups
/// back.</para>
/// </remarks>
public sealed class GroupTestingTransformer : ITransformer, IDisposable
{
    private readonly GroupCounters _counters;
    private readonly bool _ownsNetwork;

    internal GroupTestingTransformer(GroupNetwork network, GroupColumns columns, GroupSchedule schedule, float[] thresholds,
        double prevalence, bool ownsNetwork = true)
    {
        Network = network;
        Columns = columns;
        Schedule = schedule;
        Thresholds = thresholds;
        Prevalence = prevalence;
        _ownsNetwork = ownsNetwork;
        _counters = new GroupCounters(network, schedule.Rounds);
        FeatureColumnType = new VectorDataViewType(NumberDataViewType.Single, network.FeatureCount);
    }

    /// <summary>The column that is scored.</summary>
    public string FeatureColumnName => Columns.Features;

    /// <summary>The label column the model was trained on; not needed to score.</summary>
    public string LabelColumnName => Columns.Label;

    /// <summary>Type of the feature column: a vector of Single of the network's size.</summary>
    public DataViewType FeatureColumnType { get; }

    /// <summary>Where the rows of a group become one.</summary>
    public GroupMerge Merge => Network.Merge;

    /// <summary>Which groups are tested.</summary>
    public GroupSchedule Schedule { get; }

    /// <summary>The logit above which a test is positive, for each round.</summary>
    public IReadOnlyList<float> Thresholds { get; }

    /// <summary>Share of positive rows with which Probability is made.</summary>
    public double Prevalence { get; }

    /// <summary>Multiply-adds of the stem for one row.</summary>
    public long StemMultiplyAdds => Network.Stem.MultiplyAdds;

    /// <summary>Multiply-adds of the pair layers for one pair; 0 but for <see cref="GroupMerge.Tree"/>.</summary>
    public long PairMultiplyAdds => Network.Pairs?.MultiplyAdds ?? 0;

    /// <summary>Multiply-adds of the body for one group.</summary>
    public long BodyMultiplyAdds => Network.Body.MultiplyAdds;

    /// <summary>What scoring cost so far.</summary>
    public GroupTestingReport Report => _counters.Report;

    /// <summary>What the training did; null for a model loaded from a file.</summary>
    public GroupTrainingReport? Training { get; internal init; }

    /// <summary>False: a row's score depends on its neighbours.</summary>
    public bool IsRowToRowMapper => false;

    internal GroupNetwork Network { get; }

    internal GroupColumns Columns { get; }

    internal GroupCounters Counters => _counters;

    /// <summary>The same network with other groups: <see cref="GroupSchedule.Individual"/> is the one to compare with.</summary>
    /// <param name="schedule">Any; sizes that were not trained on are scored less well.</param>
    /// <param name="thresholds">One a round; null: 0 each.</param>
    /// <returns>A transformer with counts of its own. It shares this one's network, which stays this one's to dispose.</returns>
    /// <exception cref="ArgumentException">Another number of thresholds than of rounds.</exception>
    public GroupTestingTransformer WithSchedule(GroupSchedule schedule, IReadOnlyList<float>? thresholds = null)
    {
        ArgumentNullException.ThrowIfNull(schedule);
        thresholds ??= new float[schedule.Rounds];
        GroupTestingOptions.CheckThresholds(schedule, thresholds, nameof(thresholds));
        return new GroupTestingTransformer(Network, Columns, schedule, [.. thresholds], Prevalence, ownsNetwork: false)
        { Training = Training };
    }

    /// <summary>What the plan expects of this network.</summary>
    /// <param name="prevalence">Share of positive rows; null: <see cref="Prevalence"/>.</param>
    /// <exception cref="ArgumentOutOfRangeException">Outside (0, 1), or modules of one's own without costs.</exception>
    public GroupTestingPlan Plan(double? prevalence = null)
        => GroupTestingPlan.For(prevalence ?? Prevalence, StemMultiplyAdds, BodyMultiplyAdds, Merge, pairCost: PairMultiplyAdds);

    /// <summary>The schema with the output columns added.</summary>
    /// <param name="inputSchema">Schema with the feature column.</param>
    /// <returns>The input's columns, then Score, Probability, PredictedLabel and the tests.</returns>
    /// <exception cref="ArgumentOutOfRangeException">The feature column is missing or of another type or size.</exception>
    public DataViewSchema GetOutputSchema(DataViewSchema inputSchema)
    {
        ArgumentNullException.ThrowIfNull(inputSchema);
        Columns.Find(inputSchema, FeatureColumnType);
        return Columns.Append(inputSchema);
    }

    /// <summary>A view with the output columns; nothing is scored until a cursor reads it.</summary>
    /// <param name="input">Rows with the feature column.</param>
    /// <returns>The input's columns, then Score, Probability, PredictedLabel and the tests.</returns>
    /// <exception cref="ArgumentOutOfRangeException">The feature column is missing or of another type or size.</exception>
    public IDataView Transform(IDataView input)
    {
        ArgumentNullException.ThrowIfNull(input);
        OnnxConversion.Refuse();
        return new GroupTestedView(input, this, Columns.Find(input.Schema, FeatureColumnType));
    }

    /// <summary>There is none.</summary>
    /// <param name="inputSchema">Schema with the feature column.</param>
    /// <exception cref="InvalidOperationException">Always, with a schema that fits.</exception>
    /// <exception cref="ArgumentOutOfRangeException">The feature column is missing or of another type or size.</exception>
    public IRowToRowMapper GetRowToRowMapper(DataViewSchema inputSchema)
    {
        ArgumentNullException.ThrowIfNull(inputSchema);
        Columns.Find(inputSchema, FeatureColumnType);
        throw new InvalidOperationException(
            "Rows are tested in groups of neighbours, so there is no row-to-row mapper: IsRowToRowMapper says so. Use Transform.");
    }

    /// <summary>Releases the network's native memory, unless it is another transformer's. The transformer cannot score
    /// afterwards.</summary>
    public void Dispose()
    {
        if (_ownsNetwork)
            Network.Dispose();
    }

    void ICanSaveModel.Save(ModelSaveContext ctx) => GroupCarrier.Save(this, ctx);
}
