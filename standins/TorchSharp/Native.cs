using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace TorchSharp;

/// <summary>Flat C interface of libTorchSharpStandin.so (native/standin.cpp). Handles are owned at::Tensor pointers; 0 or a non-zero status means an error text waits in ts_last_error.</summary>
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
    [DllImport(Library), SuppressGCTransition] internal static extern void ts_sizes(nint t, long* sizes);
    [DllImport(Library), SuppressGCTransition] internal static extern void* ts_data(nint t);
    [DllImport(Library)] internal static extern int ts_set_requires_grad(nint t, int value);

    // Creation
    [DllImport(Library)] internal static extern nint ts_create(Fill fill, long* sizes, int count, int dtype, nint generator);
    [DllImport(Library)] internal static extern int ts_uniform_(nint t, double from, double to, nint generator);
    [DllImport(Library)] internal static extern int ts_copy_(nint t, nint source, int nonBlocking);
    [DllImport(Library)] internal static extern nint ts_to_type(nint t, int dtype);

    // Operations, by code
    [DllImport(Library)] internal static extern nint ts_unary(Unary op, nint t);
    [DllImport(Library)] internal static extern nint ts_binary(Binary op, nint a, nint b, double alpha);
    [DllImport(Library)] internal static extern nint ts_scalar(Binary op, nint a, double value);
    [DllImport(Library)] internal static extern int ts_scalar_(Binary op, nint a, double value);
    [DllImport(Library)] internal static extern int ts_ternary_(Ternary op, nint a, nint b, nint c, double value);
    [DllImport(Library)] internal static extern nint ts_sum(nint t, int dtype);
    [DllImport(Library)] internal static extern nint ts_reshape(nint t, long* shape, int count);
    [DllImport(Library)] internal static extern nint ts_narrow(nint t, long dim, long start, long length);

    // Network functions
    [DllImport(Library)] internal static extern nint ts_linear(nint x, nint weight, nint bias);
    [DllImport(Library)] internal static extern nint ts_softmax(nint x, long dim, int dtype);
    [DllImport(Library)] internal static extern nint ts_leaky_relu(nint x, double slope);
    [DllImport(Library)] internal static extern nint ts_elu(nint x, double alpha, double scale, double inputScale);
    [DllImport(Library)] internal static extern nint ts_cross_entropy(nint x, nint y, nint weight, long reduction, long ignoreIndex, double smoothing);
    [DllImport(Library)] internal static extern nint ts_huber(nint x, nint y, long reduction, double delta);
    [DllImport(Library)] internal static extern nint ts_bce_with_logits(nint x, nint y, nint weight, nint positive, long reduction);
    [DllImport(Library)] internal static extern nint ts_batch_norm(nint x, nint weight, nint bias, nint mean, nint variance, int train, double momentum, double eps);
    [DllImport(Library)] internal static extern nint ts_layer_norm(nint x, long* shape, int count, nint weight, nint bias, double eps);

    // Gradients, threads, generators
    [DllImport(Library)] internal static extern int ts_grad(nint* outputs, int count, nint* inputs, int inputCount, nint* gradients, int gradientCount, int retain, int create, int allowUnused, nint* results);
    [DllImport(Library)] internal static extern int ts_grad_mode(int set);
    [DllImport(Library)] internal static extern int ts_threads(int set);
    [DllImport(Library)] internal static extern nint ts_generator(int global, ulong seed);
    [DllImport(Library)] internal static extern void ts_generator_free(nint g);
    [DllImport(Library)] internal static extern void ts_generator_seed(nint g, ulong seed);

    // Operation codes: same order as the lists in native/standin.cpp.
    internal enum Info { Dimensions, Elements, Type, RequiresGrad, Contiguous, ElementSize }
    internal enum Fill { Empty, Zeros, Ones, Uniform }
    internal enum Unary { sqrt, sigmoid, tanh, relu, silu, gelu, mean, detach, clone, contiguous, alias }
    internal enum Binary { add, sub, mul, ge }
    internal enum Ternary { addcmul, addcdiv, add }
}
