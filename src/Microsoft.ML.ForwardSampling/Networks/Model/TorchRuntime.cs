using TorchSharp;
using static TorchSharp.torch;

namespace Microsoft.ML.ForwardSampling.Networks;

/// <summary>The first touch of torch: turns a missing native library or device into one clear message.</summary>
internal static class TorchRuntime
{
    /// <summary>The named device, checked.</summary>
    /// <param name="name"><c>cpu</c>, <c>cuda</c> or <c>cuda:N</c>.</param>
    /// <exception cref="DllNotFoundException">The native library cannot be loaded; the message says which of the causes in docs/install.md
    /// it is.</exception>
    /// <exception cref="InvalidOperationException">The device is not there.</exception>
    public static Device GetDevice(string name)
    {
        try
        {
            bool isCuda = name.StartsWith("cuda", StringComparison.Ordinal);
            if (isCuda && !cuda.is_available())
                throw new InvalidOperationException(
                    $"Device '{name}' was asked for, but torch finds no CUDA device. Use Device = \"cpu\", or reference "
                    + $"TorchSharp-cuda-linux or TorchSharp-cuda-windows on a machine with an NVIDIA driver.");
            Device found = device(name);
            if (isCuda && found.index >= cuda.device_count())
                throw new InvalidOperationException(
                    $"Device '{name}' was asked for, but torch finds {cuda.device_count()} CUDA device(s): cuda:0 to "
                    + $"cuda:{cuda.device_count() - 1}.");
            using Tensor probe = zeros(1, device: found);
            return found;
        }
        catch (Exception e) when (Unwrap(e) is DllNotFoundException or NotSupportedException or EntryPointNotFoundException)
        {
            throw new DllNotFoundException(TorchLoadFailure.Find().Message, e);
        }
    }

    /// <summary>The tensor on a device: itself where it is there already, else a copy.</summary>
    /// <remarks>By copying into a new tensor: the overloads of <c>Tensor.to</c> differ between releases of TorchSharp.</remarks>
    public static Tensor Move(Tensor tensor, Device device)
        => tensor.device_type == device.type && tensor.device_index == device.index ? tensor
            : empty(tensor.shape, dtype: tensor.dtype, device: device).copy_(tensor);

    // torch's static constructor wraps what its loader throws.
    private static Exception Unwrap(Exception e) => e is TypeInitializationException { InnerException: { } inner } ? Unwrap(inner) : e;
}

#pragma warning disable RS0030 // the one place that may: it puts the user's settings back
/// <summary>What the user's process has set in torch, kept out of a Fit and put back behind it: the number of threads, and on this thread
/// whether gradients are recorded.</summary>
internal sealed class TorchSettings : IDisposable
{
    private static readonly Lock s_gate = new();
    private static int s_open;
    private static int s_usersThreads;

    private readonly bool _setsThreads;
    private readonly IDisposable _inference = inference_mode(false);
    private readonly IDisposable _gradients = enable_grad(true);

    /// <param name="threads">Threads, or null to leave torch's own setting.</param>
    public TorchSettings(int? threads)
    {
        _setsThreads = threads is not null;
        if (threads is not { } n)
            return;
        lock (s_gate)
        {
            // The number is the process's: of several that overlap, each ends by putting back what was there before the first.
            if (s_open++ == 0)
                s_usersThreads = get_num_threads();
            set_num_threads(n);
        }
    }

    /// <summary>The number of threads that the user has set.</summary>
    public static int UsersThreads
    {
        get
        {
            lock (s_gate)
                return s_open > 0 ? s_usersThreads : get_num_threads();
        }
    }

    public void Dispose()
    {
        _gradients.Dispose();
        _inference.Dispose();
        if (!_setsThreads)
            return;
        lock (s_gate)
        {
            s_open--;
            set_num_threads(s_usersThreads);
        }
    }
}
#pragma warning restore RS0030
