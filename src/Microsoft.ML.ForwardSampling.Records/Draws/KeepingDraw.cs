namespace Microsoft.ML.ForwardSampling.Records;

/// <summary>Draws which rows are recorded when a share of them is enough: each row by itself, with the same probability.</summary>
/// <remarks>The record must be told the probability (<c>keepingProbability</c>): sums weighted by its inverse then stay unbiased for all
/// rows. A mutable struct, for one thread: keep it in a field that is not read-only.</remarks>
public struct KeepingDraw
{
    private readonly double _probability;
    private RepeatableRandom _random;

    /// <summary>Begins drawing.</summary>
    /// <param name="keepingProbability">[2⁻¹⁶, 1]; drawn with as a record states it, to one part in 4,096.</param>
    /// <param name="seed">For draws that must repeat; null: unlike every other draw's, in this process and in others.</param>
    /// <param name="stream">Tells draws of the same seed apart; below 2²⁴.</param>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="keepingProbability"/> is out of its range.</exception>
    public KeepingDraw(double keepingProbability, int? seed = null, long stream = 0)
    {
        _probability = KeepingProbability.Decode(KeepingProbability.Checked((float)keepingProbability, nameof(KeepingDraw)));
        _random = RecordDraws.Start(DrawPurpose.Keeping, seed, stream);
    }

    /// <summary>Decides about the next row.</summary>
    /// <returns>True: record it.</returns>
    public bool Keeps() => _probability >= 1 || _random.NextDouble() < _probability;
}
