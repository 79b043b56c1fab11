namespace Microsoft.ML.ForwardSampling.NotebookRunner;

/// <summary>Makes the notebooks of a folder from their twins, or runs those that are there.</summary>
internal static class Program
{
    private static async Task<int> Main(string[] args)
    {
        using var stop = new CancellationTokenSource();
        Console.CancelKeyPress += (_, e) => { e.Cancel = true; stop.Cancel(); };
        try
        {
            switch (args)
            {
                case ["write", string folder]:
                    await WriteAsync(Path.GetFullPath(folder), stop.Token);
                    return 0;
                case ["run", string folder, string packages, string version, string results]:
                    return await RunAsync(folder, packages, version, results, stop.Token) ? 0 : 1;
                default:
                    Console.Error.WriteLine("Usage: NotebookRunner write FOLDER | run FOLDER PACKAGES VERSION RESULTS");
                    return 2;
            }
        }
        catch (Exception e) when (e is InvalidOperationException or FormatException or IOException or OperationCanceledException)
        {
            Console.Error.WriteLine(e.Message);
            return 1;
        }
    }

    /// <summary>Runs every notebook of a folder into a file of the same name in another; says which fail, and goes on.</summary>
    private static async Task<bool> RunAsync(string folder, string packages, string version, string results, CancellationToken cancellation)
    {
        bool good = true;
        foreach (string notebook in Directory.GetFiles(folder, "*.ipynb").Order(StringComparer.Ordinal))
        {
            try
            {
                NotebookFile.Write(Path.Combine(results, Path.GetFileName(notebook)),
                    await NotebookKernel.RunAsync(notebook, packages, version, cancellation));
            }
            catch (InvalidOperationException e)
            {
                Console.Error.WriteLine($"{Path.GetFileName(notebook)}: {e.Message}");
                good = false;
            }
        }

        return good;
    }

    /// <summary>Makes, runs and writes every notebook of a folder; one that fails leaves its file as it was.</summary>
    private static async Task WriteAsync(string folder, CancellationToken cancellation)
    {
        using var feed = new LocalFeed();
        await feed.PackAsync(Path.GetFullPath(Path.Combine(folder, "..", "..", "..")), cancellation);
        using var temporary = new TemporaryFolder();
        foreach (string twin in Directory.GetFiles(folder, "*.cs").Order(StringComparer.Ordinal))
        {
            long started = Environment.TickCount64;
            string name = Path.GetFileNameWithoutExtension(twin), unrun = temporary.File($"{name}.ipynb");
            NotebookFile.Write(unrun, Twin.Cells(await File.ReadAllTextAsync(twin, cancellation)));
            IReadOnlyList<Cell> cells = await NotebookKernel.RunAsync(unrun, feed.Path, feed.Version, cancellation);
            NotebookFile.Write(Path.ChangeExtension(twin, ".ipynb"), cells);
            Console.WriteLine($"{name}: {cells.Count} cells, {cells.Sum(cell => cell.Outputs.Count)} outputs, "
                + $"{(Environment.TickCount64 - started) / 1000.0:F1} s");
        }
    }
}
