using B = TorchSharp.Native.Binary;
using T3 = TorchSharp.Native.Ternary;
using U = TorchSharp.Native.Unary;

namespace TorchSharp;

public static partial class torch
{
    // One line a member: the name, and the code of the native operation.
    public partial class Tensor
    {
        private Tensor Apply(U op) => Keep(Native.ts_unary(op, Handle));
        private Tensor Apply(B op, Scalar value) => Keep(Native.ts_scalar(op, Handle, value.Value));
        private Tensor Apply_(B op, Scalar value) => Keep(Native.ts_scalar_(op, Handle, value.Value));

        private Tensor Apply(B op, Tensor other, double alpha = 1)
        {
            nint result = Native.ts_binary(op, Handle, other.Handle, alpha);
            GC.KeepAlive(other);
            return Keep(result);
        }

        private Tensor Apply_(T3 op, Tensor a, Tensor b, Scalar value)
        {
            int status = Native.ts_ternary_(op, Handle, a.Handle, b.Handle, value.Value);
            GC.KeepAlive(a);
            GC.KeepAlive(b);
            return Keep(status);
        }

        public Tensor sqrt() => Apply(U.sqrt);
        public Tensor sigmoid() => Apply(U.sigmoid);
        public Tensor tanh() => Apply(U.tanh);
        public Tensor relu() => Apply(U.relu);
        public Tensor silu() => Apply(U.silu);
        public Tensor gelu() => Apply(U.gelu);
        public Tensor leaky_relu(Scalar negative_slope) => Keep(Native.ts_leaky_relu(Handle, negative_slope.Value));
        public Tensor elu(Scalar alpha, Scalar scale, Scalar input_scale) => Keep(Native.ts_elu(Handle, alpha.Value, scale.Value, input_scale.Value));
        public Tensor softmax(long dim, ScalarType? dtype = null) => Keep(Native.ts_softmax(Handle, dim, (int?)dtype ?? -1));
        public Tensor mean() => Apply(U.mean);
        public Tensor sum(ScalarType? type = null) => Keep(Native.ts_sum(Handle, (int?)type ?? -1));
        public Tensor ge(Scalar target) => Apply(B.ge, target);
        public Tensor detach() => Apply(U.detach);
        public Tensor clone() => Apply(U.clone);
        public Tensor contiguous() => Apply(U.contiguous);
        public Tensor alias() => Apply(U.alias);

        public Tensor add(Tensor target) => Apply(B.add, target);
        public Tensor add(Tensor target, Scalar alpha) => Apply(B.add, target, alpha.Value);
        public Tensor add(Scalar scalar) => Apply(B.add, scalar);
        public Tensor add_(Tensor target, Scalar alpha) => Apply_(T3.add, target, target, alpha);
        public Tensor add_(Scalar scalar, Scalar alpha) => Apply_(B.add, scalar.Value * alpha.Value);
        public Tensor sub(Tensor target) => Apply(B.sub, target);
        public Tensor mul(Tensor target) => Apply(B.mul, target);
        public Tensor mul(Scalar target) => Apply(B.mul, target);
        public Tensor mul_(Scalar target) => Apply_(B.mul, target);
        public Tensor addcmul_(Tensor tensor1, Tensor tensor2, Scalar value) => Apply_(T3.addcmul, tensor1, tensor2, value);
        public Tensor addcdiv_(Tensor tensor1, Tensor tensor2, Scalar value) => Apply_(T3.addcdiv, tensor1, tensor2, value);

        public unsafe Tensor reshape(params long[] shape)
        {
            fixed (long* s = shape)
                return Keep(Native.ts_reshape(Handle, s, shape.Length));
        }

        public Tensor narrow(long dim, long start, long length) => Keep(Native.ts_narrow(Handle, dim, start, length));

        public Tensor uniform_(double from, double to, Generator? generator = null)
        {
            int status = Native.ts_uniform_(Handle, from, to, generator?.Handle ?? 0);
            GC.KeepAlive(generator);
            return Keep(status);
        }
    }
}
