using System.Diagnostics;
using System.Globalization;
using System.Text;
using Microsoft.ML.Data;
using Microsoft.ML.ForwardSampling.Networks;

namespace Microsoft.ML.ForwardSampling.Tests.Networks;

/// <summary>Torch loads where it can, and the message says which of four causes it is where it cannot: programs are run with their
/// libraries altered.</summary>
[Collection(TorchCollection.Name)]
public sealed class TorchLoadingTests : IDisposable
{
    private const string Binding = "libLibTorchSharp.so";
    private const string SeeAlso = "See docs/install.md.";

    private readonly string _folder = Directory.CreateTempSubdirectory("forward-sampling-torch-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public async Task Fit_LibrariesAsBuilt_Trains()
        => Assert.Equal("trained", await TrainAsync());

    [Fact]
    public async Task Fit_NoRuntimePackage_NamesThePackages()
    {
        SkipUnlessLinuxX64();
        CopyProgram();
        foreach (string library in Directory.GetFiles(_folder, "libtorch*"))
            File.Delete(library);

        Assert.StartsWith(
            "DllNotFoundException: Torch's native library is missing: there is no libtorch_cpu.so beside the program. " +
            $"Reference TorchSharp-cpu in the program's project, or, for an NVIDIA GPU, TorchSharp-cuda-linux or "
                + $"TorchSharp-cuda-windows. {SeeAlso}",
            await TrainAsync(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(Normalization.None)]
    [InlineData(Normalization.Batch)]
    [InlineData(Normalization.Layer)]
    public async Task Load_NoRuntimePackage_ScoresAndSavesWithoutTorch(Normalization normalization)
    {
        SkipUnlessLinuxX64();
        CopyProgram();
        foreach (string library in Directory.GetFiles(_folder, "lib*orch*"))
            File.Delete(library);
        var context = new MLContext(seed: 1);
        IDataView data = TrainingData.View(context, 60);
        string path = Path.Combine(_folder, "model.zip");
        var options = new NetworkTrainerOptions { HiddenLayers = [8], Epochs = 1, Normalization = normalization };
        using NetworkPredictionTransformer model = context.ForwardSampling().Trainers.Regression(options).Fit(data);
        context.ForwardSampling().Save(model, data.Schema, path);
        float[] features = TrainingData.Rows(60)[0].Features;
        string expected = model.Transform(data).GetColumn<float>("Score").First().ToString("R", CultureInfo.InvariantCulture);

        string said = await TrainAsync(
            ["score", path, .. features.Select(value => value.ToString("R", CultureInfo.InvariantCulture))]);

        // Loaded by fs.Load, saved again, loaded by ML.NET; then what asking for the module brings, and the count of weights.
        int weights = (4 * 8) + 8 + (normalization == Normalization.None ? 0 : 16) + 8 + 1;
        Assert.Equal($"{expected} {expected} DllNotFoundException {weights}", said);
    }

    [Fact]
    public async Task Fit_LibstdcxxTooOld_NamesTheVersionAskedFor()
    {
        SkipUnlessLinuxX64();
        CopyProgram();
        string path = Path.Combine(_folder, Binding);
        File.WriteAllBytes(path, AskForAnotherVersion(File.ReadAllBytes(path), "GLIBCXX_3.4.30", "GLIBCXX_9.9.99"));

        string message = await TrainAsync();

        Assert.StartsWith("DllNotFoundException: This system's libstdc++ is too old for torch: ", message, StringComparison.Ordinal);
        Assert.EndsWith(
            $"libstdc++.so.6 lacks GLIBCXX_9.9.99, for which {Binding} asks. Set <AllowOldLibstdcxx>true</AllowOldLibstdcxx> in the "
                + $"program's project and build it again, " +
            $"or use a system whose libstdc++ is that of GCC 13 or later. {SeeAlso}",
            message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Fit_LibraryOfAnotherProcessor_NamesBoth()
    {
        SkipUnlessLinuxX64();
        CopyProgram();
        string path = Path.Combine(_folder, Binding);
        byte[] bytes = File.ReadAllBytes(path);
        bytes[18] = 183; // e_machine: AArch64
        File.WriteAllBytes(path, bytes);

        Assert.Equal(
            $"DllNotFoundException: Torch's native library is for another processor: {path} is for arm64, and this process is linux-x64. "
                + $"Build or publish the program for linux-x64. {SeeAlso}",
            await TrainAsync());
    }

    [Fact]
    public async Task Fit_CudaOnAMachineWithout_SaysWhatToDo()
    {
        string message = await TrainAsync("cuda");

        Assert.SkipWhen(message == "trained", "This machine has a CUDA device.");
        Assert.Equal(
            "InvalidOperationException: Device 'cuda' was asked for, but torch finds no CUDA device. Use Device = \"cpu\", or reference "
                + "TorchSharp-cuda-linux or TorchSharp-cuda-windows on a machine with an NVIDIA driver.",
            message);
    }

    [Theory]
    [InlineData("linux-arm64", null,
        "There is no libtorch package for this process, linux-arm64: TorchSharp-cpu has it for linux-x64, osx-arm64, win-x64. ")]
    [InlineData("linux-x64", "/lib64/libc.so.6: version `GLIBC_2.34' not found (required by /app/libLibTorchSharp.so)",
        "This system's C library is too old for torch: /lib64/libc.so.6 lacks GLIBC_2.34. Use a newer system or container image. ")]
    [InlineData("linux-x64", "out of memory", "Torch's native library could not be loaded from /app/libLibTorchSharp.so: out of memory. ")]
    [InlineData("linux-x64", null,
        "Torch's native library could not be loaded from /app/libLibTorchSharp.so: the loader says nothing more. ")]
    public void Message_EachOtherCause_IsTold(string platform, string? loader, string expected)
        => Assert.Equal(expected + SeeAlso,
            new TorchLoadFailure(platform, "/app/libLibTorchSharp.so", "/app/libtorch_cpu.so", null, loader).Message);

    private static void SkipUnlessLinuxX64()
        => Assert.SkipUnless(OperatingSystem.IsLinux() && File.Exists(Path.Combine(AppContext.BaseDirectory, Binding)),
            "The libraries that are altered are those of linux-x64.");

    /// <summary>The program in a folder of its own: what is altered is copied, the rest of the native libraries are links.</summary>
    private void CopyProgram()
    {
        foreach (string file in Directory.GetFiles(AppContext.BaseDirectory))
        {
            string name = Path.GetFileName(file), target = Path.Combine(_folder, name);
            if (name != Binding && name.Contains(".so", StringComparison.Ordinal))
                File.CreateSymbolicLink(target, file);
            else if (name == Binding || Path.GetExtension(name) == ".dll" || name.StartsWith("TrainOnce.", StringComparison.Ordinal))
                File.Copy(file, target);
        }
    }

    private async Task<string> TrainAsync(params string[] arguments)
    {
        string folder = File.Exists(Path.Combine(_folder, "TrainOnce.dll")) ? _folder : AppContext.BaseDirectory;
        var start = new ProcessStartInfo("dotnet", ["exec", Path.Combine(folder, "TrainOnce.dll"), .. arguments])
        { RedirectStandardOutput = true, RedirectStandardError = true };
        start.Environment["NUGET_PACKAGES"] = Path.Combine(_folder, "no-packages"); // where TorchSharp looks next
        using Process process = Process.Start(start)!;
        _ = process.StandardError.ReadToEndAsync(TestContext.Current.CancellationToken);
        string output = await process.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken);
        await process.WaitForExitAsync(TestContext.Current.CancellationToken);
        return output.TrimEnd().Split('\n')[^1];
    }

    /// <summary>Renames a version that a library needs: its text, and the hash beside each mention (System V ABI, ELF hash).</summary>
    private static byte[] AskForAnotherVersion(byte[] library, string version, string other)
    {
        byte[] old = [.. Encoding.ASCII.GetBytes(version), 0], oldHash = BitConverter.GetBytes(Hash(version)),
            newHash = BitConverter.GetBytes(Hash(other));
        int text = library.AsSpan().IndexOf(old);
        Encoding.ASCII.GetBytes(other).CopyTo(library, text);
        for (int at = 0, next; (next = library.AsSpan(at).IndexOf(oldHash)) >= 0; at += next + 4)
            newHash.CopyTo(library, at + next);
        return library;

        static uint Hash(string name)
        {
            uint hash = 0;
            foreach (char c in name)
            {
                hash = (hash << 4) + c;
                uint high = hash & 0xf0000000;
                hash = (hash ^ (high >> 24)) & ~high;
            }

            return hash;
        }
    }
}
