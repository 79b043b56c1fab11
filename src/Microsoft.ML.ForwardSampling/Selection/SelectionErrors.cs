using System.Globalization;
using System.Numerics;
using Microsoft.ML.ForwardSampling.Networks;

namespace Microsoft.ML.ForwardSampling.Selection;

/// <summary>Checks common to every selection, and the one cold place for their messages.</summary>
internal static class SelectionErrors
{
    // All but the label: a window without classes does without.
    private static readonly RecordStatistics _required = RecordedStatistic.Flags | RecordStatistics.Group | RecordStatistics.Features;

    /// <summary>Checks that 1 ≤ b ≤ n, that both spans have length b and that the window holds what the policy needs.</summary>
    public static void Check(IRowSelectionPolicy policy, in SelectionWindow window, ReadOnlySpan<int> rows, ReadOnlySpan<float> weights)
    {
        if (rows.Length != weights.Length)
            throw LengthsDiffer(rows.Length, weights.Length);
        if (rows.Length < 1 || rows.Length > window.Count)
            throw BudgetOutOfRange(policy.Name, rows.Length, window.Count);
        RecordStatistics missing = policy.Needs & _required & ~window.Holds;
        if (missing != 0)
            throw StatisticMissing($"Policy {policy.Name}", missing);
    }

    /// <summary>Checks what a policy chose: positions of the window, each once and ascending, with weights that are finite and above
    /// 0.</summary>
    /// <exception cref="InvalidOperationException">They are not.</exception>
    public static void CheckChoice(IRowSelectionPolicy policy, int count, ReadOnlySpan<int> rows, ReadOnlySpan<float> weights)
    {
        int before = -1;
        for (int i = 0; i < rows.Length; i++)
        {
            if (rows[i] <= before || rows[i] >= count)
                throw BadRow(policy.Name, i, rows[i], before, count);
            before = rows[i];
            if (!(weights[i] > 0 && weights[i] <= float.MaxValue))
                throw BadWeight(policy.Name, rows[i], weights[i]);
        }
    }

    /// <summary>Checks that a data view's filter, which sees statistics before training and no features, can run the policy.</summary>
    public static void CheckFilterCanRun(IRowSelectionPolicy policy)
    {
        if ((policy.Needs & RecordStatistics.Features) != 0 || ((policy.NewState()?.Feedback ?? 0) & SelectionFeedback.TrainingLoss) != 0)
            throw new ArgumentException(
                $"Policy {policy.Name} chooses by features or learns from the losses of trained rows, which a filter over a data view "
                    + $"does not see: "
                + "run it in the trainer (NetworkTrainerOptions.Selection) or through a RowSelector.",
                nameof(policy));
    }

    /// <summary>A new plan of a policy for a stream.</summary>
    /// <exception cref="ArgumentException">The policy's rule needs all rows at once, or features.</exception>
    public static StreamedPlan RequirePlan(IRowSelectionPolicy policy)
    {
        StreamedPlan plan = policy.NewStreamedPlan() ?? throw new ArgumentException(
            $"Policy {policy.Name} cannot select from a stream: its rule needs all rows of a window at once, or remembers windows. "
            + "Uniform, LossStratified, GradientNorm, BalancedGradientNorm, InfoBatch, TopLoss and BottomLoss can; or use SelectRows, in "
                + "windows.",
            nameof(policy));
        if ((plan.Needs & RecordStatistics.Features) != 0)
            throw new ArgumentException($"Policy {policy.Name} chooses by features, which a filter over a data view does not see: run it "
                + $"in the trainer (NetworkTrainerOptions.Selection) or through a RowSelector.", nameof(policy));
        return plan;
    }

    public static InvalidOperationException NotRepeatable(string what)
        => new($"The input order is not repeatable: {what}. A selection reads its input more than once and needs the same rows in the "
            + $"same order: put the rows in an array before they become a data view, or name every column in mlContext.Data.Cache(rows, "
            + $"names) before SelectRows (without names it reads each column when that is first asked for).");

    public static ArgumentException LengthsDiffer(int rows, int weights)
        => new($"rows has length {rows} and weights has length {weights}: they must be equal.", nameof(weights));

    public static ArgumentException BudgetOutOfRange(string policy, int budget, int count)
        => new($"Policy {policy} was asked for {budget} rows of a window of {count}: the budget, which is the length of rows, must be in "
            + $"[1, {count}].", "rows");

    public static ArgumentException StatisticLength(string statistic, int length, int count)
        => new($"SelectionWindow.{statistic} has {length} values for a window of {count} rows: give one for each row, or none.", statistic);

    public static ArgumentException StatisticMissing(string reader, RecordStatistics missing)
    {
        // The lowest one; a caller who lacks several meets the next one next.
        var first = (RecordStatistics)(1 << BitOperations.TrailingZeroCount((int)missing));
        if (first == RecordStatistics.Features)
            return new($"{reader} needs {nameof(SelectionWindow)}.{first}, which the window does not hold: n·d values, row-major.",
                "window");
        return new($"{reader} needs the statistic {first}, which the window does not hold. {Origin(first)}", "window");
    }

    /// <summary>Where a statistic comes from and which option names its column: one or two sentences.</summary>
    public static string Origin(RecordStatistics statistic) => RecordedStatistic.Of(statistic) switch
    {
        null => "Groups are the keys or Booleans of the column that StatisticColumns.Group names, or without it the classes of the "
            + "label. MapValueToKey makes keys of any column.",
        { Condition.Length: > 0 } one => $"RecordForwardPass adds it{one.Condition}; another column is given in {one.Option}.",
        { } one => $"RecordForwardPass adds it as column 'Forward.{one.Name}'; a renamed column is given in {one.Option}.",
    };

    public static ArgumentException FeaturesLength(int length, int count)
        => new($"SelectionWindow.Features has {length} values for a window of {count} rows: give the same number for each row, or none.",
            nameof(SelectionWindow.Features));

    public static ArgumentException StateMissing(Type expected, PolicyState? found)
        => new(
            $"The policy needs a {expected.Name} in {nameof(SelectionWindow)}.{nameof(SelectionWindow.State)}, which holds "
                + $"{found?.GetType().Name ?? "nothing"}: "
            + $"run the policy through a {nameof(RowSelector)}, or give the window what the policy's "
                + $"{nameof(IRowSelectionPolicy.NewState)} returns.",
            "window");

    public static InvalidOperationException ReleasedOutOfOrder(int released, int last)
        => new($"Rented memory number {released} is released while number {last} is the last that is rented. Memory of a "
            + $"{nameof(SelectionScratch)} is released once, and in the opposite order of renting: rent it in a using declaration.");

    public static InvalidOperationException NotReleased(string policy, int spans)
        => new($"Policy {policy} returned with {spans} spans of {nameof(SelectionWindow)}.{nameof(SelectionWindow.Scratch)} still "
            + $"rented: rent them in using declarations.");

    public static InvalidOperationException BadWeight(string policy, long row, float weight)
        => new(string.Create(CultureInfo.InvariantCulture, $"Policy {policy} gave row {row} of the window the weight {weight}: a weight "
            + $"must be finite and above 0, and each chosen row must get one."));

    private static InvalidOperationException BadRow(string policy, int place, int row, int before, int count)
        => new($"Policy {policy} chose row {row} of a window of {count}"
            + (row >= 0 && row < count ? $" after row {before}" : "")
            + $" (place {place} of its choice): rows must be positions 0 to {count - 1}, each at most once, ascending, and every place "
            + $"must be filled.");

    public static InvalidDataException StateNotLoadable(string policy, int length)
        => new($"The saved policy state ({length} bytes) is damaged, or not of {policy} with these options: resume with the policy and "
            + $"the options that were saved.");
}
