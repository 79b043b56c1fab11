
namespace Microsoft.ML.ForwardSampling.Selection;

/// <summary>A rule that chooses which rows of a window get a backward pass, and with which weight.</summary>
/// <remarks>
/// <para>A policy is an immutable record of options: it can be shared between threads and used for many windows. Everything that changes
/// (random generator, scratch memory, counters, the policy's own memory: <see cref="NewState"/>) belongs to the <see cref="RowSelector"/>
/// that runs it.</para>
/// <para>An implementation fills both spans completely, chooses each row at most once, and reads only the statistics it
/// <see cref="Needs"/>. Given the same window, the same budget, and a generator and a <see cref="PolicyState"/> in the same state it makes
/// the same choice.</para>
/// <para>Guide: docs/policies/index.md.</para>
/// </remarks>
public interface IRowSelectionPolicy
{
    /// <summary>Stable name of the rule, used in reports, messages and saved state.</summary>
    string Name { get; }

    /// <summary>Statistics that <see cref="Select"/> reads. <see cref="RecordStatistics.Label"/> is read only where the window has classes;
    /// all others must be present.</summary>
    RecordStatistics Needs { get; }

    /// <summary>Whether E[Σ weight·x / b] over the chosen rows equals the window's mean of x, for every x (each policy's remarks state
    /// exceptions).</summary>
    bool IsUnbiased { get; }

    /// <summary>Makes what the policy remembers from window to window, as it is before the first one.</summary>
    /// <remarks>A policy around another one hands on the inner policy's state, and the window with it.</remarks>
    /// <returns>A new state for one selector; null (the default) for a policy that remembers nothing.</returns>
    PolicyState? NewState() => null;

    /// <summary>Makes the rule for an input that is one window, however long, and of which no row is held (SelectRowsStreamed).</summary>
    /// <returns>A new plan for one view; null (the default) for a policy whose rule needs all rows of a window at once, or remembers
    /// windows.</returns>
    StreamedPlan? NewStreamedPlan() => null;

    /// <summary>Chooses rows.Length of the window's rows and gives each its weight.</summary>
    /// <param name="window">n candidate rows; each statistic it holds has length n and is finite (<see cref="RowSelector"/> sees to
    /// that).</param>
    /// <param name="random">Private to the selector, and saved with it.</param>
    /// <param name="rows">Out, length b, 1 ≤ b ≤ n: positions 0…n−1, distinct, ascending. Its length <i>is</i> the budget.</param>
    /// <param name="weights">Out, length b: factors for the chosen rows' losses, > 0, dimensionless.</param>
    /// <exception cref="ArgumentException">Lengths disagree, b = 0 or b > n (the message gives both numbers), or a needed statistic is
    /// missing.</exception>
    void Select(in SelectionWindow window, ref RepeatableRandom random, Span<int> rows, Span<float> weights);
}
