using Microsoft.ML.ForwardSampling.Selection;

namespace Microsoft.ML.ForwardSampling.Tests.Selection;

/// <summary>Takes the first rows of a window, with weights 1, 2, 3 …; reads what it is told to and notes what it got.</summary>
internal sealed class FirstRowsPolicy(RecordStatistics needs = RecordStatistics.Loss) : IRowSelectionPolicy
{
    public List<string> Windows { get; } = [];

    public string Name => "FirstRows";

    public RecordStatistics Needs => needs;

    public bool IsUnbiased => false;

    public void Select(in SelectionWindow window, ref RepeatableRandom random, Span<int> rows, Span<float> weights)
    {
        lock (Windows)
            Windows.Add($"{window.Count}: {window.Holds}; labels {string.Join(",", window.Label.ToArray())}");
        for (int i = 0; i < rows.Length; i++)
        {
            rows[i] = i;
            weights[i] = i + 1;
        }
    }
}

/// <summary>Takes the rows of largest loss, weight 1.</summary>
internal sealed class LargestLossPolicy : IRowSelectionPolicy
{
    public string Name => "LargestLoss";

    public RecordStatistics Needs => RecordStatistics.Loss;

    public bool IsUnbiased => false;

    public void Select(in SelectionWindow window, ref RepeatableRandom random, Span<int> rows, Span<float> weights)
    {
        using RentedSpan<int> order = window.OrderByLoss();
        order.Span[^rows.Length..].CopyTo(rows);
        rows.Sort();
        weights.Fill(1);
    }
}
