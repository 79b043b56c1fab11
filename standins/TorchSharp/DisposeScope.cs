using static TorchSharp.torch;

namespace TorchSharp;

/// <summary>Owns the tensors created on its thread while it is the innermost open scope, and disposes them when it closes.</summary>
public sealed class DisposeScope : IDisposable
{
    private readonly DisposeScopeManager _manager;
    private readonly HashSet<Tensor> _owned = new(ReferenceEqualityComparer.Instance);
    private bool _closed;

    internal DisposeScope(DisposeScopeManager manager, DisposeScope? outer)
    {
        _manager = manager;
        Outer = outer;
    }

    internal DisposeScope? Outer { get; set; }

    internal void Add(Tensor tensor) => _owned.Add(tensor);

    /// <summary>The tensor is no longer the scope's to dispose.</summary>
    internal void Detach(Tensor tensor)
    {
        if (!_owned.Remove(tensor))
            return;
        _manager.Counts.DetachedFromScopeCount++;
        tensor.OwningScope = null;
    }

    /// <summary>The tensor was disposed before the scope was.</summary>
    internal void MarkAsDisposed(Tensor tensor)
    {
        _owned.Remove(tensor);
        _manager.Counts.DisposedInScopeCount++;
        tensor.OwningScope = null;
    }

    public void Dispose()
    {
        if (_closed)
            return;
        foreach (Tensor tensor in _owned)
        {
            tensor.OwningScope = null;
            if (!tensor.IsInvalid)
                _manager.Counts.DisposedInScopeCount++;
            tensor.Dispose();
        }
        _owned.Clear();
        _manager.Close(this);
        _closed = true;
    }
}
