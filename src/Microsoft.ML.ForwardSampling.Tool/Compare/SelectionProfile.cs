using Microsoft.ML.ForwardSampling.Selection;

namespace Microsoft.ML.ForwardSampling.Tool.Compare;

/// <summary>Adds up what a policy chooses, window by window.</summary>
/// <param name="classes">Number of classes; 0 for a regression.</param>
internal sealed class SelectionProfile(int classes)
{
    private const int Tenths = 10;
    private const int LowestPower = -4; // weights of 1/16 and below share the first bin

    private readonly double[] _rates = new double[Tenths];
    private readonly double[] _byLoss = new double[Tenths];
    private readonly long[] _seen = new long[classes];
    private readonly long[] _chosen = new long[classes];
    private readonly long[] _weights = new long[WeightBins.Count];
    private int _windows;
    private int _windowsWithLoss;

    /// <summary>Names of the bins of weights: each spans half a power of two around its name, the first and the last all beyond.</summary>
    public static IReadOnlyList<string> WeightBins { get; } =
        ["1/16", "1/11", "1/8", "1/6", "1/4", "0.35", "1/2", "0.7", "1", "1.4", "2", "2.8", "4", "5.7", "8", "11", "16"];

    /// <summary>Adds a window.</summary>
    /// <param name="window">Its rows; the order memory is overwritten.</param>
    /// <param name="rows">The chosen ones.</param>
    /// <param name="weights">Their weights.</param>
    public void Add(in SelectionWindow window, ReadOnlySpan<int> rows, ReadOnlySpan<float> weights)
    {
        _windows++;
        if (!window.Loss.IsEmpty && window.Count >= Tenths)
        {
            SelectionDiagnostics.SelectionRateByLoss(window, rows, _rates);
            for (int i = 0; i < Tenths; i++)
                _byLoss[i] += _rates[i];
            _windowsWithLoss++;
        }

        if (classes > 0)
        {
            foreach (int label in window.Label)
                _seen[label]++;
            foreach (int row in rows)
                _chosen[window.Label[row]]++;
        }

        foreach (float weight in weights)
            _weights[Math.Clamp((int)Math.Round(2 * Math.Log2(weight)) - 2 * LowestPower, 0, _weights.Length - 1)]++;
    }

    /// <summary>The shares; null when no window was added.</summary>
    public SelectionShape? ToShape()
    {
        if (_windows == 0)
            return null;
        double chosen = Math.Max(1, _weights.Sum());
        return new SelectionShape(
            _windowsWithLoss == 0 ? null : [.. _byLoss.Select(rate => rate / _windowsWithLoss)],
            [.. _chosen.Zip(_seen, (part, all) => all == 0 ? 0 : (double)part / all)],
            [.. _weights.Select(count => count / chosen)]);
    }
}
