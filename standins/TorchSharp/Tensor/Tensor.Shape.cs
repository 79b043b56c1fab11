using System.Runtime.CompilerServices;
using S = TorchSharp.Native.Shape;
using X = TorchSharp.Native.Indexed;

namespace TorchSharp;

public static partial class torch
{
    public unsafe partial class Tensor
    {
        private Tensor Apply(S op, ReadOnlySpan<long> args)
        {
            fixed (long* a = args)
                return Keep(Native.ts_shape(op, Handle, a, args.Length));
        }

        private Tensor Apply(X op, long dim, Tensor index, Tensor? source = null, Scalar? alpha = null)
        {
            nint result = Native.ts_indexed(op, Handle, dim, index.Handle, source?.Handle ?? 0, alpha?.AsDouble ?? 1);
            GC.KeepAlive(index);
            GC.KeepAlive(source);
            return Keep(result);
        }

        private Tensor Apply_(X op, long dim, Tensor index, Tensor source, Scalar? alpha = null)
        {
            int status = Native.ts_indexed_(op, Handle, dim, index.Handle, source.Handle, alpha?.AsDouble ?? 1);
            GC.KeepAlive(index);
            GC.KeepAlive(source);
            return Keep(status);
        }

        public Tensor view(params long[] shape) => Apply(S.view, shape);
        public Tensor reshape(params long[] shape) => Apply(S.reshape, shape);
        public Tensor permute(params long[] permutation) => Apply(S.permute, permutation);
        public Tensor expand(params long[] sizes) => Apply(S.expand, sizes);
        public Tensor t() => Apply(Native.Unary.t);
        public Tensor T => t();
        public Tensor transpose(long dim0, long dim1) => Apply(S.transpose, [dim0, dim1]);
        public Tensor squeeze(long? dim = null) => Apply(S.squeeze, dim is long d ? [d] : []);
        public Tensor unsqueeze(long dim) => Apply(S.unsqueeze, [dim]);
        public Tensor flatten(long start_dim = 0, long end_dim = -1) => Apply(S.flatten, [start_dim, end_dim]);
        public Tensor narrow(long dim, long start, long length) => Apply(S.narrow, [dim, start, length]);
        public Tensor slice(long dim, long start, long finish, long step) => Apply(S.slice, [dim, start, finish, step]);
        public Tensor select(long dim, long index) => Apply(S.select, [dim, index]);
        public Tensor nonzero() => Apply(Native.Unary.nonzero);
        public Tensor index_select(long dim, Tensor index) => Apply(X.index_select, dim, index);
        public Tensor gather(long dim, Tensor index) => Apply(X.gather, dim, index);
        public Tensor masked_select(Tensor mask) => Apply(X.masked_select, 0, mask);
        public Tensor scatter(long dim, Tensor index, Tensor src) => Apply(X.scatter, dim, index, src);
        public Tensor scatter_(long dim, Tensor index, Tensor src) => Apply_(X.scatter, dim, index, src);
        public Tensor index_add_(long dim, Tensor index, Tensor source, Scalar alpha) => Apply_(X.index_add, dim, index, source, alpha);

        public Tensor[] split(long size, int dim = 0)
        {
            long length = this.size(dim);
            var parts = new Tensor[(length + size - 1) / size];
            for (int i = 0; i < parts.Length; i++)
                parts[i] = narrow(dim, i * size, Math.Min(size, length - i * size));
            return parts;
        }

        // Indexing: views where the index allows it, as in Python.

        [IndexerName("TensorItems")]
        public Tensor this[params TensorIndex[] indices]
        {
            get => index(indices);
            set => index_put_(value, indices);
        }

        [IndexerName("TensorItems")]
        public Tensor this[params Tensor[] indices]
        {
            get => index(indices);
            set => index_put_(value, indices);
        }

        [IndexerName("TensorItems")]
        public Tensor this[long i1]
        {
            get => select(0, i1);
            set => index_put_(value, TensorIndex.Single(i1));
        }

        [IndexerName("TensorItems")]
        public Tensor this[long i1, long i2]
        {
            get => index(TensorIndex.Single(i1), TensorIndex.Single(i2));
            set => index_put_(value, TensorIndex.Single(i1), TensorIndex.Single(i2));
        }

        public Tensor index(params TensorIndex[] indices)
        {
            (Tensor view, nint[] tensors) = TensorIndex.View(this, indices);
            return tensors.Length == 0 ? view : view.Gather(tensors);
        }

        public Tensor index(params Tensor[] indices) => Gather(Handles(indices));

        public Tensor index_put_(Tensor value, params TensorIndex[] indices)
        {
            (Tensor view, nint[] tensors) = TensorIndex.View(this, indices);
            _ = tensors.Length == 0 ? view.copy_(value) : view.Put(tensors, value);
            return this;
        }

        public Tensor index_put_(Tensor value, params Tensor[] indices) => Put(Handles(indices), value);

        private Tensor Gather(nint[] indices)
        {
            fixed (nint* i = indices)
                return Keep(Native.ts_index(Handle, i, indices.Length));
        }

        private Tensor Put(nint[] indices, Tensor value)
        {
            fixed (nint* i = indices)
                return Keep(Native.ts_index_put(Handle, i, indices.Length, value.Handle));
        }
    }
}
