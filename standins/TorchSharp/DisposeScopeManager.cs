namespace TorchSharp;

/// <summary>The open dispose scopes of one thread.</summary>
public class DisposeScopeManager
{
    [ThreadStatic]
    private static DisposeScopeManager? s_current;

    internal static DisposeScopeManager Current => s_current ??= new DisposeScopeManager();

    internal ThreadDisposeScopeStatistics Counts { get; } = new();
    internal DisposeScope? Innermost { get; private set; }

    public static ThreadDisposeScopeStatistics Statistics => Current.Counts;

    internal DisposeScope Open() => Innermost = new DisposeScope(this, Innermost);

    internal DisposeScope? Register(torch.Tensor tensor)
    {
        if (Innermost is null)
        {
            Counts.CreatedOutsideScopeCount++;
            return null;
        }
        Counts.CreatedInScopeCount++;
        Innermost.Add(tensor);
        return Innermost;
    }

    /// <summary>Takes a scope out of the chain; scopes opened inside it stay open.</summary>
    internal void Close(DisposeScope closed)
    {
        if (ReferenceEquals(Innermost, closed))
        {
            Innermost = closed.Outer;
            return;
        }
        for (DisposeScope? scope = Innermost; scope is not null; scope = scope.Outer)
        {
            if (ReferenceEquals(scope.Outer, closed))
                scope.Outer = closed.Outer;
        }
    }
}

/// <summary>Counts of tensors made and released on one thread.</summary>
public class ThreadDisposeScopeStatistics
{
    public long CreatedOutsideScopeCount { get; internal set; }
    public long CreatedInScopeCount { get; internal set; }
    public long DisposedInScopeCount { get; internal set; }
    public long DetachedFromScopeCount { get; internal set; }
    public long ThreadTotalLiveCount => CreatedInScopeCount - DisposedInScopeCount - DetachedFromScopeCount;
}
