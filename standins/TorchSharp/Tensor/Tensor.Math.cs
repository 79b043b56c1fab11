using B = TorchSharp.Native.Binary;
using Draw = TorchSharp.Native.Draw;
using R = TorchSharp.Native.Reduce;
using T3 = TorchSharp.Native.Ternary;
using U = TorchSharp.Native.Unary;

namespace TorchSharp;

public static partial class torch
{
    // One line a member: the name, and the code of the native operation.
    public partial class Tensor
    {
        private Tensor Apply(U op) => Keep(Native.ts_unary(op, Handle));
        private Tensor Apply_(U op) => Keep(Native.ts_unary_(op, Handle));
        private Tensor Apply(B op, Scalar value) => Keep(Native.ts_scalar(op, Handle, value.kind, value.bits));
        private Tensor Apply_(B op, Scalar value) => Keep(Native.ts_scalar_(op, Handle, value.kind, value.bits));

        private Tensor Apply(B op, Tensor other)
        {
            nint result = Native.ts_binary(op, Handle, other.Handle);
            GC.KeepAlive(other);
            return Keep(result);
        }

        private Tensor Apply_(B op, Tensor other)
        {
            int status = Native.ts_binary_(op, Handle, other.Handle);
            GC.KeepAlive(other);
            return Keep(status);
        }

        private Tensor Apply(T3 op, Tensor a, Tensor b, Scalar? value = null)
        {
            nint result = Native.ts_ternary(op, Handle, a.Handle, b.Handle, value?.kind ?? 0, value?.bits ?? 1);
            GC.KeepAlive(a);
            GC.KeepAlive(b);
            return Keep(result);
        }

        private Tensor Apply_(T3 op, Tensor a, Tensor b, Scalar? value = null)
        {
            int status = Native.ts_ternary_(op, Handle, a.Handle, b.Handle, value?.kind ?? 0, value?.bits ?? 1);
            GC.KeepAlive(a);
            GC.KeepAlive(b);
            return Keep(status);
        }

        private unsafe Tensor Apply(R op, ReadOnlySpan<long> dims, bool keepdim = false, ScalarType? type = null, bool flag = false, double p = 0)
        {
            fixed (long* d = dims)
                return Keep(Native.ts_reduce(op, Handle, d, dims.Length, flag ? 1 : 0, keepdim ? 1 : 0, (int?)type ?? -1, p));
        }

        private unsafe (Tensor, Tensor) Apply(Native.Pair op, long dim, long k, bool flag0, bool flag1)
        {
            nint second = 0;
            Tensor first = Keep(Native.ts_pair(op, Handle, dim, k, flag0 ? 1 : 0, flag1 ? 1 : 0, &second));
            return (first, new Tensor(second));
        }

        // Elementwise, one operand
        public Tensor abs() => Apply(U.abs);
        public Tensor abs_() => Apply_(U.abs);
        public Tensor neg() => Apply(U.neg);
        public Tensor neg_() => Apply_(U.neg);
        public Tensor exp() => Apply(U.exp);
        public Tensor exp_() => Apply_(U.exp);
        public Tensor log() => Apply(U.log);
        public Tensor log_() => Apply_(U.log);
        public Tensor log1p() => Apply(U.log1p);
        public Tensor sqrt() => Apply(U.sqrt);
        public Tensor sqrt_() => Apply_(U.sqrt);
        public Tensor rsqrt() => Apply(U.rsqrt);
        public Tensor square() => Apply(U.square);
        public Tensor reciprocal() => Apply(U.reciprocal);
        public Tensor sigmoid() => Apply(U.sigmoid);
        public Tensor sigmoid_() => Apply_(U.sigmoid);
        public Tensor tanh() => Apply(U.tanh);
        public Tensor tanh_() => Apply_(U.tanh);
        public Tensor relu() => Apply(U.relu);
        public Tensor relu_() => Apply_(U.relu);
        public Tensor silu() => Apply(U.silu);
        public Tensor gelu() => Apply(U.gelu);
        public Tensor leaky_relu(Scalar negative_slope) => Wrap(Native.ts_activation(Native.Activation.leaky_relu, Handle, negative_slope.AsDouble, 0, 0, 0));
        public Tensor elu(Scalar alpha, Scalar scale, Scalar input_scale) => Wrap(Native.ts_activation(Native.Activation.elu, Handle, alpha.AsDouble, scale.AsDouble, input_scale.AsDouble, 0));
        public Tensor isnan() => Apply(U.isnan);
        public Tensor isinf() => Apply(U.isinf);
        public Tensor isfinite() => Apply(U.isfinite);
        public Tensor logical_not() => Apply(U.logical_not);
        public Tensor zero_() => Apply_(U.zero);
        public Tensor fill_(Scalar value) => Apply_(B.fill, value);
        public Tensor detach() => Apply(U.detach);
        public Tensor clone() => Apply(U.clone);
        public Tensor contiguous() => Apply(U.contiguous);
        public Tensor alias() => Apply(U.alias);

        // Arithmetic
        public Tensor add(Tensor target) => Apply(B.add, target);
        public Tensor add(Tensor target, Scalar alpha) => Apply(T3.add, target, target, alpha);
        public Tensor add(Scalar scalar) => Apply(B.add, scalar);
        public Tensor add_(Scalar scalar, Scalar alpha) => Apply_(B.add, (Scalar)(scalar.AsDouble * alpha.AsDouble));
        public Tensor add_(Tensor target) => Apply_(B.add, target);
        public Tensor add_(Tensor target, Scalar alpha) => Apply_(T3.add, target, target, alpha);
        public Tensor add_(Scalar scalar) => Apply_(B.add, scalar);
        public Tensor sub(Tensor target) => Apply(B.sub, target);
        public Tensor sub(Scalar target) => Apply(B.sub, target);
        public Tensor sub_(Tensor target) => Apply_(B.sub, target);
        public Tensor sub_(Scalar target) => Apply_(B.sub, target);
        public Tensor mul(Tensor target) => Apply(B.mul, target);
        public Tensor mul(Scalar target) => Apply(B.mul, target);
        public Tensor mul_(Tensor target) => Apply_(B.mul, target);
        public Tensor mul_(Scalar target) => Apply_(B.mul, target);
        public Tensor div(Tensor target, RoundingMode rounding_mode = RoundingMode.None) => Apply(Exact(B.div, rounding_mode), target);
        public Tensor div(Scalar target, RoundingMode rounding_mode = RoundingMode.None) => Apply(Exact(B.div, rounding_mode), target);
        public Tensor div_(Tensor target, RoundingMode rounding_mode = RoundingMode.None) => Apply_(Exact(B.div, rounding_mode), target);
        public Tensor div_(Scalar target, RoundingMode rounding_mode = RoundingMode.None) => Apply_(Exact(B.div, rounding_mode), target);

        private static B Exact(B op, RoundingMode mode) =>
            mode == RoundingMode.None ? op : throw new NotSupportedException($"The stand-in divides without rounding. Got RoundingMode.{mode}.");

        public Tensor pow(Tensor exponent) => Apply(B.pow, exponent);
        public Tensor pow(Scalar exponent) => Apply(B.pow, exponent);
        public Tensor maximum(Tensor other) => Apply(B.maximum, other);
        public Tensor minimum(Tensor other) => Apply(B.minimum, other);
        public Tensor addcmul(Tensor tensor1, Tensor tensor2, Scalar value) => Apply(T3.addcmul, tensor1, tensor2, value);
        public Tensor addcmul_(Tensor tensor1, Tensor tensor2, Scalar value) => Apply_(T3.addcmul, tensor1, tensor2, value);
        public Tensor addcdiv(Tensor tensor1, Tensor tensor2, Scalar value) => Apply(T3.addcdiv, tensor1, tensor2, value);
        public Tensor addcdiv_(Tensor tensor1, Tensor tensor2, Scalar value) => Apply_(T3.addcdiv, tensor1, tensor2, value);
        public Tensor addcdiv_(Tensor tensor1, Tensor tensor2) => Apply_(T3.addcdiv, tensor1, tensor2);
        public Tensor lerp(Tensor end, Tensor weight) => Apply(T3.lerp, end, weight);
        public Tensor lerp_(Tensor end, Tensor weight) => Apply_(T3.lerp, end, weight);
        public Tensor clamp(Scalar? min = null, Scalar? max = null) => Keep(Clamp(min, max, inPlace: false));
        public Tensor clamp_min(Scalar min) => clamp(min, null);
        public Tensor clamp_max(Scalar max) => clamp(null, max);

        public Tensor clamp_(Scalar? min = null, Scalar? max = null)
        {
            Native.ts_free(Native.Check(Clamp(min, max, inPlace: true)));
            return this;
        }

        private nint Clamp(Scalar? min, Scalar? max, bool inPlace) =>
            Native.ts_clamp(Handle, min is null ? 0 : 1, min?.kind ?? 0, min?.bits ?? 0, max is null ? 0 : 1, max?.kind ?? 0, max?.bits ?? 0, inPlace ? 1 : 0);

        // Comparison and logic
        public Tensor eq(Tensor target) => Apply(B.eq, target);
        public Tensor eq(Scalar target) => Apply(B.eq, target);
        public Tensor ne(Tensor target) => Apply(B.ne, target);
        public Tensor ne(Scalar target) => Apply(B.ne, target);
        public Tensor lt(Tensor target) => Apply(B.lt, target);
        public Tensor lt(Scalar target) => Apply(B.lt, target);
        public Tensor le(Tensor target) => Apply(B.le, target);
        public Tensor le(Scalar target) => Apply(B.le, target);
        public Tensor gt(Tensor target) => Apply(B.gt, target);
        public Tensor gt(Scalar target) => Apply(B.gt, target);
        public Tensor ge(Tensor target) => Apply(B.ge, target);
        public Tensor ge(Scalar target) => Apply(B.ge, target);
        public Tensor logical_and(Tensor other) => Apply(B.logical_and, other);
        public Tensor logical_or(Tensor other) => Apply(B.logical_or, other);
        public Tensor where(Tensor condition, Tensor y) => Apply(T3.where, condition, y);
        public Tensor masked_fill(Tensor mask, Scalar value) => Apply(T3.masked_fill, mask, mask, value);
        public Tensor masked_fill_(Tensor mask, Scalar value) => Apply_(T3.masked_fill, mask, mask, value);

        public bool allclose(Tensor target, double rtol = 1e-05, double atol = 1e-08, bool equal_nan = false)
        {
            int result = Native.ts_allclose(Handle, target.Handle, rtol, atol, equal_nan ? 1 : 0);
            if (result < 0)
                Native.Check(result);
            return result == 1;
        }

        // Reductions
        public Tensor sum(ScalarType? type = null) => type is null ? Apply(U.sum) : Apply(R.sum, [], false, type);
        public Tensor sum(long[] dim, bool keepdim = false, ScalarType? type = null) => Apply(R.sum, dim, keepdim, type);
        public Tensor sum(ReadOnlySpan<long> dim, bool keepdim = false, ScalarType? type = null) => Apply(R.sum, dim, keepdim, type);
        public Tensor sum(long dim, bool keepdim = false, ScalarType? type = null) => Apply(R.sum, [dim], keepdim, type);
        public Tensor mean() => Apply(U.mean);
        public Tensor mean(long[] dimensions, bool keepdim = false, ScalarType? type = null) => Apply(R.mean, dimensions, keepdim, type);
        public Tensor median() => Apply(U.median);
        public Tensor max() => Apply(U.max);
        public (Tensor values, Tensor indexes) max(long dim, bool keepdim = false) => Apply(Native.Pair.max, dim, 0, keepdim, false);
        public Tensor min() => Apply(U.min);
        public (Tensor values, Tensor indexes) min(long dim, bool keepdim = false) => Apply(Native.Pair.min, dim, 0, keepdim, false);
        public Tensor argmax() => Apply(U.argmax);
        public Tensor argmax(long dim, bool keepdim = false) => Apply(R.argmax, [dim], keepdim);
        public Tensor argmin() => Apply(U.argmin);
        public Tensor argmin(long dim, bool keepdim = false) => Apply(R.argmin, [dim], keepdim);
        public Tensor all() => Apply(U.all);
        public Tensor all(long dim, bool keepdim = false) => Apply(R.all, [dim], keepdim);
        public Tensor any() => Apply(U.any);
        public Tensor any(long dim, bool keepdim = false) => Apply(R.any, [dim], keepdim);
        public Tensor std(bool unbiased = true) => Apply(R.std_all, [], flag: unbiased);
        public Tensor std(long dim, bool unbiased = true, bool keepdim = false, ScalarType? type = null) => Apply(R.std, [dim], keepdim, type, unbiased);
        public Tensor var(bool unbiased = true) => Apply(R.var_all, [], flag: unbiased);
        public Tensor var(long dim, bool unbiased = true, bool keepdim = false, ScalarType? type = null) => Apply(R.var, [dim], keepdim, type, unbiased);
        public Tensor norm(float p = 2.0f) => Apply(R.norm_all, [], p: p);
        public Tensor norm(int dim, bool keepdim = false, float p = 2.0f) => Apply(R.norm, [dim], keepdim, p: p);
        public (Tensor Values, Tensor Indices) sort(long dim = -1, bool descending = false, bool stable = false) => Apply(Native.Pair.sort, dim, 0, descending, stable);
        public (Tensor values, Tensor indexes) topk(int k, int dim = -1, bool largest = true, bool sorted = true) => Apply(Native.Pair.topk, dim, k, largest, sorted);

        // Linear algebra and network functions
        public Tensor matmul(Tensor target) => Apply(B.matmul, target);
        public Tensor mm(Tensor target) => Apply(B.mm, target);
        public Tensor bmm(Tensor batch2) => Apply(B.bmm, batch2);
        public Tensor dot(Tensor target) => Apply(B.dot, target);
        public Tensor softmax(long dim, ScalarType? dtype = null) => Keep(Native.ts_softmax(0, Handle, dim, (int?)dtype ?? -1));
        public Tensor log_softmax(long dim, ScalarType? dtype = null) => Keep(Native.ts_softmax(1, Handle, dim, (int?)dtype ?? -1));

        // Random numbers, drawn in place
        private Tensor Draw_(Draw draw, double a, double b, Generator? generator)
        {
            int status = Native.ts_random_(draw, Handle, a, b, generator?.Handle ?? 0);
            GC.KeepAlive(generator);
            return Keep(status);
        }

        public Tensor uniform_(double from, double to, Generator? generator = null) => Draw_(Draw.Uniform, from, to, generator);
        public Tensor normal_(double mean = 0.0, double std = 1.0, Generator? generator = null) => Draw_(Draw.Normal, mean, std, generator);
        public Tensor bernoulli_(double p = 0.5, Generator? generator = null) => Draw_(Draw.Bernoulli, p, 0, generator);
    }
}
