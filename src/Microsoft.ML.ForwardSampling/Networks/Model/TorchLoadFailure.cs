using System.Buffers.Binary;
using System.Runtime.InteropServices;
using System.Text.RegularExpressions;

namespace Microsoft.ML.ForwardSampling.Networks;

/// <summary>Why torch's native library could not be loaded, and what to do: docs/install.md has the same list.</summary>
/// <param name="Platform">This process's, as a runtime identifier: <c>linux-x64</c>.</param>
/// <param name="BindingPath">TorchSharp's own native library; null where it was not found.</param>
/// <param name="TorchPath">libtorch's; null where it was not found.</param>
/// <param name="BuiltFor">The processor of the first library found that is not this process's; null where all are.</param>
/// <param name="LoaderMessage">What the operating system's loader says; null where nothing was there to load.</param>
internal sealed partial record TorchLoadFailure(string Platform, string? BindingPath, string? TorchPath, string? BuiltFor,
    string? LoaderMessage)
{
    private const string SeeAlso = "See docs/install.md.";

    // What TorchSharp-cpu 0.107.0 has libtorch for.
    private static readonly string[] Platforms = ["linux-x64", "osx-arm64", "win-x64"];

    /// <summary>One cause and its remedy.</summary>
    public string Message
    {
        get
        {
            if (!Platforms.Contains(Platform))
                return $"There is no libtorch package for this process, {Platform}: TorchSharp-cpu has it for "
                    + $"{string.Join(", ", Platforms)}. {SeeAlso}";
            if (BuiltFor is not null)
                return $"Torch's native library is for another processor: {BindingPath ?? TorchPath} is for {BuiltFor}, and this process "
                    + $"is {Platform}. Build or publish the program for {Platform}. {SeeAlso}";
            if (LoaderMessage is not null && MissingVersions().Match(LoaderMessage) is { Success: true } match)
            {
                string library = match.Groups[1].Value.Trim(), version = match.Groups[2].Value;
                return version.StartsWith("GLIBC_", StringComparison.Ordinal)
                    ? $"This system's C library is too old for torch: {library} lacks {version}. Use a newer system or container image. "
                        + $"{SeeAlso}"
                    : $"This system's libstdc++ is too old for torch: {library} lacks {version}, for which "
                        + $"{Path.GetFileName(BindingPath)} asks. Set <AllowOldLibstdcxx>true</AllowOldLibstdcxx> in the program's "
                        + $"project and build it again, or use a system whose libstdc++ is that of GCC 13 or later. {SeeAlso}";
            }

            if (TorchPath is null || BindingPath is null)
                return $"Torch's native library is missing: there is no "
                    + $"{(TorchPath is null ? LibraryName("torch_cpu") : LibraryName("LibTorchSharp"))} beside the program. Reference "
                    + $"TorchSharp-cpu in the program's project, or, for an NVIDIA GPU, TorchSharp-cuda-linux or "
                    + $"TorchSharp-cuda-windows. {SeeAlso}{(LoaderMessage is null ? "" : $" ({LoaderMessage})")}";
            return $"Torch's native library could not be loaded from {BindingPath}: {LoaderMessage ?? "the loader says nothing more"}. "
                + $"{SeeAlso}";
        }
    }

    /// <summary>Looks for the libraries where the runtime does, and asks the loader about them.</summary>
    public static TorchLoadFailure Find()
    {
        string[] folders =
        [
            AppContext.BaseDirectory,
            Path.Combine(AppContext.BaseDirectory, "runtimes", PlatformName, "native"),
            .. (AppContext.GetData("NATIVE_DLL_SEARCH_DIRECTORIES") as string ?? "")
                .Split(Path.PathSeparator, StringSplitOptions.RemoveEmptyEntries),
            .. (Environment.GetEnvironmentVariable("LD_LIBRARY_PATH") ?? "")
                .Split(Path.PathSeparator, StringSplitOptions.RemoveEmptyEntries),
        ];
        string? binding = Locate("LibTorchSharp"), torch = Locate("torch_cpu");
        string? builtFor = new[] { binding, torch }.OfType<string>().Select(ProcessorOf)
            .FirstOrDefault(p => p is not null && p != ProcessorName);
        return new TorchLoadFailure(PlatformName, binding, torch, builtFor, builtFor is null ? Load(torch) ?? Load(binding) : null);

        string? Locate(string name) => folders.Select(folder => Path.Combine(folder, LibraryName(name))).FirstOrDefault(File.Exists);
    }

    private static string PlatformName =>
        $"{(OperatingSystem.IsWindows() ? "win" : OperatingSystem.IsMacOS() ? "osx" : "linux")}-{ProcessorName}";

    private static string ProcessorName => RuntimeInformation.ProcessArchitecture.ToString().ToLowerInvariant();

    private static string LibraryName(string name)
        => OperatingSystem.IsWindows() ? $"{name}.dll" : OperatingSystem.IsMacOS() ? $"lib{name}.dylib" : $"lib{name}.so";

    /// <summary>The loader's complaint about a file; null where it has none.</summary>
    private static string? Load(string? path)
    {
        if (path is null)
            return null;
        try
        {
            NativeLibrary.Load(path);
            return null;
        }
        catch (Exception e) when (e is DllNotFoundException or BadImageFormatException)
        {
            return e.Message.ReplaceLineEndings(" ");
        }
    }

    /// <summary>The processor that a library was built for; null where its header does not say. ELF: e_machine; Windows: Machine of the
    /// COFF header.</summary>
    private static string? ProcessorOf(string path)
    {
        Span<byte> head = stackalloc byte[1024];
        using FileStream file = File.OpenRead(path);
        head = head[..file.ReadAtLeast(head, head.Length, throwOnEndOfStream: false)];
        if (head.Length > 20 && head.StartsWith("\u007fELF"u8))
            return Name(BinaryPrimitives.ReadUInt16LittleEndian(head[18..]), x64: 62, arm64: 183);
        if (head.Length > 0x40 && head.StartsWith("MZ"u8) && BinaryPrimitives.ReadInt32LittleEndian(head[0x3c..]) is var at and > 0
            && at + 6 <= head.Length)
            return Name(BinaryPrimitives.ReadUInt16LittleEndian(head[(at + 4)..]), x64: 0x8664, arm64: 0xaa64);
        return null;

        static string Name(int machine, int x64, int arm64) => machine == x64 ? "x64" : machine == arm64 ? "arm64" : $"processor {machine}";
    }

    // glibc's: PATH: version `GLIBCXX_3.4.32' not found (required by PATH)
    [GeneratedRegex(@"(\S+): version [`'‘]((?:GLIBCXX|CXXABI|GLIBC)_[0-9.]+)['’] not found")]
    private static partial Regex MissingVersions();
}
