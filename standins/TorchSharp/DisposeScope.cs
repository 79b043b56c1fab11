using static TorchSharp.torch;

namespace TorchSharp;

/// <summary>Owns the tensors created on its thread while it is the innermost open scope, and disposes them when it closes.</summary>
public sealed class DisposeScope : IDisposable
{
    private readonly DisposeScopeManager _manager;
    private HashSet<IDisposable> _owned = new(ReferenceEqualityComparer.Instance);
    private bool _closed;

    internal DisposeScope(DisposeScopeManager manager, DisposeScope? outer)
    {
        _manager = manager;
        Outer = outer;
    }

    internal DisposeScope? Outer { get; set; }

    public int DisposablesCount => Owned.Count;
    public IReadOnlyList<IDisposable> DisposablesView => [.. Owned];

    private HashSet<IDisposable> Owned
    {
        get
        {
            ObjectDisposedException.ThrowIf(_closed, this);
            return _owned;
        }
    }

    internal void Add(Tensor tensor) => _owned.Add(tensor);

    public bool Contains(IDisposable disposable) => _owned.Contains(disposable);

    public T MoveToOuter<T>(T disposable) where T : IDisposable
    {
        Move(disposable, Outer);
        return disposable;
    }

    public (T1 first, T2 second) MoveToOuter<T1, T2>(T1 first, T2 second) where T1 : IDisposable where T2 : IDisposable =>
        (MoveToOuter(first), MoveToOuter(second));

    public void MoveToOuter(params IDisposable[] disposables) => MoveToOuter((IEnumerable<IDisposable>)disposables);

    public void MoveToOuter(IEnumerable<IDisposable> disposables)
    {
        foreach (IDisposable disposable in disposables)
            Move(disposable, Outer);
    }

    public T Detach<T>(T disposable) where T : IDisposable
    {
        Move(disposable, null);
        return disposable;
    }

    public (T1 first, T2 second) Detach<T1, T2>(T1 first, T2 second) where T1 : IDisposable where T2 : IDisposable =>
        (Detach(first), Detach(second));

    public void Detach(params IDisposable[] disposables) => Detach((IEnumerable<IDisposable>)disposables);

    public void Detach(IEnumerable<IDisposable> disposables)
    {
        foreach (IDisposable disposable in disposables)
            Move(disposable, null);
    }

    private void Move(IDisposable disposable, DisposeScope? target)
    {
        if (!Owned.Remove(disposable))
            return;
        if (target is null)
            _manager.Counts.DetachedFromScopeCount++;
        else
            target._owned.Add(disposable);
        if (disposable is Tensor tensor)
            tensor.OwningScope = target;
    }

    public void DisposeEverything() => Release(keep: null);

    public void DisposeEverythingBut(IEnumerable<IDisposable> inKeep) => Release(new HashSet<IDisposable>(inKeep, ReferenceEqualityComparer.Instance));

    public void DisposeEverythingBut(params IDisposable[] keep) => DisposeEverythingBut((IEnumerable<IDisposable>)keep);

    public T DisposeEverythingBut<T>(T keep) where T : IDisposable
    {
        DisposeEverythingBut(new IDisposable[] { keep });
        return keep;
    }

    private void Release(HashSet<IDisposable>? keep)
    {
        HashSet<IDisposable> old = Owned;
        _owned = keep ?? new HashSet<IDisposable>(ReferenceEqualityComparer.Instance);
        foreach (IDisposable disposable in old)
        {
            if (_owned.Contains(disposable))
                continue;
            if (disposable is not Tensor tensor)
            {
                _manager.Counts.DisposedInScopeCount++;
            }
            else
            {
                tensor.OwningScope = null;
                if (!tensor.IsInvalid)
                    _manager.Counts.DisposedInScopeCount++;
            }
            disposable.Dispose();
        }
    }

    public void MarkAsDisposed(IDisposable disposable)
    {
        Owned.Remove(disposable);
        _manager.Counts.DisposedInScopeCount++;
        if (disposable is Tensor tensor)
            tensor.OwningScope = null;
    }

    public void Dispose()
    {
        if (_closed)
            return;
        Release(keep: null);
        _manager.Close(this);
        _closed = true;
    }
}
