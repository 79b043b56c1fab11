namespace Microsoft.ML.ForwardSampling.Selection;

/// <summary>A policy's rule over an input of any length: passes over the statistics that leave a few numbers, then one pass that decides
/// row by row.</summary>
/// <remarks>
/// <para>Made by <see cref="IRowSelectionPolicy.NewStreamedPlan"/> for one view. A first pass counts rows and finds <see cref="Mean"/>;
/// then come <see cref="Passes"/> passes that this class observes; then <see cref="Start"/> for each cursor.</para>
/// <para>Immutable after the last pass: draws of several cursors may then run at once. What it keeps should not grow with the rows.</para>
/// </remarks>
public abstract class StreamedPlan
{
    private readonly double[] _sums = new double[RecordedStatistic.All.Length];
    private readonly long[] _finite = new long[RecordedStatistic.All.Length];
    private RecordedStatistic[]? _statistics;

    /// <summary>Starts a plan.</summary>
    protected StreamedPlan()
    {
    }

    /// <summary>What the plan reads of a row: no more than the policy's own needs, and no features. A stream has no order by loss, so it
    /// may be less.</summary>
    /// <value>The same for the whole life of the plan. <see cref="RecordStatistics.Label"/> is read where rows have classes; all others
    /// must be there.</value>
    public abstract RecordStatistics Needs { get; }

    /// <summary>Passes after the first, which counts.</summary>
    /// <value>≥ 0.</value>
    public abstract int Passes { get; }

    /// <summary>N, rows of the input. After the first pass.</summary>
    public long Rows { get; private set; }

    /// <summary>b, rows to choose, in [1, N]; 0 where there are no rows. After the first pass.</summary>
    public long Budget { get; private set; }

    /// <summary>Rows with a needed statistic that is NaN or infinite; it counts as the mean of the others. After the first pass.</summary>
    public long RepairedRows { get; private set; }

    /// <summary>One row of a later pass.</summary>
    /// <param name="pass">0 … Passes − 1.</param>
    /// <param name="row">The row; its statistics are finite.</param>
    public abstract void Observe(int pass, in StreamedRow row);

    /// <summary>The end of a later pass.</summary>
    /// <param name="pass">0 … Passes − 1.</param>
    public abstract void EndPass(int pass);

    /// <summary>Starts the pass that decides.</summary>
    /// <param name="random">As every pass starts with it: the same rows each time.</param>
    /// <returns>A draw for one cursor. It is not asked for where there are no rows.</returns>
    public abstract StreamedDraw Start(RepeatableRandom random);

    /// <summary>The end of the first pass: rows, budget and means are known from here on.</summary>
    protected virtual void EndFirstPass()
    {
    }

    /// <summary>Mean of a needed statistic's finite values; 0 where there are none. After the first pass.</summary>
    /// <param name="statistic">One statistic that is a column.</param>
    /// <returns>The mean, in the statistic's unit.</returns>
    protected double Mean(RecordStatistics statistic) => MeanAt(RecordedStatistic.IndexOf(statistic));

    /// <summary>One row of the first pass, as recorded.</summary>
    internal void Count(ReadOnlySpan<float> values)
    {
        Rows++;
        bool isBroken = false;
        foreach (RecordedStatistic statistic in Statistics)
        {
            float value = values[statistic.Index];
            if (float.IsFinite(value))
            {
                _sums[statistic.Index] += value;
                _finite[statistic.Index]++;
            }
            else
            {
                isBroken = true;
            }
        }

        RepairedRows += isBroken ? 1 : 0;
    }

    /// <summary>The end of the first pass.</summary>
    internal void EndCount(SelectionBudget budget, ulong fingerprint)
    {
        Fingerprint = fingerprint;
        Budget = Rows == 0 ? 0 : budget.ForAll(Rows);
        EndFirstPass();
    }

    /// <summary>Refuses a later pass over other rows.</summary>
    /// <exception cref="InvalidOperationException">They differ from the first pass's in number, id, order or statistics.</exception>
    internal void CheckPass(long rows, ulong fingerprint)
    {
        if (rows != Rows)
            throw SelectionErrors.NotRepeatable($"there were {Rows} rows in the first pass and {rows} in a later one");
        if (fingerprint != Fingerprint)
            throw SelectionErrors.NotRepeatable(
                $"the ids or the recorded statistics of the {Rows} rows in a later pass are not those of the first, bit for bit");
    }

    /// <summary>Puts the values that count in place of those that are not finite.</summary>
    internal void Repair(Span<float> values)
    {
        foreach (RecordedStatistic statistic in Statistics)
        {
            ref float value = ref values[statistic.Index];
            if (!float.IsFinite(value))
                value = (float)MeanAt(statistic.Index);
        }
    }

    /// <summary>The first pass's ids and recorded statistics as one number.</summary>
    private ulong Fingerprint { get; set; }

    private RecordedStatistic[] Statistics => _statistics ??= Array.FindAll(RecordedStatistic.All, statistic => statistic.IsIn(Needs));

    private double MeanAt(int index) => _finite[index] == 0 ? 0 : _sums[index] / _finite[index];
}
