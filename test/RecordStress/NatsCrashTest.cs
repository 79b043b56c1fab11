using System.Diagnostics;
using System.Globalization;
using System.Runtime.InteropServices;
using Microsoft.ML.ForwardSampling.Nats;
using Microsoft.ML.ForwardSampling.Records;
using Microsoft.ML.ForwardSampling.Tests.Shared;
using NATS.Client.Core;

namespace Microsoft.ML.ForwardSampling.RecordStress;

/// <summary>A fleet over a cluster of three nodes: writers, two joiners for each partition, workers, all of them killed or stopped at
/// random moments, and the nodes too.</summary>
/// <remarks>The processes are test/NatsProcess; some kill themselves between saving and telling, or around a selection.</remarks>
internal sealed partial class NatsCrashTest : IAsyncDisposable
{
    private const int Partitions = 2, Writers = 2, Workers = 2;

    private readonly string _folder = Directory.CreateTempSubdirectory("nats-crashes-").FullName;
    private readonly NatsCluster _cluster = NatsCluster.Start(3);
    private readonly NatsStoreOptions _options = new()
    {
        Name = "crashes",
        Partitions = Partitions,
        StreamBytes = 64 << 20,
        WindowRows = 500,
        LeaseTimeout = TimeSpan.FromSeconds(1),
        ClaimTimeout = TimeSpan.FromSeconds(2),
    };

    private readonly Random _random;
    private readonly TextWriter _output;
    private readonly List<Member> _members = [];
    private readonly List<Member> _all = [];
    private readonly SortedDictionary<string, int> _kills = new(StringComparer.Ordinal);
    private int _numbers;

    private NatsCrashTest(int seed, TextWriter output) => (_random, _output) = (new Random(seed), output);

    /// <summary>Kills until there is reason to believe the fleet.</summary>
    public static async Task<CrashOutcome> Run(int kills, double minutes, int seed, TextWriter output)
    {
        await using var test = new NatsCrashTest(seed, output);
        (CrashCounts counts, string tale) = await test.Run(kills, minutes);
        test.Say($"{(counts.IsGood ? "OK" : "FAILED")}: {tale}: {counts}");
        return new CrashOutcome(test.Killed, counts, counts.IsGood);
    }

    public async ValueTask DisposeAsync()
    {
        foreach (Member member in _members)
            await member.End();
        await _cluster.DisposeAsync();
        Directory.Delete(_folder, recursive: true);
    }

    private int Killed => _kills.Values.Sum();

    private long Acknowledged => _all.Where(m => m.Role == "write").Sum(m => m.Acknowledged);

    private int Completed => _all.Sum(m => m.Completed.Count);

    private async Task<(CrashCounts Counts, string Tale)> Run(int kills, double minutes)
    {
        long started = Stopwatch.GetTimestamp();
        await using var connection = new NatsConnection(NatsOpts.Default with { Url = _cluster.Url });
        var store = new NatsRecordStore<RegressionRecord>(connection, _options);
        await store.MigrateAsync();
        Say($"a cluster of {_cluster.Count} nodes, {Partitions} partitions, after {Seconds(started)} s");
        for (int i = 0; i < Writers; i++)
            Begin("write", i);
        for (int i = 0; i < 2 * Partitions; i++)
            Begin("join", i);
        for (int i = 0; i < Workers; i++)
            Begin("work", i);
        await Progress(60);

        for (int told = 0; Killed < kills || Stopwatch.GetElapsedTime(started).TotalMinutes < minutes;)
        {
            await Task.Delay(_random.Next(500));
            if (_random.Next(12) == 0)
                await StrikeNodes();
            else
                StrikeProcess();
            foreach (Member dead in _members.Where(m => m.HasEnded).ToArray())
            {
                // Killed from here, or by itself at a chosen moment.
                Count(dead.IsKilled ? dead.Role : dead.Role + " by itself");
                _members.Remove(dead);
                await dead.End();
                Begin(dead.Role, dead.Slot);
            }

            foreach (Member stopped in _members.Where(m => m.WakeAt < Environment.TickCount64))
                stopped.Wake();
            if (Killed / 20 > told)
            {
                told = Killed / 20;
                Say($"{Killed} kills, {Seconds(started)} s: acknowledged {Acknowledged:N0}, windows completed {Completed}");
            }
        }

        // What writers have left is shipped by the next ones; joiners and workers go on until it is saved.
        foreach (Member member in _members.ToArray())
        {
            member.Wake();
            if (member.Role != "write")
                continue;
            _members.Remove(member);
            await member.End();
        }

        Member[] draining = [.. Enumerable.Range(0, Writers).Select(slot => Begin("drain", slot))];
        await Until(() => draining.All(m => m.Lines.Contains("drained")), 300, "what killed writers had left was not saved");
        foreach (Member member in _members)
            await member.End();
        _members.Clear();

        var reports = new List<NatsJoinerReport>();
        for (int p = 0; p < Partitions; p++)
        {
            await using NatsJoiner<RegressionRecord> joiner = await store.OpenJoinerAsync(p, FolderOf("join", p),
                new LabelJoinOptions { Wait = TimeSpan.FromHours(1), Lateness = TimeSpan.FromHours(1) });
            joiner.Complete();
            using var soon = new CancellationTokenSource(TimeSpan.FromSeconds(120));
            await joiner.RunAsync(soon.Token);
            Task completed = joiner.CompletedAsync(soon.Token);
            while (!completed.IsCompleted)
            {
                await using NatsWindow? window = await store.ClaimWindowAsync();
                if (window is null)
                    await Task.Delay(50);
                else
                    await window.CompleteAsync([.. window.Records.Select(r => new SelectedKey(r.Key, 1))]);
            }

            await completed;
            reports.Add(joiner.Report);
            _epochs += joiner.Epoch;
        }

        CrashCounts counts = await Count(store, reports);
        string tale = string.Create(CultureInfo.InvariantCulture,
            $"{Killed} kills ({string.Join(", ", _kills.Select(k => $"{k.Value} {k.Key}"))}; {Seconds(started)} s; {_epochs} joiners in "
            + $"turn, {reports.Sum(r => r.Windows):N0} windows, {_all.Sum(m => m.Fenced)} fenced, {_all.Sum(m => m.Late)} late "
            + $"completions, {reports.Sum(r => r.LostBlocks)} lost blocks)");
        return (counts, tale);
    }

    private long _epochs;

    /// <summary>Reads all selections: each key that a writer was told is safe must be in one of them, and none twice.</summary>
    private async Task<CrashCounts> Count(NatsRecordStore<RegressionRecord> store, List<NatsJoinerReport> reports)
    {
        long wrong = _all.Sum(m => m.Wrong);
        var keys = new KeyTally(_all.Where(m => m.Role == "write").Select(m => m.Number), numberBits: 32);
        for (int p = 0; p < Partitions; p++)
        {
            long windows = 0;
            await foreach (NatsSelection selection in store.ReadSelectionsAsync(p))
            {
                windows++;
                wrong += selection.Rows.Count(row => !keys.Add(row.Key));
            }

            if (windows != reports[p].Windows)
                Say($"partition {p}: {reports[p].Windows} windows were made, and the selections of the first {windows} are there");
            if (reports[p].Join.DuplicateRecords + reports[p].Join.LateRecords + reports[p].Join.LateLabels > 0)
                Say($"partition {p}: {reports[p].Join}");
        }

        long acknowledged = 0, lost = 0;
        foreach (Member writer in _all.Where(m => m.Role == "write"))
        {
            acknowledged += writer.Acknowledged;
            lost += keys.Missing(writer.Number, writer.Acknowledged);
        }

        return new CrashCounts(acknowledged, keys.Found, lost, keys.Duplicated, wrong);
    }

    private void StrikeProcess()
    {
        Member[] awake = [.. _members.Where(m => !m.IsStopped && !m.HasEnded && m.Role != "drain")];
        if (awake.Length == 0)
            return;
        Member victim = awake[_random.Next(awake.Length)];
        if (victim.Role != "write" && _random.Next(3) == 0)
        {
            // Long enough for another to take its work over; then it wakes up and does not know.
            victim.Stop(_random.Next(500, 4000));
            Count(victim.Role + " stopped");
        }
        else
        {
            victim.Kill();
        }
    }

    private async Task StrikeNodes()
    {
        bool isAll = _random.Next(4) == 0;
        int one = _random.Next(_cluster.Count);
        int[] nodes = isAll ? [.. Enumerable.Range(0, _cluster.Count)] : [one];
        foreach (int node in nodes)
            _cluster.KillNode(node);
        await Task.Delay(_random.Next(1500));
        foreach (int node in nodes)
            _cluster.StartNode(node);
        Count(isAll ? "all nodes" : "node");
        if (_random.Next(3) > 0)
            await Progress(60);
    }

    /// <summary>Waits until a further window is completed, so that there is something to lose.</summary>
    private async Task Progress(int seconds)
    {
        int before = Completed;
        for (long until = Environment.TickCount64 + (1000L * seconds); Completed == before && Environment.TickCount64 < until;)
        {
            await Task.Delay(20);
            foreach (Member stopped in _members.Where(m => m.WakeAt < Environment.TickCount64))
                stopped.Wake();
        }
    }

    private async Task Until(Func<bool> condition, int seconds, string otherwise)
    {
        for (long until = Environment.TickCount64 + (1000L * seconds); !condition(); await Task.Delay(50))
        {
            if (Environment.TickCount64 > until)
                throw new InvalidOperationException($"After {seconds} s {otherwise}: "
                    + string.Join("; ", _members.Select(m => $"{m.Role} {m.Slot}: {m.Lines.LastOrDefault()}")));
        }
    }

    private string FolderOf(string role, int slot) => Path.Combine(_folder, role == "join" ? "joiners" : $"writer{slot}");

    private Member Begin(string role, int slot)
    {
        // A joiner's number names its partition, any other's is its own.
        int number = role == "join" ? slot + (2 * Partitions * _numbers++) : 1 + _numbers++;
        var member = new Member(role, slot, number, [_cluster.Url, _options.Name, Partitions.ToString(CultureInfo.InvariantCulture),
            FolderOf(role, slot)]);
        _members.Add(member);
        _all.Add(member);
        return member;
    }

    private void Count(string what) => _kills[what] = _kills.GetValueOrDefault(what) + 1;

    private void Say(string line) => _output.WriteLine(line);

    private static string Seconds(long started)
        => Stopwatch.GetElapsedTime(started).TotalSeconds.ToString("0", CultureInfo.InvariantCulture);

    /// <summary>A process of the fleet and what it said.</summary>
    private sealed partial class Member(string role, int slot, int number, string[] arguments) : FleetProcess(number, "NatsProcess.dll",
        [role, .. arguments, number.ToString(CultureInfo.InvariantCulture)], line => Console.Error.Write($"{role} {slot}: {line}\n"))
    {
        private const int Cont = 18, Stp = 19;

        public string Role => role;

        public int Slot => slot;

        public List<string> Completed { get; } = [];

        public List<string> Lines { get; } = [];

        public int Fenced { get; private set; }

        public int Late { get; private set; }

        public int Wrong { get; private set; }

        public bool IsKilled { get; private set; }

        public bool IsStopped { get; private set; }

        public long WakeAt { get; private set; } = long.MaxValue;

        public bool HasEnded => Process.HasExited;

        public void Kill()
        {
            IsKilled = true;
            Process.Kill();
            Process.WaitForExit();
        }

        public void Stop(int milliseconds)
        {
            (IsStopped, WakeAt) = (true, Environment.TickCount64 + milliseconds);
            _ = Signal(Process.Id, Stp);
        }

        public void Wake()
        {
            if (!IsStopped)
                return;
            (IsStopped, WakeAt) = (false, long.MaxValue);
            _ = Signal(Process.Id, Cont);
        }

        protected override void Hear(string line)
        {
            switch (line.Split(' ')[0])
            {
                case "completed":
                    Completed.Add(line);
                    break;
                case "late":
                    Late++;
                    break;
                case "fenced":
                    Fenced++;
                    break;
                case "wrong":
                    Wrong++;
                    break;
            }

            Lines.Add(line);
        }

        [LibraryImport("libc", EntryPoint = "kill")]
        private static partial int Signal(int process, int signal);
    }
}
