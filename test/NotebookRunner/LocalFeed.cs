using System.Diagnostics;

namespace Microsoft.ML.ForwardSampling.NotebookRunner;

/// <summary>A folder with the packages of this working tree, under a version that nothing else has: the package cache cannot give an
/// older one for it. Disposing takes it out of the cache again.</summary>
internal sealed class LocalFeed : IDisposable
{
    private const string Product = "Microsoft.ML.ForwardSampling", Records = Product + ".Records";

    private readonly TemporaryFolder _folder = new();

    /// <summary>The folder, to be named as a source.</summary>
    public string Path => _folder.File("packages");

    public string Version { get; } = $"1.0.0-notebooks.x{Guid.NewGuid():N}";

    public async Task PackAsync(string repository, CancellationToken cancellation)
    {
        foreach (string project in new[] { Records, Product })
            await RunAsync(_folder.Path, new Dictionary<string, string>(), cancellation, "pack",
                System.IO.Path.Combine(repository, "src", project), "-c", "Release", "-v", "quiet", "-o", Path,
                $"-p:Version={Version}", $"-p:ArtifactsPath={_folder.File("artifacts")}", "-nodeReuse:false");
    }

    public void Dispose()
    {
        string cache = Environment.GetEnvironmentVariable("NUGET_PACKAGES") is { Length: > 0 } named
            ? named : System.IO.Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.UserProfile), ".nuget", "packages");
        foreach (string package in new[] { Records, Product })
        {
            string unpacked = System.IO.Path.Combine(cache, package.ToLowerInvariant(), Version);
            if (Directory.Exists(unpacked))
                Directory.Delete(unpacked, recursive: true);
        }

        _folder.Dispose();
    }

    /// <summary>Runs `dotnet` with arguments, and gives what it wrote.</summary>
    /// <exception cref="InvalidOperationException">It failed; the message holds all that it wrote.</exception>
    public static async Task<string> RunAsync(string workingDirectory, IReadOnlyDictionary<string, string> variables,
        CancellationToken cancellation, params string[] arguments)
    {
        var start = new ProcessStartInfo("dotnet", arguments)
        { WorkingDirectory = workingDirectory, RedirectStandardOutput = true, RedirectStandardError = true };
        // `dotnet test` leaves the places of its own build in the environment.
        foreach (string name in start.Environment.Keys.Where(name => name.StartsWith("MSBUILD", StringComparison.OrdinalIgnoreCase))
            .ToArray())
            start.Environment.Remove(name);
        foreach ((string name, string value) in variables)
            start.Environment[name] = value;
        using Process process = Process.Start(start)!;
        try
        {
            Task<string> output = process.StandardOutput.ReadToEndAsync(cancellation),
                error = process.StandardError.ReadToEndAsync(cancellation);
            await process.WaitForExitAsync(cancellation);
            return process.ExitCode == 0 ? await output : throw new InvalidOperationException(
                $"dotnet {string.Join(' ', arguments)} ended with {process.ExitCode}.\n{await output}{await error}");
        }
        finally
        {
            if (!process.HasExited)
                process.Kill(entireProcessTree: true);
        }
    }
}
