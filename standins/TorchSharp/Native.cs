using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace TorchSharp;

/// <summary>Flat C interface of libTorchSharpStandin.so (native/standin.h). Handles are owned at::Tensor pointers; 0 or a non-zero status means an error text waits in ts_last_error.</summary>
internal static unsafe class Native
{
    private const string Library = "TorchSharpStandin";

    internal static nint Check(nint handle) => handle != 0 ? handle : throw Failure();

    internal static void Check(int status)
    {
        if (status != 0)
            throw Failure();
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static ExternalException Failure() => new(Marshal.PtrToStringUTF8((nint)ts_last_error()) ?? "libtorch failed without a message.");

    [DllImport(Library)] private static extern byte* ts_last_error();
    [DllImport(Library)] internal static extern void ts_free(nint t);

    // Facts about a tensor: short, never block, never call back.
    [DllImport(Library), SuppressGCTransition] internal static extern long ts_info(Info what, nint t);
    [DllImport(Library), SuppressGCTransition] internal static extern long ts_size(nint t, int dim);
    [DllImport(Library), SuppressGCTransition] internal static extern void ts_sizes(nint t, long* sizes, long* strides);
    [DllImport(Library), SuppressGCTransition] internal static extern void* ts_data(nint t);
    [DllImport(Library)] internal static extern int ts_set_requires_grad(nint t, int value);
    [DllImport(Library)] internal static extern int ts_item(nint t, int* kind, long* bits);

    // Creation
    [DllImport(Library)] internal static extern nint ts_create(Fill fill, long* sizes, int count, int dtype, int kind, long bits, nint generator, int requiresGrad);
    [DllImport(Library)] internal static extern nint ts_create_like(Fill fill, nint t, int dtype, int kind, long bits, int requiresGrad);
    [DllImport(Library)] internal static extern nint ts_arange(int kind0, long bits0, int kind1, long bits1, int kind2, long bits2, int dtype);
    [DllImport(Library)] internal static extern nint ts_randperm(long n, int dtype, nint generator);
    [DllImport(Library)] internal static extern nint ts_randint(long low, long high, long* sizes, int count, int dtype, nint generator);
    [DllImport(Library)] internal static extern int ts_random_(Draw draw, nint t, double a, double b, nint generator);

    // Operations, by code
    [DllImport(Library)] internal static extern nint ts_unary(Unary op, nint t);
    [DllImport(Library)] internal static extern int ts_unary_(Unary op, nint t);
    [DllImport(Library)] internal static extern nint ts_binary(Binary op, nint a, nint b);
    [DllImport(Library)] internal static extern int ts_binary_(Binary op, nint a, nint b);
    [DllImport(Library)] internal static extern nint ts_scalar(Binary op, nint a, int kind, long bits);
    [DllImport(Library)] internal static extern int ts_scalar_(Binary op, nint a, int kind, long bits);
    [DllImport(Library)] internal static extern nint ts_ternary(Ternary op, nint a, nint b, nint c, int kind, long bits);
    [DllImport(Library)] internal static extern int ts_ternary_(Ternary op, nint a, nint b, nint c, int kind, long bits);
    [DllImport(Library)] internal static extern nint ts_reduce(Reduce op, nint t, long* dims, int count, int flag, int keepdim, int dtype, double p);
    [DllImport(Library)] internal static extern nint ts_pair(Pair op, nint t, long dim, long k, int flag0, int flag1, nint* second);
    [DllImport(Library)] internal static extern nint ts_shape(Shape op, nint t, long* args, int count);
    [DllImport(Library)] internal static extern nint ts_indexed(Indexed op, nint t, long dim, nint index, nint source, double alpha);
    [DllImport(Library)] internal static extern int ts_indexed_(Indexed op, nint t, long dim, nint index, nint source, double alpha);
    [DllImport(Library)] internal static extern nint ts_index(nint t, nint* indices, int count);
    [DllImport(Library)] internal static extern int ts_index_put(nint t, nint* indices, int count, nint value);
    [DllImport(Library)] internal static extern nint ts_join(int stack, nint* tensors, int count, long dim);
    [DllImport(Library)] internal static extern int ts_copy_(nint t, nint source, int nonBlocking);
    [DllImport(Library)] internal static extern nint ts_to_type(nint t, int dtype);
    [DllImport(Library)] internal static extern nint ts_clamp(nint t, int hasMin, int kind0, long bits0, int hasMax, int kind1, long bits1, int inPlace);
    [DllImport(Library)] internal static extern int ts_allclose(nint a, nint b, double rtol, double atol, int equalNan);

    // Network functions
    [DllImport(Library)] internal static extern nint ts_linear(nint x, nint weight, nint bias);
    [DllImport(Library)] internal static extern nint ts_softmax(int log, nint x, long dim, int dtype);
    [DllImport(Library)] internal static extern nint ts_activation(Activation op, nint x, double a, double b, double c, int inPlace);
    [DllImport(Library)] internal static extern nint ts_dropout(nint x, double p, int train, int inPlace);
    [DllImport(Library)] internal static extern nint ts_loss(Loss op, nint x, nint y, nint weight, nint positive, long reduction, long ignoreIndex, double p);
    [DllImport(Library)] internal static extern nint ts_batch_norm(nint x, nint weight, nint bias, nint mean, nint variance, int train, double momentum, double eps);
    [DllImport(Library)] internal static extern nint ts_layer_norm(nint x, long* shape, int count, nint weight, nint bias, double eps);
    [DllImport(Library)] internal static extern nint ts_conv2d(nint x, nint weight, nint bias, long* stridePaddingDilation, long groups);
    [DllImport(Library)] internal static extern nint ts_max_pool2d(nint x, long* sizeStridePaddingDilation, int ceil);
    [DllImport(Library)] internal static extern nint ts_one_hot(nint x, long classes);

    // Gradients, optimizers, modes
    [DllImport(Library)] internal static extern int ts_backward(nint* outputs, int count, nint* gradients, int gradientCount, int retain, int create, nint* inputs, int inputCount);
    [DllImport(Library)] internal static extern int ts_grad(nint* outputs, int count, nint* inputs, int inputCount, nint* gradients, int gradientCount, int retain, int create, int allowUnused, nint* results);
    [DllImport(Library)] internal static extern int ts_retain_grad(nint t);
    [DllImport(Library)] internal static extern int ts_zero_grad(nint* parameters, int count);
    [DllImport(Library)] internal static extern int ts_clip_grad(nint* parameters, int count, double limit, double p, double* norm);
    [DllImport(Library)] internal static extern int ts_sgd(nint* parameters, nint* buffers, int count, double lr, double momentum, double dampening, double decay, int nesterov, int maximize);
    [DllImport(Library)] internal static extern int ts_adam(nint* parameters, nint* averages, nint* squares, nint* maxima, long* steps, int count, double lr, double beta1, double beta2, double eps, double decay, int decoupled, int maximize);
    [DllImport(Library)] internal static extern int ts_grad_mode(int set);
    [DllImport(Library)] internal static extern nint ts_inference_guard(int enabled);
    [DllImport(Library)] internal static extern void ts_inference_release(nint guard);
    [DllImport(Library)] internal static extern int ts_inference_mode();
    [DllImport(Library)] internal static extern int ts_threads(int set);

    // Generators
    [DllImport(Library)] internal static extern nint ts_generator(int global, ulong seed);
    [DllImport(Library)] internal static extern void ts_generator_free(nint g);
    [DllImport(Library)] internal static extern ulong ts_generator_seed(nint g, int set, ulong seed);
    [DllImport(Library)] internal static extern nint ts_generator_state(nint g);
    [DllImport(Library)] internal static extern int ts_generator_set_state(nint g, nint state);

    // Operation codes: same order as the lists in native/standin.h.
    internal enum Info { Dimensions, Elements, Type, RequiresGrad, IsLeaf, Contiguous, ElementSize, StorageOffset }
    internal enum Fill { Empty, Zeros, Ones, Full, Uniform, Normal }
    internal enum Draw { Uniform, Normal, Bernoulli }
    internal enum Unary
    {
        abs, neg, exp, log, log1p, sqrt, rsqrt, square, reciprocal, sigmoid, tanh, relu, logical_not, zero,
        silu, gelu, isnan, isinf, isfinite, detach, clone, contiguous, t, alias, nonzero, sum, mean, max, min, all, any, argmax, argmin, median,
    }
    internal enum Binary { add, sub, mul, div, pow, eq, ne, lt, le, gt, ge, maximum, minimum, logical_and, logical_or, matmul, mm, bmm, dot, rsub, fill }
    internal enum Ternary { addcmul, addcdiv, lerp, add, where, masked_fill }
    internal enum Reduce { sum, mean, all, any, argmax, argmin, std, var, norm, std_all, var_all, norm_all }
    internal enum Pair { max, min, sort, topk }
    internal enum Shape { view, reshape, permute, expand, transpose, squeeze, unsqueeze, narrow, slice, select, flatten }
    internal enum Indexed { index_select, gather, scatter, index_add, masked_select }
    internal enum Activation { leaky_relu, elu, softplus }
    internal enum Loss { cross_entropy, nll, mse, l1, smooth_l1, huber, bce, bce_with_logits }
}
