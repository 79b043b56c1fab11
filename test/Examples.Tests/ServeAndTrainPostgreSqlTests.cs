using Microsoft.ML.ForwardSampling.Examples.ServeAndTrain;
using Microsoft.ML.ForwardSampling.PostgreSql.Tests;
using Npgsql;

namespace Microsoft.ML.ForwardSampling.Examples.Tests;

/// <summary>The same with a real PostgreSQL server.</summary>
public sealed class ServeAndTrainPostgreSqlTests
{
    private const int Rows = 3000;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Run_ThreeProcessesKilled_NothingIsLostAndARowDeletedByHandIsFoundMissing()
    {
        Assert.SkipWhen(PostgreSqlServer.FindPrograms() is null, "PostgreSQL is not installed: apt-get install postgresql.");
        using var folder = new TemporaryFolder();
        await using PostgreSqlServer server = await PostgreSqlServer.Start(PostgreSqlServer.FindPrograms()!);
        using var environment = new ConnectionVariable(null);

        (int exitCode, string output, string error) = await Runner.RunAsync(
            ["serve-and-train", "--store", "postgres", "--connection", server.ConnectionString, "--directory", folder.File("run"),
                "--rows", "3000", "--rate", "1500", "--window", "640", "--wait", "0.5", "--kills", "3"], Token);

        Assert.True(exitCode == 0, output + error);
        RunFolder run = RunFolder.Open(folder.File("run"), options => options);
        RunReport report = RunReport.Of(run);
        Assert.Equal((Rows, 0L, 0L, 0L, 0L),
            (report.RowsAcknowledged, report.RowsLost, report.LabelsLost, report.RowsDoubled, report.RowsUnaccounted));
        Assert.Equal(report.Store.Joined, report.RowsTrained);
        Assert.InRange(report.Store.LateLabels, 1, Rows / 20);
        Assert.True(report.IsFinished && report.IsWhole);
        Assert.DoesNotContain("Password", await File.ReadAllTextAsync(run.In("options.json"), Token), StringComparison.Ordinal);

        await using var source = NpgsqlDataSource.Create(server.ConnectionString);
        await using NpgsqlCommand delete = source.CreateCommand(
            $"DELETE FROM {run.Options.Schema}.joined WHERE key IN (SELECT key FROM {run.Options.Schema}.joined ORDER BY key LIMIT 2)");
        Assert.Equal(2, await delete.ExecuteNonQueryAsync(Token));
        report = RunReport.Of(run);

        Assert.Equal((2L, 2L), (report.RowsLost, report.LabelsLost));
        Assert.False(report.IsWhole);
    }

    [Fact]
    public async Task Run_WithoutConnection_SaysHowToGetOne()
    {
        using var folder = new TemporaryFolder();
        using var environment = new ConnectionVariable(null);

        (int exitCode, _, string error) = await Runner.RunAsync(
            ["serve-and-train", "--store", "postgres", "--directory", folder.File("run")], Token);

        Assert.Equal(1, exitCode);
        Assert.StartsWith("--store postgres needs a server: give --connection", error, StringComparison.Ordinal);
        Assert.Contains("docker run --rm", error, StringComparison.Ordinal);
        Assert.Contains("apt-get install postgresql", error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Run_ServerThatIsNotThere_SaysSo()
    {
        using var folder = new TemporaryFolder();
        using var environment = new ConnectionVariable("Host=127.0.0.1;Port=1;Username=nobody;Timeout=2");

        (int exitCode, _, string error) = await Runner.RunAsync(
            ["serve-and-train", "--store", "postgres", "--directory", folder.File("run")], Token);

        Assert.Equal(1, exitCode);
        Assert.StartsWith("The PostgreSQL server of the connection string did not take part: ", error, StringComparison.Ordinal);
        Assert.Single(error.TrimEnd().Split(Environment.NewLine));
    }

    /// <summary>Sets the variable for one test.</summary>
    private sealed class ConnectionVariable : IDisposable
    {
        private readonly string? _before = Environment.GetEnvironmentVariable(PostgreSqlStore.ConnectionVariable);

        public ConnectionVariable(string? value) => Environment.SetEnvironmentVariable(PostgreSqlStore.ConnectionVariable, value);

        public void Dispose() => Environment.SetEnvironmentVariable(PostgreSqlStore.ConnectionVariable, _before);
    }
}
