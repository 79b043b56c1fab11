namespace Microsoft.ML.ForwardSampling.Notebooks.Tests;

/// <summary>Every notebook and every twin, run with packages made of this working tree: no cell fails, and what is shown is what is
/// stored.</summary>
public sealed class RunTests(RunTests.Packages packages) : IClassFixture<RunTests.Packages>
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public static TheoryData<string> Names => [.. Notebooks.Names];

    [Theory]
    [MemberData(nameof(Names))]
    public void Notebook_Run_ShowsWhatIsStored(string name)
    {
        string result = packages.ResultOf(name);
        Assert.True(File.Exists(result), packages.Failures);

        IReadOnlyList<Cell> stored = NotebookFile.Read(Notebooks.PathOf(name)), run = NotebookFile.Read(result);
        Assert.Equal(stored, run, Notebooks.SameSource);
        Assert.All(stored.Zip(run), cells =>
        {
            Assert.Equal(cells.First.Outputs.Select(output => output.MimeType), cells.Second.Outputs.Select(output => output.MimeType));
            Words.AssertAgree(cells.First.Outputs.SelectMany(output => output.Words()),
                cells.Second.Outputs.SelectMany(output => output.Words()));
        });
    }

    [Theory]
    [MemberData(nameof(Names))]
    public async Task Twin_Run_PrintsWhatTheNotebookShows(string name)
    {
        using var folder = new TemporaryFolder();
        string program = folder.File($"{name}.cs");
        string text = await File.ReadAllTextAsync(Notebooks.TwinOf(name), Token);
        string pinned = text.Replace("#:package Microsoft.ML.ForwardSampling@*-*",
            $"#:package Microsoft.ML.ForwardSampling@{packages.Feed.Version}", StringComparison.Ordinal);
        Assert.NotEqual(text, pinned);
        await File.WriteAllTextAsync(program, pinned, Token);

        string output = await LocalFeed.RunAsync(folder.Path, packages.TwinVariables, Token, "run", program, "--artifacts-path",
            folder.File("artifacts"));

        IEnumerable<string> printed = output.ReplaceLineEndings("\n").Split('\n')
            .Where(line => !line.StartsWith("Chart: ", StringComparison.Ordinal));
        Words.AssertAgree(NotebookFile.Read(Notebooks.PathOf(name)).SelectMany(cell => cell.Outputs).SelectMany(shown => shown.Words()),
            new CellOutput(CellOutput.Console, string.Join('\n', printed)).Words());
    }

    /// <summary>The packages of this working tree, and all notebooks run with them, by one process: its start takes longer than a
    /// notebook.</summary>
    public sealed class Packages : IAsyncLifetime
    {
        // Numbers as they are stored, whatever the machine's language.
        private static readonly KeyValuePair<string, string> s_invariant = new("DOTNET_SYSTEM_GLOBALIZATION_INVARIANT", "1");

        private readonly TemporaryFolder _results = new();

        internal LocalFeed Feed { get; } = new();

        /// <summary>A variable is a property to MSBuild: the feed, and links instead of copies of libtorch.</summary>
        internal IReadOnlyDictionary<string, string> TwinVariables => new Dictionary<string, string>([s_invariant])
        {
            ["RestoreAdditionalProjectSources"] = Feed.Path,
            ["CreateHardLinksForCopyLocalIfPossible"] = "true",
        };

        /// <summary>Which notebooks failed, and why.</summary>
        internal string Failures { get; private set; } = "";

        internal string ResultOf(string name) => _results.File($"{name}.ipynb");

        public async ValueTask InitializeAsync()
        {
            await Feed.PackAsync(RepositoryFolder.Root, Token);
            string runner = Path.Combine(AppContext.BaseDirectory.Replace("Notebooks.Tests", "NotebookRunner", StringComparison.Ordinal),
                "NotebookRunner.dll");
            try
            {
                await LocalFeed.RunAsync(_results.Path, new Dictionary<string, string>([s_invariant]), Token, "exec", runner, "run",
                    Notebooks.Folder, Feed.Path, Feed.Version, _results.Path);
            }
            catch (InvalidOperationException e)
            {
                Failures = e.Message; // the tests of those that failed say so
            }
        }

        public ValueTask DisposeAsync()
        {
            Feed.Dispose();
            _results.Dispose();
            return ValueTask.CompletedTask;
        }
    }
}
