using Microsoft.ML.ForwardSampling.Examples.ServeAndTrain;

namespace Microsoft.ML.ForwardSampling.Examples.Tests;

/// <summary>The same over a real cluster of three nodes, which the program starts.</summary>
public sealed class ServeAndTrainNatsTests
{
    private const int Rows = 3000;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Run_ThreeProcessesKilled_NothingIsLostAndAMissingWindowIsFound()
    {
        Assert.SkipWhen(NatsCluster.FindProgram() is null, "nats-server is not installed: apt-get install nats-server.");
        using var folder = new TemporaryFolder();
        using var environment = new ConnectionVariable(null);

        (int exitCode, string output, string error) = await Runner.RunAsync(
            ["serve-and-train", "--store", "nats", "--directory", folder.File("run"),
                "--rows", "3000", "--rate", "1500", "--window", "320", "--wait", "0.5", "--kills", "3"], Token);

        Assert.True(exitCode == 0, output + error);
        Assert.Contains("Nothing that was acknowledged is lost, nothing is doubled.", output, StringComparison.Ordinal);
        Assert.Null(Environment.GetEnvironmentVariable(NatsStore.ConnectionVariable));
        RunFolder run = RunFolder.Open(folder.File("run"), options => options);
        using NatsServers? servers = NatsServers.StartFor(run);
        RunReport report = RunReport.Of(run);
        Assert.Equal((Rows, 0L, 0L, 0L, 0L),
            (report.RowsAcknowledged, report.RowsLost, report.LabelsLost, report.RowsDoubled, report.RowsUnaccounted));
        Assert.Equal(report.Store.Joined, report.RowsTrained);
        Assert.InRange(report.Store.LateLabels, 1, Rows / 20);
        Assert.True(report.IsFinished && report.IsWhole);

        TrainingWindow last = run.Windows.TryRead(report.Models - 1)!;
        run.Windows.Write(last with { Rows = [.. last.Rows.Skip(2)] });
        report = RunReport.Of(run);
        Assert.Equal((2L, 2L, 2L), (report.RowsLost, report.LabelsLost, report.RowsUnaccounted));
        Assert.False(report.IsWhole);
    }

    [Fact]
    public void Run_WithoutTheProgram_NamesThePackage()
    {
        using var folder = new TemporaryFolder();
        using var environment = new ConnectionVariable(null);
        RunFolder run = RunFolder.Open(folder.File("run"), options => options with { Store = StoreKind.Nats });

        var e = Assert.Throws<IOException>(() => NatsServers.StartFor(run, folders: [folder.Path]));

        Assert.Equal("--store nats needs nats-server, which is not installed. On Debian, as root: apt-get install nats-server. Or name the "
            + "servers of a cluster: --connection nats://ONE:4222,nats://TWO:4222,nats://THREE:4222", e.Message);
    }

    [Fact]
    public async Task Serve_WithoutServers_SaysHowToGetThem()
    {
        using var folder = new TemporaryFolder();
        using var environment = new ConnectionVariable(null);

        (int exitCode, _, string error) = await Runner.RunAsync(
            ["serve-and-train", "serve", "--store", "nats", "--directory", folder.File("run")], Token);

        Assert.Equal(1, exitCode);
        Assert.StartsWith("--store nats needs servers: give --connection nats://ONE:4222", error, StringComparison.Ordinal);
        Assert.Contains("apt-get install nats-server", error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Report_RunThatIsNotFinished_SaysSo()
    {
        Assert.SkipWhen(NatsCluster.FindProgram() is null, "nats-server is not installed: apt-get install nats-server.");
        using var folder = new TemporaryFolder();
        await using NatsCluster server = NatsCluster.Start(1);
        using var environment = new ConnectionVariable(server.Url);

        (int exitCode, _, string error) = await Runner.RunAsync(
            ["serve-and-train", "report", "--store", "nats", "--directory", folder.File("run")], Token);

        Assert.Equal(1, exitCode);
        Assert.Contains("is not finished, and rows on their way through the cluster cannot be counted", error, StringComparison.Ordinal);
    }

    /// <summary>Sets a variable for one test.</summary>
    private sealed class ConnectionVariable : IDisposable
    {
        private readonly string? _before = Environment.GetEnvironmentVariable(NatsStore.ConnectionVariable);

        public ConnectionVariable(string? value) => Environment.SetEnvironmentVariable(NatsStore.ConnectionVariable, value);

        public void Dispose() => Environment.SetEnvironmentVariable(NatsStore.ConnectionVariable, _before);
    }
}
