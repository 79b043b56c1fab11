namespace Microsoft.ML.ForwardSampling.Selection;

/// <summary>Decides the rows of a stream one after the other; exactly the plan's budget of them are taken.</summary>
internal abstract class StreamedDraw
{
    /// <summary>Whether the next row is taken, and its weight if it is.</summary>
    /// <param name="value">The policy's statistic, finite.</param>
    /// <param name="label">Its class, −1 where it has none.</param>
    /// <param name="weight">Out, > 0.</param>
    public abstract bool Take(float value, int label, out float weight);
}
