using System.Globalization;
using Microsoft.ML.ForwardSampling.Examples.ServeAndTrain;
using Microsoft.ML.ForwardSampling.Records;

namespace Microsoft.ML.ForwardSampling.Examples.Tests;

/// <summary>A short run with real processes that are really killed; and copies of its folder in which something is then made wrong: the
/// report has to find it.</summary>
public sealed class ServeAndTrainTests(ServeAndTrainTests.ShortRun run) : IClassFixture<ServeAndTrainTests.ShortRun>
{
    private const int Rows = 5000;
    private const int WindowRows = 640;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public void Run_ThreeProcessesKilled_NothingAcknowledgedIsLostOrDoubled()
    {
        Assert.True(run.ExitCode == 0, run.Output + run.Error);
        Assert.InRange(run.Output.Split("KILLED").Length - 1, 3, 4); // the last may come when its process is done
        Assert.Contains("Nothing that was acknowledged is lost, nothing is doubled.", run.Output, StringComparison.Ordinal);
        RunReport report = RunReport.Of(run.Open(run.Folder));

        Assert.Equal((Rows, 0L, 0L, 0L, 0L),
            (report.RowsAcknowledged, report.RowsLost, report.LabelsLost, report.RowsDoubled, report.RowsUnaccounted));
        Assert.Equal(Rows, report.Store.Joined + report.Store.WithoutLabel);
        Assert.Equal(report.Store.Joined, report.RowsTrained);
        Assert.Equal((report.Store.Joined + WindowRows - 1) / WindowRows, report.Models);
        Assert.True(report.IsFinished && report.IsWhole);
    }

    [Fact]
    public void Run_LabelsBeyondTheWait_AreLateAndTheirRowsHaveNone()
    {
        RunReport report = RunReport.Of(run.Open(run.Folder));
        RunFolder folder = run.Open(run.Folder);
        TimeSpan?[] answers = [.. Enumerable.Range(0, Rows).Select(
            n => Orders.AnswerAfter((ulong)n, folder.Options.Seed, folder.Options.Wait))];
        int late = answers.Count(after => after > folder.Options.Wait), never = answers.Count(after => after is null);

        Assert.True(late > 0 && never > 0);
        Assert.Equal(Rows - never, report.LabelsAcknowledged);
        // A row that was recorded, lost its note in a crash and was served again has an older record: its label may be late for that one.
        Assert.InRange(report.Store.LateLabels, late, late + report.Store.RowsAgain);
        Assert.InRange(report.Store.WithoutLabel, late + never, late + never + report.Store.RowsAgain);
    }

    [Fact]
    public void Run_ModelsHandedOver_ServeAndAreInTheRecords()
    {
        RunReport report = RunReport.Of(run.Open(run.Folder));

        Assert.Equal(0UL, report.Service[0].OldestVersion);
        Assert.True(report.Service[^1].NewestVersion > 0, run.Output);
        Assert.All(report.Service, part => Assert.InRange(part.Accuracy, 0.6, 1.0));
        Assert.Equal((0, Rows), (report.Service[0].FromOrder, report.Service[^1].ToOrder));
    }

    [Fact]
    public async Task Report_WholeRun_ReturnsZero()
    {
        (int exitCode, string output, string error) = await Runner.RunAsync(
            ["serve-and-train", "report", "--directory", run.Folder], Token);

        Assert.Equal((0, ""), (exitCode, error));
        Assert.Contains("doubled                                                      0", output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Report_AcknowledgedRowWithoutRecord_IsLostAndFails()
    {
        using var folder = new TemporaryFolder();
        RunFolder copy = run.Copy(folder);
        using (var journal = new Journal(copy.Served))
            journal.Add(DateTime.UtcNow, [Rows + 7UL]);

        Assert.Equal(1, RunReport.Of(copy).RowsLost);
        (int exitCode, _, string error) = await Runner.RunAsync(["serve-and-train", "report", "--directory", copy.Path], Token);
        Assert.Equal(1, exitCode);
        Assert.Contains("WRONG: 1 rows and 0 labels lost", error, StringComparison.Ordinal);
    }

    [Fact]
    public void Report_DamagedBlockOfRecords_CountsItsRowsAsLost()
    {
        using var folder = new TemporaryFolder();
        RunFolder copy = run.Copy(folder);
        string file = Directory.GetFiles(copy.In("records")).MaxBy(f => new FileInfo(f).Length)!;
        using (FileStream stream = File.OpenWrite(file))
        {
            // The blocks of the first quarter: on a busy machine one alone may hold few rows, of which a kill left none acknowledged.
            for (long at = 200; at < Math.Max(201, stream.Length / 4); at += 100)
            {
                stream.Position = at;
                stream.WriteByte(0xAA);
                stream.WriteByte(0x55);
            }
        }

        RunReport report = RunReport.Of(copy);

        Assert.InRange(report.RowsLost, 1, Rows / 2);
        Assert.False(report.IsWhole);
    }

    [Fact]
    public void Report_AcknowledgedLabelThatIsNotThere_IsLost()
    {
        using var folder = new TemporaryFolder();
        RunFolder copy = run.Copy(folder);
        using (var journal = new Journal(copy.Labelled))
            journal.Add(DateTime.UtcNow, [Rows + 7UL]);

        Assert.Equal(1, RunReport.Of(copy).LabelsLost);
    }

    [Fact]
    public void Report_RowInTwoWindows_IsDoubled()
    {
        using var folder = new TemporaryFolder();
        RunFolder copy = run.Copy(folder);
        TrainingWindow first = copy.Windows.TryRead(0)!, second = copy.Windows.TryRead(1)!;
        copy.Windows.Write(second with { Rows = [.. second.Rows, first.Rows[5]] });

        RunReport report = RunReport.Of(copy);

        Assert.Equal((1L, 0L), (report.RowsDoubled, report.RowsUnaccounted));
        Assert.False(report.IsWhole);
    }

    [Fact]
    public void Report_JoinedRowInNoWindow_IsUnaccountedFor()
    {
        using var folder = new TemporaryFolder();
        RunFolder copy = run.Copy(folder);
        TrainingWindow first = copy.Windows.TryRead(0)!;
        copy.Windows.Write(first with { Rows = [.. first.Rows.Skip(3)] });

        RunReport report = RunReport.Of(copy);

        Assert.Equal((3L, 0L), (report.RowsUnaccounted, report.RowsDoubled));
        Assert.False(report.IsWhole);
    }

    [Fact]
    public void Serve_KilledBeforeTheNote_ServesAgainAndTheJoinDropsTheSecondRecords()
    {
        using var folder = new TemporaryFolder();
        RunFolder small = run.Start(folder, rows: 300);
        Directory.CreateDirectory(small.In("models"));
        File.Copy(Directory.GetFiles(Path.Combine(run.Folder, "models"), "model-*.zip").Min()!,
            small.In(Path.Combine("models", "model-000000.zip")));
        using (IRecordStore store = small.OpenStore())
        using (IRecordWriter<BinaryRecord> records = store.OpenRecords())
            records.Append(Enumerable.Range(0, 40).Select(n => BinaryRecord.FromScore((ulong)n, 0.5f, 0, DateTime.UtcNow)).ToArray());

        ServeRole.Run(small, TextWriter.Null, Token);
        LabelRole.Run(small, TextWriter.Null, Token);
        TrainRole.Run(small, TextWriter.Null, Token);

        RunReport report = RunReport.Of(small);
        Assert.Equal((300L, 0L, 40L, 0L), (report.RowsAcknowledged, report.RowsLost, report.Store.RowsAgain, report.RowsDoubled));
        Assert.True(report.IsWhole, report.Fault);
    }

    [Fact]
    public void Windows_KilledBeforeTraining_GiveTheSameRowsAgain()
    {
        using var folder = new TemporaryFolder();
        RunFolder small = run.Start(folder, rows: 1000);
        Write(small, 0, 800);

        JoinedRecord[] before, after;
        using (IRecordStore store = small.OpenStore())
        using (IWindowSource windows = store.OpenWindows())
            before = [.. windows.Next(0, ended: false)!.Rows];
        Write(small, 800, 1000);
        using (IRecordStore store = small.OpenStore())
        using (IWindowSource windows = store.OpenWindows())
        {
            after = [.. windows.Next(0, ended: false)!.Rows];
            Assert.Equal(WindowRows, before.Length);
            Assert.Equal(before, after);
            Assert.Null(windows.Next(1, ended: false));

            TrainingWindow last = windows.Next(1, ended: true)!;
            Assert.Equal(Enumerable.Range(0, 1000).Select(n => (ulong)n), before.Concat(last.Rows).Select(row => row.Key).Order());
            Assert.Null(windows.Next(2, ended: true));
        }
    }

    [Fact]
    public void Windows_KilledBetweenWindowAndSave_ForgetTheWindow()
    {
        using var folder = new TemporaryFolder();
        RunFolder small = run.Start(folder, rows: 1000);
        Write(small, 0, 700);
        small.Windows.Write(new TrainingWindow(0, [default, default]));

        using IRecordStore store = small.OpenStore();
        using IWindowSource windows = store.OpenWindows();

        Assert.Null(small.Windows.TryRead(0));
        Assert.Equal(WindowRows, windows.Next(0, ended: false)!.Rows.Count);
    }

    [Fact]
    public void Journal_HalfALine_IsNotReadAndCutOffByTheNextWriter()
    {
        using var folder = new TemporaryFolder();
        string path = folder.File("journal.log");
        var time = new DateTime(2024, 1, 2, 3, 4, 5, DateTimeKind.Utc);
        using (var journal = new Journal(path))
            journal.Add(time, [1, ulong.MaxValue]);
        File.AppendAllText(path, "638397219 3 4");

        var follower = new Journal.Follower(path);
        (DateTime Time, ulong[] Keys) line = Assert.Single(follower.ReadNew());
        Assert.Equal(time, line.Time);
        Assert.Equal([1UL, ulong.MaxValue], line.Keys);
        using (var journal = new Journal(path))
            journal.Add(time, [5]);

        Assert.Equal([5UL], Assert.Single(follower.ReadNew()).Keys);
        Assert.Equal([1UL, ulong.MaxValue, 5UL], Journal.KeysOf(path));
    }

    [Fact]
    public async Task Run_OtherOptionsOnARunThatIsThere_NamesTheFolderAndItsOptions()
    {
        (int exitCode, _, string error) = await Runner.RunAsync(
            ["serve-and-train", "report", "--directory", run.Folder, "--rows", "5"], Token);

        Assert.Equal(1, exitCode);
        Assert.StartsWith($"{run.Folder} holds a run with other options: {{", error, StringComparison.Ordinal);
        Assert.Contains("\"Rows\":5000", error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("serve-and-train everything", "everything")]
    [InlineData("serve-and-train --store memory", "memory")]
    [InlineData("serve-and-train --kills -1", "--kills must be a number between 0 and 1000. Got '-1'.")]
    public async Task Run_BadArguments_FailsAndNamesThem(string arguments, string expected)
    {
        (int exitCode, _, string error) = await Runner.RunAsync(arguments.Split(' '), Token);

        Assert.Equal(1, exitCode);
        Assert.Contains(expected, error, StringComparison.Ordinal);
    }

    [Fact]
    public void Orders_SameNumber_SameOrderInEveryProcessAndLabelsAreBalanced()
    {
        Order[] orders = [.. Enumerable.Range(0, 20_000).Select(n => Orders.Of((ulong)n, 1))];

        Assert.Equal(0.5, orders.Average(order => order.Label ? 1.0 : 0.0), 0.02);
        for (int i = 0; i < Orders.Features; i++)
            Assert.Equal(0, orders.Average(order => order.Features[i]), 0.02);
        Assert.Equal(-0.467676908f, orders[42].Features[0]);    // written down: another process must find the same
        Assert.NotEqual(Orders.Of(42, 2).Features, orders[42].Features);
    }

    /// <summary>Records and labels of orders, one second apart in time.</summary>
    private static void Write(RunFolder run, int from, int to)
    {
        DateTime time = DateTime.UtcNow;
        using IRecordStore store = run.OpenStore();
        using IRecordWriter<BinaryRecord> records = store.OpenRecords();
        using IRecordWriter<LabelEvent> labels = store.OpenLabels();   // closing waits for the acknowledgement
        records.Append(Enumerable.Range(from, to - from).Select(n => BinaryRecord.FromScore((ulong)n, 0.5f, 0, time)).ToArray());
        labels.Append(Enumerable.Range(from, to - from).Reverse().Select(n => new LabelEvent((ulong)n, n % 2, time.AddSeconds(0.5)))
            .ToArray());
    }

    public sealed class ShortRun : IAsyncLifetime
    {
        private readonly TemporaryFolder _folder = new();

        public string Folder => _folder.File("run");

        public int ExitCode { get; private set; }

        public string Output { get; private set; } = "";

        public string Error { get; private set; } = "";

        public async ValueTask InitializeAsync()
        {
            string[] arguments = ["serve-and-train", "--directory", Folder, "--rows", Number(Rows), "--rate", "2500", "--window",
                Number(WindowRows), "--wait", "0.5", "--kills", "4"];
            (ExitCode, Output, Error) = await Runner.RunAsync(arguments);
        }

        public ValueTask DisposeAsync()
        {
            _folder.Dispose();
            return ValueTask.CompletedTask;
        }

        internal RunFolder Open(string path) => RunFolder.Open(path, options => options);

        /// <summary>A copy that can be made wrong.</summary>
        internal RunFolder Copy(TemporaryFolder to)
        {
            string path = to.File("copy");
            foreach (string file in Directory.GetFiles(Folder, "*", SearchOption.AllDirectories))
            {
                string target = Path.Combine(path, Path.GetRelativePath(Folder, file));
                Directory.CreateDirectory(Path.GetDirectoryName(target)!);
                File.Copy(file, target);
            }

            return Open(path);
        }

        /// <summary>A run of its own.</summary>
        internal RunFolder Start(TemporaryFolder folder, int rows)
            => RunFolder.Open(folder.File("small"), options =>
                options with { Rows = rows, Rate = 100_000, WindowRows = WindowRows, Wait = TimeSpan.FromSeconds(1) });

        private static string Number(int value) => value.ToString(CultureInfo.InvariantCulture);
    }
}
