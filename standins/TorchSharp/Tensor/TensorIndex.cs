namespace TorchSharp;

public static partial class torch
{
    /// <summary>One position of an index expression: a number, a slice, a tensor, a new axis or an ellipsis.</summary>
    public struct TensorIndex
    {
        private enum Kind { Colon, Single, Slice, Tensor, None, Ellipsis }

        private Kind _kind;
        private long? _start, _stop, _step;
        private Tensor? _tensor;

        public static readonly TensorIndex Colon = new() { _kind = Kind.Colon };
        public static readonly TensorIndex Ellipsis = new() { _kind = Kind.Ellipsis };
        public static readonly TensorIndex None = new() { _kind = Kind.None };
        public static readonly TensorIndex Null = None;

        public static TensorIndex Single(long? index) => index is null ? Null : new() { _kind = Kind.Single, _start = index };
        public static TensorIndex Tensor(Tensor tensor) => new() { _kind = Kind.Tensor, _tensor = tensor };
        public static TensorIndex Slice(long? start = null, long? stop = null, long? step = null) => new() { _kind = Kind.Slice, _start = start, _stop = stop, _step = step };
        public static TensorIndex Slice((int? start, int? end) range) => Slice(range.start, range.end);

        public static TensorIndex Slice(Range range) => Slice(
            range.Start.IsFromEnd ? -range.Start.Value : range.Start.Value,
            !range.End.IsFromEnd ? range.End.Value : range.End.Value == 0 ? null : -range.End.Value);

        public static implicit operator TensorIndex(long value) => Single(value);
        public static implicit operator TensorIndex(Range range) => Slice(range);
        public static implicit operator TensorIndex((int? start, int? end) range) => Slice(range);

        /// <summary>Applies everything but tensors as views; the tensors come back by dimension, 0 where a dimension has none.</summary>
        internal static (Tensor view, nint[] tensors) View(Tensor source, TensorIndex[] indices)
        {
            Tensor view = source;
            var tensors = new List<nint>();
            int dim = 0;
            for (int i = 0; i < indices.Length; i++)
            {
                TensorIndex index = indices[i];
                switch (index._kind)
                {
                    case Kind.Single:
                        view = view.select(dim, index._start!.Value);
                        continue;
                    case Kind.Slice:
                        view = view.slice(dim, index._start ?? 0, index._stop ?? long.MaxValue, index._step ?? 1);
                        break;
                    case Kind.None:
                        view = view.unsqueeze(dim);
                        break;
                    case Kind.Ellipsis:
                        int rest = indices[(i + 1)..].Count(r => r._kind is not Kind.None);
                        dim = (int)view.Dimensions - rest;
                        continue;
                    case Kind.Tensor:
                        while (tensors.Count < dim)
                            tensors.Add(0);
                        tensors.Add(index._tensor!.Handle);
                        break;
                }
                dim++;
            }
            return (ReferenceEquals(view, source) && tensors.Count == 0 ? source.alias() : view, [.. tensors]);
        }
    }
}
