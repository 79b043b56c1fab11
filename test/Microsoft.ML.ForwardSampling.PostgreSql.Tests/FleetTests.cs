using System.Diagnostics;
using System.Globalization;
using Microsoft.ML.ForwardSampling.Records;
using Microsoft.ML.ForwardSampling.Tests.Shared;
using Npgsql;

namespace Microsoft.ML.ForwardSampling.PostgreSql.Tests;

/// <summary>Real processes and a real server, really killed with SIGKILL.</summary>
public class FleetTests(StoreFixture fixture)
{
    private const int Window = 100;

    [Fact]
    public async Task Fleet_WriterWorkerAndServerKilledInMidFlight_EveryAcknowledgedRecordAndEveryWindowOnce()
    {
        PostgreSqlRecordStore<RegressionRecord> store = await fixture.NewStore<RegressionRecord>(
            new PostgreSqlStoreOptions { WindowRows = Window });
        string schema = fixture.LastSchema;

        // Four writers; one is killed, then the server, then the other three.
        Member[] writers = [.. Enumerable.Range(0, 4).Select(w => new Member("write", fixture.Server.ConnectionString, schema, w))];
        await Task.WhenAll(writers.Select(w => w.Until(() => w.Acknowledged > 500)));
        writers[0].Kill();
        await fixture.Server.KillAndRestart(TimeSpan.FromMilliseconds(100));
        long[] acknowledged = [.. writers.Select(w => w.Acknowledged)];
        await Task.WhenAll(writers.Skip(1).Select((w, i) => w.Until(() => w.Acknowledged > acknowledged[i + 1] + 500)));
        await Task.WhenAll(writers.Select(w => w.End()));

        fixture.Source.Clear();                                  // its connections died with the server
        var written = new Dictionary<int, ulong>();
        await using (NpgsqlCommand select = fixture.Source.CreateCommand(
            $"SELECT (key >> 40)::int, count(*), count(DISTINCT key), max(key & ((1::bigint << 40) - 1)) FROM {schema}.records GROUP BY 1"))
        {
            await using NpgsqlDataReader reader = await select.ExecuteReaderAsync();
            while (await reader.ReadAsync())
            {
                // The keys are 0, 1, ... with none missing and none twice.
                Assert.Equal((reader.GetInt64(1), reader.GetInt64(1) - 1), (reader.GetInt64(2), reader.GetInt64(3)));
                written[reader.GetInt32(0)] = (ulong)reader.GetInt64(1);
            }
        }

        Assert.Equal(4, written.Count);
        foreach (Member writer in writers)
            Assert.True(written[writer.Number] >= (ulong)writer.Acknowledged,
                $"Writer {writer.Number}: {writer.Acknowledged} were acknowledged, and {written[writer.Number]} are there.");

        // A worker is killed with a window in its hands; two others, started then so that it has one whatever the machine does, go on, and
        // the server is killed under them.
        ulong[] keys = [.. written.SelectMany(w => Enumerable.Range(0, (int)w.Value).Select(i => ((ulong)(uint)w.Key << 40) | (uint)i))];
        await store.AddLabelsAsync(Array.ConvertAll(keys, k => new LabelEvent(k, 0)));
        Assert.Equal(keys.Length, await store.JoinAsync(new LabelJoinOptions(), closeShortWindow: true));
        var killed = new Member("work", fixture.Server.ConnectionString, schema, 0);
        await killed.Until(() => killed.Claimed is not null);
        killed.Kill();
        Member[] workers = [killed, .. Enumerable.Range(1, 2).Select(w => new Member("work", fixture.Server.ConnectionString, schema, w))];
        await workers[1].Until(() => workers[1].Completed.Count + workers[2].Completed.Count > 0);
        await fixture.Server.KillAndRestart(TimeSpan.Zero);
        fixture.Source.Clear();
        for (var clock = Stopwatch.StartNew(); (await store.ReportAsync())
            .OpenWindows > 0; await Task.Delay(50, TestContext.Current.CancellationToken))
            Assert.True(clock.Elapsed < TimeSpan.FromSeconds(20), "The workers did not complete all windows.");
        await Task.WhenAll(workers.Select(w => w.End()));

        var selected = new List<ulong>();
        var windows = new List<long>();
        await foreach (SelectedWindow window in store.ReadSelectionsAsync())
        {
            windows.Add(window.Number);
            selected.AddRange(window.Rows.Select(row => row.Key));
        }

        Assert.Equal(Enumerable.Range(0, (keys.Length + Window - 1) / Window).Select(i => (long)i), windows);
        Assert.Equal(keys.Order(), selected.Order());
        string[] completed = [.. workers.SelectMany(w => w.Completed)];
        Assert.Equal(completed.Length, completed.Distinct().Count());
        Assert.Contains(long.Parse(killed.Claimed!, CultureInfo.InvariantCulture), windows);
    }

    /// <summary>Three joiners work side by side on four partitions; one after the other is killed, in the middle of whatever it
    /// does.</summary>
    [Fact]
    public async Task Fleet_JoinersKilledInMidFlight_EveryAcknowledgedRecordInOneWindow()
    {
        const int Partitions = 4;
        PostgreSqlRecordStore<RegressionRecord> store = await fixture.NewStore<RegressionRecord>(
            new PostgreSqlStoreOptions { WindowRows = Window, JoinPartitions = Partitions });
        Member[] writers = [Begin("record", 1), Begin("record", 2)];
        List<Member> joiners = [Begin("join", 0), Begin("join", 0), Begin("join", 0)];
        Member worker = Begin("work", 0);
        for (int kill = 0; kill < 6; kill++)
        {
            await joiners[0].Until(() => joiners[0].Joined > 200);
            await Task.Delay(7 * kill);
            joiners[0].Kill();
            joiners.RemoveAt(0);
            joiners.Add(Begin("join", 0));
        }

        await worker.Until(() => worker.Completed.Count > 2);
        await Task.WhenAll(writers.Concat(joiners).Append(worker).Select(m => m.End()));

        // A killed writer's last records have no label, and its last labels may be there twice, one of them late.
        await store.AddLabelsAsync((await Waiting()).Select(key => new LabelEvent((ulong)key, key % 1000)).ToArray());
        await store.JoinAsync(new LabelJoinOptions { Wait = TimeSpan.FromHours(1), Lateness = TimeSpan.FromHours(1) },
            closeShortWindow: true);
        while (await store.ClaimWindowAsync() is { } window)
        {
            await using (window)
                await window.CompleteAsync([.. window.Records.Select(r => new SelectedKey(r.Key, 1))]);
        }

        var selected = new List<ulong>();
        long windows = 0;
        await foreach (SelectedWindow window in store.ReadSelectionsAsync())
        {
            Assert.Equal(windows++, window.Number);
            Assert.Single(window.Rows.Select(row => row.Key % Partitions).Distinct());
            selected.AddRange(window.Rows.Select(row => row.Key));
        }

        Assert.Equal(selected.Count, selected.Distinct().Count());
        Assert.Empty(await Waiting());
        foreach (Member writer in writers)
        {
            long[] numbers = [.. selected.Where(key => key >> 40 == (ulong)writer.Number).Select(key => (long)(key % (1UL << 40))).Order()];
            Assert.True(numbers.Length >= writer.Acknowledged, $"{writer.Acknowledged} were acknowledged, {numbers.Length} are there.");
            Assert.Equal(numbers.Length - 1, numbers[^1]);
        }

        Assert.Empty(worker.Others);

        Member Begin(string work, int number) => new(work, fixture.Server.ConnectionString, fixture.LastSchema, number, Partitions);

        async Task<List<long>> Waiting()
        {
            await using NpgsqlCommand select = fixture.Source.CreateCommand($"SELECT key FROM {fixture.LastSchema}.records");
            await using NpgsqlDataReader reader = await select.ExecuteReaderAsync();
            var keys = new List<long>();
            while (await reader.ReadAsync())
                keys.Add(reader.GetInt64(0));
            return keys;
        }
    }

    /// <summary>A process of the fleet and what it said.</summary>
    private sealed class Member(string work, string connection, string schema, int number, int partitions = 1)
        : FleetProcess(number, "StoreProcess.dll", [work, connection, schema, number.ToString(CultureInfo.InvariantCulture),
            partitions.ToString(CultureInfo.InvariantCulture)])
    {
        public string? Claimed { get; private set; }

        public List<string> Completed { get; } = [];

        public long Joined { get; private set; }

        /// <summary>What should not be said.</summary>
        public List<string> Others { get; } = [];

        public async Task Until(Func<bool> condition)
        {
            for (var clock = Stopwatch.StartNew(); !condition(); await Task.Delay(5))
                Assert.True(clock.Elapsed < TimeSpan.FromSeconds(30) && !Process.HasExited,
                    $"Process {Number} ended, or did nothing for 30 s.");
        }

        public void Kill() => Process.Kill();

        public new async Task End()
        {
            await base.End();
            Process.Dispose();
        }

        protected override void Hear(string line)
        {
            if (line.StartsWith("claimed ", StringComparison.Ordinal))
                Claimed = line[8..];
            else if (line.StartsWith("joined ", StringComparison.Ordinal))
                Joined += long.Parse(line[7..], CultureInfo.InvariantCulture);
            else if (line.StartsWith("completed ", StringComparison.Ordinal))
                Completed.Add(line[10..]);
            else
                Others.Add(line);
        }
    }
}
