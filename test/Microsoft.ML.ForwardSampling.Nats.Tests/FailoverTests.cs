using System.Diagnostics;
using Microsoft.ML.ForwardSampling.PostgreSql;
using Microsoft.ML.ForwardSampling.PostgreSql.Tests;
using Microsoft.ML.ForwardSampling.Records;
using Npgsql;

namespace Microsoft.ML.ForwardSampling.Nats.Tests;

/// <summary>Joiners on machines without a common disk, which take over from each other: each has a folder that is lost with it, and the
/// state is in a real PostgreSQL database.</summary>
public sealed class FailoverTests(StoreFixture fixture) : IAsyncLifetime
{
    private PostgreSqlServer? _server;
    private PostgreSqlJoinStates? _states;

    private PostgreSqlJoinStates States
    {
        get
        {
            Assert.SkipWhen(_states is null, "PostgreSQL is not installed: ./build.sh test installs it, or apt-get install postgresql.");
            return _states!;
        }
    }

    public async ValueTask InitializeAsync()
    {
        if (PostgreSqlServer.FindPrograms() is not string programs)
            return;
        _server = await PostgreSqlServer.Start(programs);
        _states = new PostgreSqlJoinStates(_server.ConnectionString);
        await _states.MigrateAsync();
    }

    public async ValueTask DisposeAsync()
    {
        if (_states is not null)
            await _states.DisposeAsync();
        if (_server is not null)
            await _server.DisposeAsync();
    }

    [Fact]
    public async Task Join_MachinesKilledOneAfterTheOther_EveryRowOnce()
    {
        PostgreSqlJoinStates states = States;
        await using Fleet fleet = await Fleet.Begin(fixture, windowRows: 500);
        var random = new Random(7);
        int written = 0;
        for (int machine = 0; machine < 4; machine++)
        {
            string folder = fleet.FolderOf($"machine-{machine}");
            using Process joiner = Start(fleet, folder, machine);
            await fleet.Write(written, 700);
            written += 700;
            await StoreFixture.Until(() => joiner.HasExited || fleet.Records.Report.UnconfirmedRecords == 0, "Nothing was saved.");
            await fleet.Write(written, 700);                // it may be anywhere among these
            written += 700;
            await Task.Delay(random.Next(150));
            joiner.Kill();
            await joiner.WaitForExitAsync();
            Directory.Delete(folder, recursive: true);
        }

        NatsJoinerReport report = await fleet.JoinAll(0, fleet.FolderOf("the last"), states);
        Assert.Equal((written, 0, 0, 0), (report.Join.Joined, report.LostBlocks, report.Join.DuplicateRecords, report.Join.LateRecords));
        Assert.Equal(Enumerable.Range(0, written).Select(i => (ulong)i), (await fleet.WorkOff(written)).Order());
        Assert.Null(await fleet.Store.ClaimWindowAsync());
    }

    [Fact]
    public async Task Run_StoppedAtAnyMomentAndOpenedElsewhere_EveryRowOnce()
    {
        PostgreSqlJoinStates states = States;
        await using Fleet fleet = await Fleet.Begin(fixture);
        var random = new Random(4);
        int written = 0;
        for (int i = 0; i < 10; i++)
        {
            int more = random.Next(20, 300);
            await fleet.Write(written, more);
            written += more;
            await using NatsJoiner<RegressionRecord> joiner = await fleet.OpenJoiner(0, fleet.FolderOf($"machine-{i}"), states);
            Assert.Equal(i + 1, joiner.Epoch);
            using var soon = new CancellationTokenSource(TimeSpan.FromMilliseconds(random.Next(5, 150)));
            await Assert.ThrowsAnyAsync<OperationCanceledException>(() => joiner.RunAsync(soon.Token));
        }

        NatsJoinerReport report = await fleet.JoinAll(0, fleet.FolderOf("the last"), states);
        Assert.Equal((written, 0, 0), (report.Join.Joined, report.LostBlocks, report.Join.DuplicateRecords));
        Assert.Equal(Enumerable.Range(0, written).Select(i => (ulong)i), (await fleet.WorkOff(written)).Order());
    }

    /// <summary>One that stood still saves into the epoch that was its own; who has taken over never sees it.</summary>
    [Fact]
    public async Task Run_TakenOver_ThrowsAndItsSaveDoesNotCount()
    {
        PostgreSqlJoinStates states = States;
        await using Fleet fleet = await Fleet.Begin(fixture);
        await fleet.Write(0, 100);
        await using NatsJoiner<RegressionRecord> zombie = await fleet.OpenJoiner(0, fleet.FolderOf("a"), states);
        var stream = new JetStream(fixture.Connection);
        await stream.Append($"{fleet.Options.Name}.lease.0", new LeaseEntry(2, 77, 1, IsReleased: true, "another").ToArray(), null, null,
            default);
        await using NatsJoiner<RegressionRecord> next = await fleet.OpenJoiner(0, fleet.FolderOf("b"), states);
        Assert.Equal(3, next.Epoch);
        zombie.Complete();
        await Assert.ThrowsAsync<LeaseLostException>(() => zombie.RunAsync());
        Assert.Null(await fleet.Store.ClaimWindowAsync());
        Assert.Equal(3, await states.FindLatestAsync($"{fleet.Options.Name}.0", TestContext.Current.CancellationToken));
        next.Complete();
        await next.RunAsync();
        Assert.Equal(100, (await fleet.WorkOff(100)).Count);
    }

    [Fact]
    public async Task Open_FolderThatWasTheMemoryBefore_ItsStateGoesIntoTheStore()
    {
        PostgreSqlJoinStates states = States;
        await using Fleet fleet = await Fleet.Begin(fixture);
        await fleet.Write(0, 100);
        await fleet.JoinAll();
        var e = await Assert.ThrowsAsync<InvalidOperationException>(() => fleet.OpenJoiner(0, fleet.FolderOf("new"), states));
        Assert.Contains("its state of epoch 1 is not in the state store, which has none.", e.Message, StringComparison.Ordinal);
        await (await fleet.OpenJoiner(0, states: states)).DisposeAsync();

        await fleet.Write(100, 50);
        NatsJoinerReport report = await fleet.JoinAll(0, fleet.FolderOf("new"), states);
        Assert.Equal(150, report.Join.Joined + report.Join.LateRecords);    // those after the first join's end are late
        Assert.Equal(100, (await fleet.WorkOff(100)).Count);
    }

    [Fact]
    public async Task Windows_Completed_AreForgottenInTheStoreToo()
    {
        PostgreSqlJoinStates states = States;
        await using Fleet fleet = await Fleet.Begin(fixture);
        await using NatsJoiner<RegressionRecord> joiner = await fleet.OpenJoiner(0, states: states);
        using var ending = new CancellationTokenSource();
        Task running = joiner.RunAsync(ending.Token);
        await fleet.Write(0, 100);                          // rows are given out as their labels come: one window
        Assert.Equal(100, (await fleet.WorkOff(100)).Count);
        await StoreFixture.Until(() => running.IsCompleted || CountWindows() == 0, "Windows that are completed stayed in the store.");
        Assert.False(running.IsCompleted);
        await ending.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => running);
    }

    /// <summary>Nobody is told of a state that the store does not have.</summary>
    [Fact]
    public async Task Run_StoreThatRefuses_EndsAndTellsNobody()
    {
        await using Fleet fleet = await Fleet.Begin(fixture);
        await fleet.Write(0, 100);
        await using NatsJoiner<RegressionRecord> joiner = await fleet.OpenJoiner(0, states: new RefusingStates());
        joiner.Complete();
        Assert.Equal("The store is full.", (await Assert.ThrowsAsync<IOException>(() => joiner.RunAsync())).Message);
        Assert.Null(await fleet.Store.ClaimWindowAsync());
        Assert.Equal(100, fleet.Records.Report.UnconfirmedRecords);
    }

    [Fact]
    public async Task Open_StoreThatIsNotThere_SaysSo()
    {
        await using Fleet fleet = await Fleet.Begin(fixture);
        var absent = new RefusingStates { IsAway = true };
        await Assert.ThrowsAsync<IOException>(() => fleet.OpenJoiner(0, states: absent));
    }

    private int CountWindows()
    {
        using NpgsqlDataSource source = NpgsqlDataSource.Create(_server!.ConnectionString);
        using NpgsqlCommand count = source.CreateCommand("SELECT count(*)::integer FROM forward_sampling_joins.join_files "
            + "WHERE file LIKE '0%.fsw'");
        return (int)count.ExecuteScalar()!;
    }

    private Process Start(Fleet fleet, string folder, int number)
    {
        Directory.CreateDirectory(folder);
        var start = new ProcessStartInfo("dotnet", ["exec", Path.Combine(AppContext.BaseDirectory, "NatsProcess.dll"), "join", fixture.Url,
            fleet.Options.Name, "1", folder, $"{number}"])
        { RedirectStandardOutput = true, RedirectStandardError = true };
        start.Environment["FORWARD_SAMPLING_JOIN_STATES"] = _server!.ConnectionString;
        Process process = Process.Start(start)!;
        process.OutputDataReceived += (_, _) => { };
        process.ErrorDataReceived += (_, _) => { };
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
        return process;
    }

    /// <summary>Takes an epoch's beginning, and no save after it; or is not there.</summary>
    private sealed class RefusingStates : IJoinStateStore
    {
        public bool IsAway { get; init; }

        public Task<long> FindLatestAsync(string join, CancellationToken cancellationToken = default)
            => IsAway ? throw new IOException("The store is not there.") : Task.FromResult(0L);

        public Task FetchAsync(string join, long epoch, string directory, CancellationToken cancellationToken = default)
            => Task.CompletedTask;

        public Task SaveAsync(string join, long epoch, string directory, IReadOnlyCollection<string> files,
            IReadOnlyCollection<string> changed, CancellationToken cancellationToken = default)
            => files.Count == 0 ? Task.CompletedTask : throw new IOException("The store is full.");

        public Task ForgetBeforeAsync(string join, long epoch, CancellationToken cancellationToken = default) => Task.CompletedTask;
    }
}
