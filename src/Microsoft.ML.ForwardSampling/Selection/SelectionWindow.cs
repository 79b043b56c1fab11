using System.Runtime.CompilerServices;

namespace Microsoft.ML.ForwardSampling.Selection;

/// <summary>The candidate rows of one selection: their recorded statistics, each of length n or absent (empty).</summary>
/// <remarks>
/// A view: it copies nothing, and lives as long as the spans it was given. The order helpers return memory rented from
/// <see cref="Scratch"/>.
/// </remarks>
public readonly ref struct SelectionWindow
{
    private readonly StatisticSpans _statistics;

    /// <summary>Makes a window of n rows without statistics; give those through the initialiser.</summary>
    /// <param name="count">n, the number of candidate rows, ≥ 1.</param>
    /// <param name="scratch">Reusable memory; one selection at a time may use it.</param>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="count"/> is below 1.</exception>
    /// <exception cref="ArgumentNullException"><paramref name="scratch"/> is null.</exception>
    public SelectionWindow(int count, SelectionScratch scratch)
    {
        ArgumentNullException.ThrowIfNull(scratch);
        Count = Require.AtLeast(count, 1, nameof(SelectionWindow), nameof(Count));
        Scratch = scratch;
    }

    internal SelectionWindow(int count, SelectionScratch scratch, scoped in StatisticSpans statistics)
        : this(count, scratch)
        => _statistics = statistics;

    /// <summary>n, the number of candidate rows.</summary>
    /// <value>≥ 1.</value>
    public int Count { get; }

    /// <summary>Memory to rent during this selection.</summary>
    public SelectionScratch Scratch { get; }

    /// <summary>Recorded loss of each row, in the loss's own unit.</summary>
    /// <value>Length n, or empty when not given.</value>
    /// <exception cref="ArgumentException">Another length; the message gives both numbers.</exception>
    public ReadOnlySpan<float> Loss
    {
        get => _statistics[RecordedStatistic.Loss.Index]; init =>
        _statistics[RecordedStatistic.Loss.Index] = OfCount(value);
    }

    /// <summary>Recorded gradient-norm bound of each row, ≥ 0; a negative value counts as 0.</summary>
    /// <value>Length n, or empty when not given.</value>
    /// <exception cref="ArgumentException">Another length; the message gives both numbers.</exception>
    public ReadOnlySpan<float> GradientNorm
    {
        get => _statistics[RecordedStatistic.GradientNorm.Index]; init =>
        _statistics[RecordedStatistic.GradientNorm.Index] = OfCount(value);
    }

    /// <summary>Recorded margin of each row, in [0, 1].</summary>
    /// <value>Length n, or empty when not given.</value>
    /// <exception cref="ArgumentException">Another length; the message gives both numbers.</exception>
    public ReadOnlySpan<float> Margin
    {
        get => _statistics[RecordedStatistic.Margin.Index]; init =>
        _statistics[RecordedStatistic.Margin.Index] = OfCount(value);
    }

    /// <summary>Recorded entropy of each row, nats, ≥ 0.</summary>
    /// <value>Length n, or empty when not given.</value>
    /// <exception cref="ArgumentException">Another length; the message gives both numbers.</exception>
    public ReadOnlySpan<float> Entropy
    {
        get => _statistics[RecordedStatistic.Entropy.Index]; init =>
        _statistics[RecordedStatistic.Entropy.Index] = OfCount(value);
    }

    /// <summary>Loss of each row under a reference model, in the loss's own unit.</summary>
    /// <value>Length n, or empty when not given.</value>
    /// <exception cref="ArgumentException">Another length; the message gives both numbers.</exception>
    public ReadOnlySpan<float> ReferenceLoss
    {
        get => _statistics[RecordedStatistic.ReferenceLoss.Index]; init =>
        _statistics[RecordedStatistic.ReferenceLoss.Index] = OfCount(value);
    }

    /// <summary>Norm of each row's activations in the last hidden layer of the network that scored it, ≥ 0.</summary>
    /// <value>Length n, or empty when not given.</value>
    /// <exception cref="ArgumentException">Another length; the message gives both numbers.</exception>
    public ReadOnlySpan<float> ActivationNorm
    {
        get => _statistics[RecordedStatistic.ActivationNorm.Index]; init =>
        _statistics[RecordedStatistic.ActivationNorm.Index] = OfCount(value);
    }

    /// <summary>Class of each row, counted from 0; −1 where it is not known.</summary>
    /// <value>Length n, or empty when rows have no classes (regression).</value>
    /// <exception cref="ArgumentException">Another length; the message gives both numbers.</exception>
    public ReadOnlySpan<int> Label { get; init => field = OfCount(value); }

    /// <summary>Group of each row: any number, equal for rows of one group.</summary>
    /// <value>Length n, or empty when not given.</value>
    /// <exception cref="ArgumentException">Another length; the message gives both numbers.</exception>
    public ReadOnlySpan<int> Group { get; init => field = OfCount(value); }

    /// <summary>Features of each row, row-major: row i has [i·d, (i + 1)·d), with d = length / n.</summary>
    /// <value>Length n·d with d ≥ 1, or empty when not given.</value>
    /// <exception cref="ArgumentException">Not a multiple of n; the message gives both numbers.</exception>
    public ReadOnlySpan<float> Features
    {
        get;
        init => field = value.Length % Count == 0 ? value : throw SelectionErrors.FeaturesLength(value.Length, Count);
    }

    /// <summary>What the policy remembers of earlier windows. <see cref="RowSelector"/> puts its own here.</summary>
    /// <value>Made by the policy's <see cref="IRowSelectionPolicy.NewState"/>; null for a policy without.</value>
    public PolicyState? State { get; init; }

    /// <summary>Statistics that this window holds.</summary>
    public RecordStatistics Holds =>
        _statistics.Given
        | (Label.IsEmpty ? 0 : RecordStatistics.Label)
        | (Group.IsEmpty ? 0 : RecordStatistics.Group)
        | (Features.IsEmpty ? 0 : RecordStatistics.Features);

    /// <summary>The spans of all statistics that are columns, by their index in the table; what is put here has been checked.</summary>
    internal StatisticSpans Statistics { get => _statistics; init => _statistics = value; }

    /// <summary>One of them, without a copy of all.</summary>
    internal ReadOnlySpan<float> Values(RecordedStatistic statistic) => _statistics[statistic.Index];

    /// <summary>The <see cref="State"/>, as the policy made it.</summary>
    /// <typeparam name="TState">The policy's own kind of state.</typeparam>
    /// <returns>The state; never null.</returns>
    /// <exception cref="ArgumentException">The window holds none, or one of another kind.</exception>
    public TState GetState<TState>()
        where TState : PolicyState
        => State as TState ?? throw SelectionErrors.StateMissing(typeof(TState), State);

    /// <summary>Row positions by ascending loss; equal losses (−0 equals 0) keep their row order. O(n).</summary>
    /// <returns>Length n, a permutation of 0…n−1; rented, so dispose it.</returns>
    /// <exception cref="ArgumentException">The window holds no loss.</exception>
    public RentedSpan<int> OrderByLoss() => RowOrder.ByValue(RequireLoss(), Scratch);

    /// <summary>Row positions by ascending label (unknown first), then ascending loss; ties keep their row order. By loss alone when
    /// <see cref="Label"/> is empty. O(n).</summary>
    /// <returns>Length n, a permutation of 0…n−1; rented, so dispose it.</returns>
    /// <exception cref="ArgumentException">The window holds no loss.</exception>
    public RentedSpan<int> OrderByLabelAndLoss() => RowOrder.ByLabelThenValue(Label, RequireLoss(), Scratch);

    private ReadOnlySpan<float> RequireLoss()
    {
        if (Loss.IsEmpty)
            throw SelectionErrors.StatisticMissing("An order by loss", RecordStatistics.Loss);
        return Loss;
    }

    private ReadOnlySpan<T> OfCount<T>(ReadOnlySpan<T> values, [CallerMemberName] string statistic = "")
    {
        if (values.Length != 0 && values.Length != Count)
            throw SelectionErrors.StatisticLength(statistic, values.Length, Count);
        return values;
    }
}
