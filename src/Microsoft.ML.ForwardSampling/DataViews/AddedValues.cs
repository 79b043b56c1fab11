namespace Microsoft.ML.ForwardSampling.DataViews;

/// <summary>The added columns' values of the row that one row or cursor stands on. Used by one thread at a time.</summary>
internal abstract class AddedValues : IDisposable
{
    /// <summary>The <see cref="ValueGetter{TValue}"/> of an active added column; the same delegate at every call.</summary>
    /// <param name="added">Position among the added columns, from 0.</param>
    public abstract Delegate GetGetter(int added);

    /// <summary>Called once, when the row or cursor is disposed.</summary>
    public virtual void Dispose()
    {
    }
}
