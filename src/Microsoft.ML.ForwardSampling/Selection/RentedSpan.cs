namespace Microsoft.ML.ForwardSampling.Selection;

/// <summary>Memory rented from a <see cref="SelectionScratch"/>; dispose it, best by <c>using</c>.</summary>
/// <typeparam name="T">A type without references.</typeparam>
public readonly ref struct RentedSpan<T> : IDisposable
    where T : unmanaged
{
    private readonly SelectionScratch? _scratch;
    private readonly ulong[] _chunk;
    private readonly int _top;
    private readonly int _words;
    private readonly int _depth;

    internal RentedSpan(SelectionScratch scratch, Span<T> span, ulong[] chunk, int top, int words, int depth)
    {
        _scratch = scratch;
        Span = span;
        _chunk = chunk;
        _top = top;
        _words = words;
        _depth = depth;
    }

    /// <summary>The memory.</summary>
    /// <value>Of the length asked for; its values are those of whoever had it before.</value>
    public Span<T> Span { get; }

    /// <summary>The memory.</summary>
    /// <param name="rented">Rented memory.</param>
    public static implicit operator Span<T>(RentedSpan<T> rented) => rented.Span;

    /// <summary>The memory, to read.</summary>
    /// <param name="rented">Rented memory.</param>
    public static implicit operator ReadOnlySpan<T>(RentedSpan<T> rented) => rented.Span;

    /// <summary>Gives the memory back.</summary>
    /// <exception cref="InvalidOperationException">It was given back already, or something that was rented later was not.</exception>
    public void Dispose() => _scratch?.Release(_chunk, _top, _words, _depth);
}
