using System.Numerics;
using System.Numerics.Tensors;

namespace Microsoft.ML.ForwardSampling.Selection;

/// <summary>A policy at work: it owns the random generator, the scratch memory, the counters and the memory of earlier windows that the
/// policy itself, being immutable, does not have.</summary>
/// <remarks>
/// <para>Before the policy sees a window, lengths and needed statistics are checked, and a statistic that is NaN or infinite is replaced
/// by the window's mean of its finite values (0 when there is none). Such rows are counted in <see cref="SelectionReport.RepairedRows"/>,
/// each once.</para>
/// <para>Same policy, seed and windows in the same order: same rows. No allocation after the first window of a size. Not
/// thread-safe.</para>
/// </remarks>
public sealed class RowSelector
{
    private readonly PolicyState? _state;
    private RepeatableRandom _random;
    private long _windows;
    private long _rowsSeen;
    private long _rowsSelected;
    private long _repairedRows;
    private long _excludedRows;
    private long _discountedRows;
    private long _cappedRows;
    private double _cappedWeight;
    private double _sumOfWeights;
    private float _largestWeight;

    /// <summary>Starts a selector.</summary>
    /// <param name="policy">The rule to run.</param>
    /// <param name="seed">Any value; it alone decides the random numbers.</param>
    /// <exception cref="ArgumentNullException"><paramref name="policy"/> is null.</exception>
    public RowSelector(IRowSelectionPolicy policy, int seed)
    {
        ArgumentNullException.ThrowIfNull(policy);
        Policy = policy;
        _state = policy.NewState();
        _random = new RepeatableRandom(seed);
    }

    /// <summary>Goes on where a saved selector stopped.</summary>
    /// <param name="policy">The policy that the saved selector ran, with the same options.</param>
    /// <param name="state">Read from <see cref="State"/>.</param>
    /// <exception cref="ArgumentNullException">An argument is null.</exception>
    /// <exception cref="ArgumentException">The state is of another policy.</exception>
    /// <exception cref="InvalidDataException">The policy cannot go on from its part of the state: other options, or damaged.</exception>
    public RowSelector(IRowSelectionPolicy policy, RowSelectorState state)
    {
        ArgumentNullException.ThrowIfNull(policy);
        ArgumentNullException.ThrowIfNull(state);
        if (state.PolicyName != policy.Name)
            throw new ArgumentException($"The saved state is of policy {state.PolicyName}, and the selector runs {policy.Name}: resume "
                + $"with the policy that was saved.", nameof(state));
        Policy = policy;
        _state = policy.NewState();
        if (_state is not null)
            _state.Load(state.PolicyState.Span);
        else if (!state.PolicyState.IsEmpty)
            throw SelectionErrors.StateNotLoadable(policy.Name, state.PolicyState.Length);
        _random = new RepeatableRandom(state.Random);
        _windows = state.Report.Windows;
        _rowsSeen = state.Report.RowsSeen;
        _rowsSelected = state.Report.RowsSelected;
        _repairedRows = state.Report.RepairedRows;
        _excludedRows = state.Report.ExcludedRows;
        _discountedRows = state.Report.DiscountedRows;
        _sumOfWeights = state.Report.SumOfWeights;
        _largestWeight = state.Report.LargestWeight;
        _cappedRows = state.Report.CappedRows;
        _cappedWeight = state.Report.CappedWeight;
    }

    /// <summary>The rule that this selector runs.</summary>
    public IRowSelectionPolicy Policy { get; }

    /// <summary>Memory for this selector's windows: <c>new SelectionWindow(n, selector.Scratch) { Loss = … }</c>.</summary>
    public SelectionScratch Scratch { get; } = new();

    /// <summary>What was counted so far; a snapshot.</summary>
    public SelectionReport Report => new()
    {
        Windows = _windows,
        RowsSeen = _rowsSeen,
        RowsSelected = _rowsSelected,
        RepairedRows = _repairedRows,
        ExcludedRows = _excludedRows,
        DiscountedRows = _discountedRows,
        CappedRows = _cappedRows,
        CappedWeight = _cappedWeight,
        SumOfWeights = _sumOfWeights,
        LargestWeight = _largestWeight,
    };

    /// <summary>What to save for resuming after the windows so far; a snapshot.</summary>
    public RowSelectorState State => new()
    {
        PolicyName = Policy.Name,
        Random = _random.State,
        Report = Report,
        PolicyState = _state?.Save()
    };

    /// <summary>What the policy learns from beside the windows: whoever trains on the chosen rows reports it.</summary>
    public SelectionFeedback Feedback => _state?.Feedback ?? SelectionFeedback.None;

    /// <summary>Chooses rows.Length rows of the window and counts them.</summary>
    /// <param name="window">n candidate rows with raw statistics: they may hold NaN and infinities.</param>
    /// <param name="rows">Out, length b, 1 ≤ b ≤ n: positions 0…n−1, distinct, ascending. Its length <i>is</i> the budget.</param>
    /// <param name="weights">Out, length b: factors for the chosen rows' losses, > 0, dimensionless.</param>
    /// <exception cref="ArgumentException">Lengths disagree, b = 0 or b > n (the message gives both numbers), or a needed statistic is
    /// missing. Nothing is counted or drawn then.</exception>
    /// <exception cref="InvalidOperationException">The policy broke its promise: rows that are not ascending positions of the window, each
    /// once, or weights that are not finite and above 0. The message names the policy. Nothing is counted then.</exception>
    public void Select(in SelectionWindow window, Span<int> rows, Span<float> weights)
    {
        SelectionErrors.Check(Policy, in window, rows, weights);

        RecordStatistics needs = Policy.Needs, broken = RecordStatistics.None;
        foreach (RecordedStatistic statistic in RecordedStatistic.All)
        {
            if (statistic.IsIn(needs) && !WindowSums.AllFinite(window.Values(statistic)))
                broken |= statistic.Flag;
        }

        SelectionWindow own = window with { State = _state };
        window.Scratch.TakeCuts(); // of whoever used it before
        if (broken == RecordStatistics.None)
            Run(in own, rows, weights);
        else
            SelectRepaired(in own, broken, rows, weights);

        (long cutRows, double cutWeight) = window.Scratch.TakeCuts();
        _cappedRows += cutRows;
        _cappedWeight += cutWeight;
        _windows++;
        _rowsSeen += window.Count;
        _rowsSelected += rows.Length;
        _sumOfWeights += WindowSums.Sum(weights);
        _largestWeight = Math.Max(_largestWeight, TensorPrimitives.Max<float>(weights));
        if (SelectionMeters.IsListenedTo)
        {
            SelectionMeters.Count(Policy.Name, 1, window.Count, rows.Length);
            SelectionMeters.Measure(Policy.Name, window.Loss, rows);
        }
    }

    /// <summary>The same for the usual statistics in separate spans; a window holds all.</summary>
    /// <param name="count">n, the number of candidate rows, ≥ 1.</param>
    /// <param name="rows">Out, length b, 1 ≤ b ≤ n: positions 0…n−1, distinct, ascending. Its length <i>is</i> the budget.</param>
    /// <param name="weights">Out, length b: factors for the chosen rows' losses, > 0, dimensionless.</param>
    /// <param name="loss">Length n, or empty when the policy does not need it.</param>
    /// <param name="gradientNorm">Length n, or empty when the policy does not need it.</param>
    /// <param name="margin">Length n, or empty when the policy does not need it.</param>
    /// <param name="entropy">Length n, or empty when the policy does not need it.</param>
    /// <param name="label">Length n, or empty when rows have no classes; −1 where the class is not known.</param>
    /// <param name="referenceLoss">Length n, or empty when the policy does not need it.</param>
    /// <param name="group">Length n, or empty when the policy does not need it.</param>
    /// <exception cref="ArgumentException">As for the other overload, or a statistic has another length than n.</exception>
    public void Select(
        int count,
        Span<int> rows,
        Span<float> weights,
        ReadOnlySpan<float> loss = default,
        ReadOnlySpan<float> gradientNorm = default,
        ReadOnlySpan<float> margin = default,
        ReadOnlySpan<float> entropy = default,
        ReadOnlySpan<int> label = default,
        ReadOnlySpan<float> referenceLoss = default,
        ReadOnlySpan<int> group = default)
    {
        var window = new SelectionWindow(count, Scratch)
        {
            Loss = loss,
            GradientNorm = gradientNorm,
            Margin = margin,
            Entropy = entropy,
            Label = label,
            ReferenceLoss = referenceLoss,
            Group = group,
        };
        Select(in window, rows, weights);
    }

    /// <summary>Tells the policy how well the network does on data that it is not trained on, after it was trained on the rows chosen so
    /// far. A policy without this feedback ignores it.</summary>
    /// <param name="loss">Mean loss over the validation rows, finite, in the loss's own unit.</param>
    /// <exception cref="ArgumentOutOfRangeException">NaN or infinite.</exception>
    public void ReportValidation(double loss)
    {
        if (!double.IsFinite(loss))
            throw new ArgumentOutOfRangeException(nameof(loss), loss, "A validation loss must be finite.");
        _state?.ObserveValidation(loss);
    }

    /// <summary>Tells the policy the losses of rows that have just been trained on. A policy without this feedback ignores it.</summary>
    /// <param name="losses">Length m, unweighted, from the forward pass of the training step; may hold NaN and infinities.</param>
    /// <param name="features">Length m·d, row-major: the same features as in the windows.</param>
    /// <param name="labels">Length m, or empty when rows have no classes.</param>
    /// <exception cref="ArgumentException">Lengths disagree; the message gives them.</exception>
    public void ReportTraining(ReadOnlySpan<float> losses, ReadOnlySpan<float> features, ReadOnlySpan<int> labels = default)
    {
        if (losses.IsEmpty ? !features.IsEmpty : features.Length % losses.Length != 0)
            throw new ArgumentException($"features has {features.Length} values for {losses.Length} rows: give the same number for each "
                + $"row.", nameof(features));
        if (!labels.IsEmpty && labels.Length != losses.Length)
            throw new ArgumentException($"labels has {labels.Length} values for {losses.Length} rows: give one for each row, or none.",
                nameof(labels));
        if (!losses.IsEmpty)
            _state?.ObserveTraining(losses, features, labels);
    }

    /// <summary>Counts what whoever read the rows did with old records.</summary>
    internal void CountOldRecords(long excluded, long discounted)
    {
        _excludedRows += excluded;
        _discountedRows += discounted;
    }

    private void Run(in SelectionWindow window, Span<int> rows, Span<float> weights)
    {
        int rented = window.Scratch.Depth;
        // What is left over from an earlier window must not pass for this one's.
        rows.Fill(-1);
        weights.Clear();
        Policy.Select(in window, ref _random, rows, weights);
        if (window.Scratch.Depth != rented)
            throw SelectionErrors.NotReleased(Policy.Name, window.Scratch.Depth - rented);
        SelectionErrors.CheckChoice(Policy, window.Count, rows, weights);
    }

    private void SelectRepaired(in SelectionWindow raw, RecordStatistics broken, Span<int> rows, Span<float> weights)
    {
        int n = raw.Count, repaired = 0;
        using RentedSpan<float> memory = raw.Scratch.Rent<float>(n * BitOperations.PopCount((uint)broken));
        Span<float> free = memory;
        StatisticSpans statistics = raw.Statistics;
        using (RentedSpan<ulong> words = RowSet.Rent(n, raw.Scratch))
        {
            var brokenRows = new RowSet(words);
            foreach (RecordedStatistic statistic in RecordedStatistic.All)
            {
                if (!statistic.IsIn(broken))
                    continue;
                statistics[statistic.Index] = Repair(statistics[statistic.Index], free[..n], brokenRows);
                free = free[n..];
            }

            repaired = brokenRows.Count();
        }

        Run(raw with { Statistics = statistics }, rows, weights);
        _repairedRows += repaired;
    }

    private static ReadOnlySpan<float> Repair(ReadOnlySpan<float> values, Span<float> repaired, RowSet broken)
    {
        float mean = (float)WindowSums.MeanOfFinite(values);
        for (int i = 0; i < values.Length; i++)
        {
            bool isFinite = float.IsFinite(values[i]);
            repaired[i] = isFinite ? values[i] : mean;
            if (!isFinite)
                broken.Add(i);
        }

        return repaired;
    }
}
