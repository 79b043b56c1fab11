using TorchSharp.Modules;

namespace TorchSharp;

/// <summary>Entry point, named as in Python.</summary>
public static partial class torch
{
    public static readonly Device CPU = new(DeviceType.CPU);

    public static DisposeScope NewDisposeScope() => DisposeScopeManager.Current.Open();

    public static IDisposable no_grad() => new GradMode(false);
    public static IDisposable enable_grad(bool enabled = true) => new GradMode(enabled);
    public static IDisposable set_grad_enabled(bool mode = true) => new GradMode(mode);
    public static IDisposable inference_mode(bool mode = true) => new InferenceMode(mode);
    public static bool is_grad_enabled() => Native.ts_grad_mode(-1) != 0;
    public static bool is_inference_mode_enabled() => Native.ts_inference_mode() != 0;

    public static void set_num_threads(int num) => Native.ts_threads(num);
    public static int get_num_threads() => Native.ts_threads(0);

    public static ScalarType get_default_dtype() => ScalarType.Float32;

    public static Device device(string description) => InitializeDevice(new Device(description));
    public static Device device(string deviceType, int index = -1) => InitializeDevice(new Device(deviceType, index));
    public static Device device(DeviceType deviceType, int index = -1) => InitializeDevice(new Device(deviceType, index));

    public static Device InitializeDevice(Device? device)
    {
        device ??= CPU;
        InitializeDeviceType(device.type);
        return device;
    }

    /// <summary>Loads the native library, so that a missing one shows here.</summary>
    public static void InitializeDeviceType(DeviceType deviceType)
    {
        if (!TryInitializeDeviceType(deviceType))
            throw new InvalidOperationException($"Torch device type {deviceType} did not initialise on the current machine.");
    }

    public static bool TryInitializeDeviceType(DeviceType deviceType)
    {
        _ = Native.ts_threads(0);
        return deviceType == DeviceType.CPU;
    }

    public static Generator manual_seed(long seed) => random.manual_seed(seed);

    /// <summary>A device: type and index; index −1 is the current one.</summary>
    public class Device
    {
        public Device(string description)
        {
            string[] parts = description.Split(':');
            type = Enum.Parse<DeviceType>(parts[0], ignoreCase: true);
            index = parts.Length > 1 ? int.Parse(parts[1], System.Globalization.CultureInfo.InvariantCulture) : -1;
        }

        public Device(string deviceType, int index = -1) : this(Enum.Parse<DeviceType>(deviceType, ignoreCase: true), index) { }

        public Device(DeviceType deviceType, int index = -1)
        {
            type = deviceType;
            this.index = index;
        }

        public DeviceType type { get; }
        public int index { get; }

        public override string ToString() => type == DeviceType.CPU ? "cpu" : index < 0 ? "cuda" : $"cuda:{index}";

        public static implicit operator Device(string description) => new(description);
    }

    /// <summary>The global generator. The product never uses it.</summary>
    public static class random
    {
        public static Generator manual_seed(long seed) => Generator.Default.manual_seed(seed);
        public static Tensor get_rng_state() => Generator.Default.get_state();
        public static void set_rng_state(Tensor new_state) => Generator.Default.set_state(new_state);
    }

    /// <summary>The stand-in never has a CUDA device.</summary>
    public static class cuda
    {
        public static bool is_available() => TryInitializeDeviceType(DeviceType.CUDA);
        public static int device_count() => 0;
        public static bool is_cudnn_available() => false;
    }

    private sealed class GradMode : IDisposable
    {
        private readonly int _previous = Native.ts_grad_mode(-1);

        internal GradMode(bool enabled) => _ = Native.ts_grad_mode(enabled ? 1 : 0);

        public void Dispose() => _ = Native.ts_grad_mode(_previous);
    }

    private sealed class InferenceMode : IDisposable
    {
        private nint _guard;

        internal InferenceMode(bool enabled) => _guard = Native.Check(Native.ts_inference_guard(enabled ? 1 : 0));

        public void Dispose()
        {
            if (_guard != 0)
                Native.ts_inference_release(_guard);
            _guard = 0;
        }
    }
}
