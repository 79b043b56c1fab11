namespace Microsoft.ML.ForwardSampling.Selection;

/// <summary>Decides the rows of a stream one after the other; exactly the plan's budget of them are taken.</summary>
public abstract class StreamedDraw
{
    /// <summary>Starts a draw.</summary>
    protected StreamedDraw()
    {
    }

    /// <summary>Whether the next row is taken, and its weight if it is.</summary>
    /// <param name="row">The row; its statistics are finite.</param>
    /// <param name="weight">Out: factor for the row's loss, > 0, dimensionless; any value for a row that is not taken.</param>
    /// <returns>True for exactly <see cref="StreamedPlan.Budget"/> of the <see cref="StreamedPlan.Rows"/> rows of a pass.</returns>
    public abstract bool Take(in StreamedRow row, out float weight);
}
