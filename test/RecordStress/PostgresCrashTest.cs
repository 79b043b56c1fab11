using System.Diagnostics;
using System.Globalization;
using Microsoft.ML.ForwardSampling.PostgreSql;
using Microsoft.ML.ForwardSampling.PostgreSql.Tests;
using Microsoft.ML.ForwardSampling.Records;
using Microsoft.ML.ForwardSampling.Tests.Shared;
using Npgsql;

namespace Microsoft.ML.ForwardSampling.RecordStress;

/// <summary>A fleet over one PostgreSQL server: writers that also label, joiners side by side on partitions of the keys, workers, all of
/// them killed at random moments, and the server with all its processes too.</summary>
/// <remarks>The processes are test/StoreProcess.</remarks>
internal sealed class PostgresCrashTest : IAsyncDisposable
{
    private const int Partitions = 4, Writers = 2, Joiners = 3, Workers = 2, WindowRows = 100;
    private const string Schema = "crashes";

    private static readonly LabelJoinOptions s_rules = new() { Wait = TimeSpan.FromHours(1), Lateness = TimeSpan.FromHours(1) };

    private readonly PostgreSqlServer _server;
    private readonly Random _random;
    private readonly TextWriter _output;
    private readonly List<Member> _members = [];
    private readonly List<Member> _all = [];
    private readonly SortedDictionary<string, int> _kills = new(StringComparer.Ordinal);
    private int _numbers;

    private PostgresCrashTest(PostgreSqlServer server, int seed, TextWriter output)
        => (_server, _random, _output) = (server, new Random(seed), output);

    private int Killed => _kills.Values.Sum();

    private int Completed => _all.Sum(m => m.Completed.Count);

    /// <summary>Kills until there is reason to believe the store.</summary>
    /// <exception cref="InvalidOperationException">PostgreSQL is not installed.</exception>
    public static async Task<CrashOutcome> Run(int kills, double minutes, int seed, TextWriter output)
    {
        PostgreSqlServer server = await PostgreSqlServer.Start(PostgreSqlServer.FindPrograms()
            ?? throw new InvalidOperationException("PostgreSQL is not installed: apt-get install postgresql."));
        await using var test = new PostgresCrashTest(server, seed, output);
        return await test.Run(kills, minutes, seed);
    }

    public async ValueTask DisposeAsync()
    {
        foreach (Member member in _members)
            await member.End();
        await _server.DisposeAsync();
    }

    private async Task<CrashOutcome> Run(int kills, double minutes, int seed)
    {
        long started = Stopwatch.GetTimestamp();
        var options = new PostgreSqlStoreOptions { Schema = Schema, JoinPartitions = Partitions, WindowRows = WindowRows };
        await using (var owner = new PostgreSqlRecordStore<RegressionRecord>(_server.ConnectionString, options))
            await owner.MigrateAsync();
        foreach ((string role, int count) in new[] { ("record", Writers), ("join", Joiners), ("work", Workers) })
        {
            for (int i = 0; i < count; i++)
                Begin(role);
        }

        await Progress(60);
        for (int told = 0; Killed < kills || Stopwatch.GetElapsedTime(started).TotalMinutes < minutes;)
        {
            await Task.Delay(_random.Next(400));
            if (_random.Next(8) == 0)
                await StrikeServer();
            else
                await StrikeProcess();
            if (Killed / 20 > told)
            {
                told = Killed / 20;
                _output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{Killed} kills, {Seconds(started)} s: acknowledged "
                    + $"{_all.Sum(m => m.Acknowledged):N0}, windows completed {Completed:N0}"));
            }
        }

        foreach (Member member in _members)
            await member.End();
        _members.Clear();
        CrashCounts counts = await Finish(options);
        _output.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"{(counts.IsGood ? "OK" : "FAILED")}: {Killed} kills (seed {seed}; "
            + $"{string.Join(", ", _kills.Select(k => $"{k.Value} {k.Key}"))}; {Seconds(started)} s; "
            + $"{_all.Sum(m => m.Joined):N0} rows joined and {Completed:N0} windows completed meanwhile): {counts}"));
        return new CrashOutcome(Killed, counts, counts.IsGood);
    }

    private async Task StrikeProcess()
    {
        Member victim = _members[_random.Next(_members.Count)];
        // Most workers with a window in their hands.
        if (victim.Role == "work" && _random.Next(4) > 0)
        {
            for (int i = 0; i < 500 && !victim.HasWindow; i++)
                await Task.Delay(2);
        }

        Count(victim.HasWindow ? "worker with a window" : victim.Role switch { "record" => "writer", "join" => "joiner", _ => "worker" });
        _members.Remove(victim);
        await victim.End();
        Begin(victim.Role);
    }

    private async Task StrikeServer()
    {
        Count("server");
        await _server.KillAndRestart(TimeSpan.FromMilliseconds(_random.Next(1000)));
        if (_random.Next(3) > 0)
            await Progress(60);
    }

    /// <summary>Joins and selects what is left, then reads all selections: each key that a writer was told is safe must be in one of them,
    /// and none twice.</summary>
    private async Task<CrashCounts> Finish(PostgreSqlStoreOptions options)
    {
        await using NpgsqlDataSource source = NpgsqlDataSource.Create(_server.ConnectionString);
        await using var store = new PostgreSqlRecordStore<RegressionRecord>(source, options);
        var waiting = new List<LabelEvent>();
        await using (NpgsqlCommand select = source.CreateCommand($"SELECT key FROM {Schema}.records"))
        await using (NpgsqlDataReader reader = await select.ExecuteReaderAsync())
        {
            while (await reader.ReadAsync())
                waiting.Add(new LabelEvent((ulong)reader.GetInt64(0), (reader.GetInt64(0) & ((1L << 40) - 1)) % 1000));
        }

        await store.AddLabelsAsync(waiting.ToArray());
        await store.JoinAsync(s_rules, closeShortWindow: true);
        while (await store.ClaimWindowAsync() is { } window)
        {
            await using (window)
                await window.CompleteAsync([.. window.Records.Select(r => new SelectedKey(r.Key, 1))]);
        }

        long wrong = 0, windows = 0;
        var keys = new KeyTally(_all.Where(m => m.Role == "record").Select(m => m.Number), numberBits: 40);
        await foreach (SelectedWindow window in store.ReadSelectionsAsync())
        {
            wrong += Say(window.Number != windows++, $"window {window.Number} comes as number {windows - 1}");
            foreach (SelectedKey row in window.Rows)
            {
                if (!keys.Add(row.Key))
                    wrong += Say(true, $"a record of writer {row.Key >> 40}, whom there is not");
            }
        }

        // A record that was stored twice would not be seen above: the join takes it once.
        PostgreSqlStoreReport report = await store.ReportAsync();
        long duplicated = keys.Duplicated + report.DuplicateRecords;
        wrong += Say(report.Windows != windows, $"{report.Windows} windows were made, and the selections of {windows} are there");
        wrong += Say(report.Joined != keys.Found || report.PendingRecords + report.Defaulted + report.Expired + report.Voided
            + report.DroppedRecords + report.DroppedRows != 0, report.ToString());
        string[] completed = [.. _all.SelectMany(m => m.Completed)];
        wrong += Say(completed.Length != completed.Distinct().Count(), "a window was completed twice");
        foreach (Member member in _all)
            wrong += Say(member.Wrong > 0, $"{member.Role} {member.Number} found {member.Wrong} windows with other rows than were written");
        foreach (Member member in _all)
            wrong += Say(member.EndedByItself, $"{member.Role} {member.Number} ended by itself");

        long acknowledged = 0, lost = 0;
        foreach (Member writer in _all.Where(m => m.Role == "record"))
        {
            acknowledged += writer.Acknowledged;
            lost += keys.Missing(writer.Number, writer.Acknowledged);
        }

        return new CrashCounts(acknowledged, keys.Found, lost, duplicated, wrong);
    }

    /// <summary>Waits until a further window is completed, so that there is something to lose.</summary>
    private async Task Progress(int seconds)
    {
        int before = Completed;
        for (long until = Environment.TickCount64 + (1000L * seconds); Completed == before && Environment.TickCount64 < until;)
            await Task.Delay(20);
    }

    private void Begin(string role)
    {
        var member = new Member(role, ++_numbers, _server.ConnectionString);
        _members.Add(member);
        _all.Add(member);
    }

    private void Count(string what) => _kills[what] = _kills.GetValueOrDefault(what) + 1;

    private int Say(bool isWrong, string line)
    {
        if (isWrong)
            _output.WriteLine(line);
        return isWrong ? 1 : 0;
    }

    private static string Seconds(long started)
        => Stopwatch.GetElapsedTime(started).TotalSeconds.ToString("0", CultureInfo.InvariantCulture);

    /// <summary>A process of the fleet and what it said.</summary>
    private sealed class Member(string role, int number, string connection) : FleetProcess(number, "StoreProcess.dll",
        [role, connection, Schema, number.ToString(CultureInfo.InvariantCulture), Partitions.ToString(CultureInfo.InvariantCulture)])
    {
        private volatile bool _hasWindow;

        public string Role => role;

        public long Joined { get; private set; }

        public List<string> Completed { get; } = [];

        public int Wrong { get; private set; }

        public bool HasWindow => _hasWindow;

        public bool EndedByItself { get; private set; }

        public new async Task End()
        {
            EndedByItself = Process.HasExited;
            await base.End();
            Process.Dispose();
        }

        protected override void Hear(string line)
        {
            string[] words = line.Split(' ');
            _hasWindow = words[0] == "claimed" || (_hasWindow && words[0] == "wrong");
            switch (words[0])
            {
                case "joined":
                    Joined += long.Parse(words[1], CultureInfo.InvariantCulture);
                    break;
                case "completed":
                    Completed.Add(words[1]);
                    break;
                case "wrong":
                    Wrong++;
                    break;
            }
        }
    }
}
