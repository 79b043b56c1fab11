namespace Microsoft.ML.ForwardSampling.DataViews;

/// <summary>The added columns' values of the row that one row or cursor stands on. Used by one thread at a time.</summary>
internal abstract class AddedValues : IDisposable
{
    /// <summary>True in a cursor, which its reader disposes; false in a mapper's row, which a prediction engine never disposes.</summary>
    public bool InCursor { get; set; }

    /// <summary>The <see cref="ValueGetter{TValue}"/> of an active added column; the same delegate at every call.</summary>
    /// <param name="added">Position among the added columns, from 0.</param>
    public abstract Delegate GetGetter(int added);

    /// <summary>Called once, when the row or cursor is disposed.</summary>
    public virtual void Dispose()
    {
    }
}
