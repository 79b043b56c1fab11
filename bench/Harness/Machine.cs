using System.Reflection;
using System.Runtime.InteropServices;

namespace Microsoft.ML.ForwardSampling.Benchmarks;

/// <summary>Where figures were measured: without it they say little.</summary>
internal static class Machine
{
    /// <summary>Processor, cores, load of the last minute, system and versions.</summary>
    public static string Line()
        => $"# {Processor()}, {Environment.ProcessorCount} cores, load {Load()}, {RuntimeInformation.OSDescription}, "
            + $"{RuntimeInformation.FrameworkDescription}, Microsoft.ML {Version(typeof(MLContext))}, TorchSharp "
            + $"{Version(typeof(TorchSharp.torch))}";

    private static string Processor()
        => Read("/proc/cpuinfo").FirstOrDefault(line => line.StartsWith("model name", StringComparison.Ordinal))?.Split(':')[1].Trim()
            ?? RuntimeInformation.ProcessArchitecture.ToString();

    private static string Load() => Read("/proc/loadavg").FirstOrDefault()?.Split(' ')[0] ?? "unknown";

    private static IEnumerable<string> Read(string path) => File.Exists(path) ? File.ReadLines(path) : [];

    private static string Version(Type type)
        => type.Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion.Split('+')[0] ?? "unknown";
}
