using System.Globalization;

namespace TorchSharp;

/// <summary>Entry point, named as in Python.</summary>
public static partial class torch
{
    public static readonly Device CPU = new(DeviceType.CPU);

    public static DisposeScope NewDisposeScope() => DisposeScopeManager.Current.Open();

    public static IDisposable no_grad() => new NoGradient();

    public static void set_num_threads(int num) => Native.ts_threads(num);
    public static int get_num_threads() => Native.ts_threads(0);

    public static Device device(string description) => InitializeDevice(new Device(description));

    /// <summary>Loads the native library, so that a missing one shows here.</summary>
    public static Device InitializeDevice(Device? device)
    {
        device ??= CPU;
        _ = Native.ts_threads(0);
        return device.type == DeviceType.CPU ? device : throw new InvalidOperationException($"Torch device type {device.type} did not initialise on the current machine.");
    }

    public static Generator manual_seed(long seed) => random.manual_seed(seed);

    /// <summary>A device: type and index; index −1 is the current one.</summary>
    public class Device
    {
        public Device(string description)
        {
            string[] parts = description.Split(':');
            type = Enum.Parse<DeviceType>(parts[0], ignoreCase: true);
            index = parts.Length > 1 ? int.Parse(parts[1], CultureInfo.InvariantCulture) : -1;
        }

        public Device(DeviceType deviceType, int index = -1)
        {
            type = deviceType;
            this.index = index;
        }

        public DeviceType type { get; }
        public int index { get; }

        public override string ToString() => type == DeviceType.CPU ? "cpu" : index < 0 ? "cuda" : $"cuda:{index}";
    }

    /// <summary>The global generator. The product never uses it.</summary>
    public static class random
    {
        public static Generator manual_seed(long seed) => Generator.Default.manual_seed(seed);
    }

    /// <summary>The stand-in never has a CUDA device.</summary>
    public static class cuda
    {
        public static bool is_available() => InitializeDevice(CPU).type == DeviceType.CUDA;
        public static int device_count() => 0;
    }

    private sealed class NoGradient : IDisposable
    {
        private readonly int _previous = Native.ts_grad_mode(0);

        public void Dispose() => _ = Native.ts_grad_mode(_previous);
    }
}
