using Microsoft.ML.ForwardSampling.Nats;
using Microsoft.ML.ForwardSampling.Records;
using NATS.Client.Core;
using NATS.Client.JetStream;

namespace Microsoft.ML.ForwardSampling.Examples.ServeAndTrain;

/// <summary>Records, labels and windows over a NATS cluster. What was acknowledged is in folders of the run; the cluster carries.</summary>
internal sealed class NatsStore : IRecordStore
{
    /// <summary>Environment variable with the servers: a password does not belong into the run's folder, nor into a list of
    /// processes.</summary>
    public const string ConnectionVariable = "FORWARD_SAMPLING_NATS";

    private const int Partitions = 2;
    private const int Nodes = 3;

    private readonly RunFolder _run;
    private readonly NatsConnection _connection;
    private readonly NatsRecordStore<BinaryRecord> _store;

    /// <summary>Opens the store, and makes its streams if they are not there.</summary>
    /// <exception cref="IOException">No servers are named, or none of them takes part.</exception>
    public NatsStore(RunFolder run)
    {
        string? servers = Environment.GetEnvironmentVariable(ConnectionVariable);
        if (string.IsNullOrWhiteSpace(servers))
            throw new IOException(NoConnection);
        _run = run;
        _connection = new NatsConnection(NatsOpts.Default with { Url = servers });
        _store = new NatsRecordStore<BinaryRecord>(_connection, new NatsStoreOptions
        {
            Name = $"run_{run.Options.Schema[^24..]}",
            Partitions = Partitions,
            Replicas = servers.Split(',').Length >= Nodes ? Nodes : 1,
            StreamBytes = 64 << 20,
            WindowRows = Math.Min(run.Options.WindowRows, 16384),
            LeaseTimeout = TimeSpan.FromSeconds(2),
            ClaimTimeout = TimeSpan.FromSeconds(5),
        });
        try
        {
            Wait(_store.MigrateAsync());
        }
        catch (Exception e) when (e is NatsException or TimeoutException or InvalidOperationException)
        {
            Wait(_connection.DisposeAsync().AsTask());
            throw new IOException($"The NATS servers of the connection did not take part: {e.Message}", e);
        }
    }

    private static string NoConnection => $"""
        --store nats needs servers: give --connection nats://ONE:4222,nats://TWO:4222,nats://THREE:4222, or the same in the environment variable {ConnectionVariable}.
        Without a role, this program starts three nodes itself where nats-server is installed. {NatsServers.HowToInstall}
        """;

    public IRecordWriter<BinaryRecord> OpenRecords() => Wait(_store.OpenWriterAsync(Records));

    public IRecordWriter<LabelEvent> OpenLabels() => Wait(_store.OpenLabelWriterAsync(Labels));

    public IWindowSource OpenWindows() => new JoinedWindows(this);

    public StoreCounts Count(IReadOnlySet<ulong> served, IReadOnlySet<ulong> labelled)
    {
        if (!File.Exists(_run.Finished))
            throw new IOException($"The run in {_run.Path} is not finished, and rows on their way through the cluster cannot be counted: "
                + $"ask for the report when the process that trains has ended.");
        // What the joiners have saved, from their folder.
        NatsJoiner<BinaryRecord>[] joiners = OpenJoiners();
        LabelJoinReport[] reports = [.. joiners.Select(joiner => joiner.Report.Join)];
        foreach (NatsJoiner<BinaryRecord> joiner in joiners)
            Wait(joiner.DisposeAsync().AsTask());
        var joined = new HashSet<ulong>();
        for (int number = 0; _run.Windows.TryRead(number) is { } window; number++)
            joined.UnionWith(window.Rows.Select(row => row.Key));

        // Rows and labels whose time was over are only counted.
        long ended = reports.Sum(r => r.Expired + r.Voided + r.LateRecords), late = reports.Sum(r => r.LateLabels + r.OrphanLabels);
        return new StoreCounts
        {
            RowsFound = Math.Min(served.Count(joined.Contains) + ended, served.Count),
            RowsAgain = reports.Sum(r => r.DuplicateRecords),
            LabelsFound = Math.Min(labelled.Count(joined.Contains) + late, labelled.Count),
            Joined = reports.Sum(r => r.Joined),
            WithoutLabel = reports.Sum(r => r.Expired + r.PendingRecords),
            LateLabels = late,
            LateRecords = reports.Sum(r => r.LateRecords),
        };
    }

    public void Dispose()
    {
        Wait(_store.DisposeAsync().AsTask());
        Wait(_connection.DisposeAsync().AsTask());
    }

    private string Records => _run.In("records");

    private string Labels => _run.In("labels");

    private NatsJoiner<BinaryRecord>[] OpenJoiners() => Wait(Task.WhenAll(Enumerable.Range(0, Partitions)
        .Select(partition => _store.OpenJoinerAsync(partition, _run.In("joiner"), _run.Options.Join()))));

    private static T Wait<T>(Task<T> task) => task.GetAwaiter().GetResult();

    private static void Wait(Task task) => task.GetAwaiter().GetResult();

    /// <summary>Two joiners make windows; the trainer claims them, of either partition in turn. Killed with a claimed one, the cluster
    /// hands it out again.</summary>
    private sealed class JoinedWindows : IWindowSource
    {
        private static readonly TimeSpan Tick = TimeSpan.FromMilliseconds(20);

        private readonly NatsStore _store;
        private readonly NatsJoiner<BinaryRecord>[] _joiners;
        private readonly Task[] _joining;
        private readonly Journal _journal;
        // For each model version the window that it was trained on: partition and number.
        private readonly Dictionary<ulong, (ulong, ulong)> _trained = [];
        private NatsWindow? _claimed;
        private bool _completes;

        public JoinedWindows(NatsStore store)
        {
            _store = store;
            string path = store._run.In("claimed.log");
            _journal = new Journal(path);
            foreach ((_, ulong[] line) in new Journal.Follower(path).ReadNew())
                _trained[line[0]] = (line[1], line[2]);     // the last time that it was tried
            _joiners = store.OpenJoiners();
            _joining = [.. _joiners.Select(joiner => joiner.RunAsync())];
        }

        public TrainingWindow? Next(int version, bool ended)
        {
            if (ended && !_completes)
                Complete();
            while ((_claimed = Patiently(() => _store._store.ClaimWindowAsync())) is null)
            {
                if (!ended || (_joining.All(task => task.IsCompleted) && _joiners.All(joiner => joiner.Report.OpenWindows == 0)))
                    return null;
                Thread.Sleep(Tick);
            }

            // Trained before a crash, and not completed: its model's version says so.
            (ulong, ulong) place = ((ulong)_claimed.Partition, (ulong)_claimed.Number);
            int? former = _trained.Where(t => t.Value == place && t.Key < (ulong)version).Select(t => (int?)t.Key).FirstOrDefault();
            if (former is int done)
                return new TrainingWindow(done, _claimed.Records);
            _journal.Add(DateTime.UtcNow, [(ulong)version, place.Item1, place.Item2]);
            _trained[(ulong)version] = place;
            var window = new TrainingWindow(version, _claimed.Records);
            _store._run.Windows.Write(window);              // for the report
            return window;
        }

        public void Complete(TrainingWindow window, IReadOnlyList<SelectedKey> selected)
        {
            Patiently(() => _claimed!.CompleteAsync(selected));
            Wait(_claimed!.DisposeAsync().AsTask());
            _claimed = null;
        }

        public void Dispose()
        {
            if (_claimed is not null)
                Wait(_claimed.DisposeAsync().AsTask());
            foreach (NatsJoiner<BinaryRecord> joiner in _joiners)
                Wait(joiner.DisposeAsync().AsTask());
            _journal.Dispose();
        }

        /// <summary>Ships what the writers have left on their disk, and says that nothing more will come.</summary>
        private void Complete()
        {
            Drain(_store.Records, () => _store._store.OpenWriterAsync(_store.Records));
            Drain(_store.Labels, () => _store._store.OpenLabelWriterAsync(_store.Labels));
            foreach (NatsJoiner<BinaryRecord> joiner in _joiners)
                joiner.Complete();
            _completes = true;
        }

        /// <summary>A writer adopts the blocks of those that have ended; one that is just ending keeps its own a moment longer.</summary>
        private static void Drain<T>(string folder, Func<Task<NatsRecordWriter<T>>> open)
            where T : struct, ILogRecord<T>
        {
            while (Directory.EnumerateFiles(folder, "*.fsn").Any())
            {
                using (NatsRecordWriter<T> writer = Wait(open()))
                    Wait(writer.ConfirmAsync());
                Thread.Sleep(Tick);
            }
        }

        /// <summary>A cluster may be without a leader for some seconds.</summary>
        private T Patiently<T>(Func<Task<T>> ask)
        {
            while (true)
            {
                if (Array.Find(_joining, task => task.IsFaulted) is { } failed)
                    Wait(failed);
                try
                {
                    return Wait(ask());
                }
                catch (Exception e) when (e is NatsException or TimeoutException)
                {
                    Thread.Sleep(Tick);
                }
            }
        }
    }
}
