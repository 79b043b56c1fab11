using Microsoft.ML.ForwardSampling.PostgreSql;
using Microsoft.ML.ForwardSampling.Records;
using Npgsql;

namespace Microsoft.ML.ForwardSampling.Examples.ServeAndTrain;

/// <summary>Records, labels and windows in a PostgreSQL database, each run in a schema of its own.</summary>
internal sealed class PostgreSqlStore : IRecordStore
{
    /// <summary>Environment variable with the connection string: a password does not belong into the run's folder, nor into a list of
    /// processes.</summary>
    public const string ConnectionVariable = "FORWARD_SAMPLING_POSTGRES";

    private readonly RunFolder _run;
    private readonly NpgsqlDataSource _source;
    private readonly PostgreSqlRecordStore<BinaryRecord> _store;

    /// <summary>Opens the store, and makes its schema if it is not there.</summary>
    /// <exception cref="IOException">There is no connection string, or no server behind it.</exception>
    public PostgreSqlStore(RunFolder run)
    {
        string? connection = Environment.GetEnvironmentVariable(ConnectionVariable);
        if (string.IsNullOrWhiteSpace(connection))
            throw new IOException(NoConnection);
        _run = run;
        try
        {
            _source = NpgsqlDataSource.Create(connection);
            _store = new PostgreSqlRecordStore<BinaryRecord>(_source,
                new PostgreSqlStoreOptions { Schema = run.Options.Schema, WindowRows = run.Options.WindowRows });
            Wait(_store.MigrateAsync());
        }
        catch (Exception e) when (e is NpgsqlException or ArgumentException)
        {
            throw new IOException($"The PostgreSQL server of the connection string did not take part: {e.Message}", e);
        }
    }

    private static string NoConnection => $"""
        --store postgres needs a server: give --connection "Host=...;Database=...;Username=...;Password=...", or the same in the environment variable {ConnectionVariable}.
        One for trying out: docker run --rm -e POSTGRES_PASSWORD=secret -p 127.0.0.1:5432:5432 postgres:15
        or on Debian, as root: apt-get install postgresql && pg_ctlcluster 15 main start; su postgres -c "psql -c \"ALTER ROLE postgres PASSWORD 'secret'\""
        and then: --connection "Host=127.0.0.1;Username=postgres;Password=secret"
        """;

    public IRecordWriter<BinaryRecord> OpenRecords() => Wait(_store.OpenWriterAsync());

    public IRecordWriter<LabelEvent> OpenLabels() => Wait(_store.OpenLabelWriterAsync());

    public IWindowSource OpenWindows() => new ClaimedWindows(_store, _run);

    public StoreCounts Count(IReadOnlySet<ulong> served, IReadOnlySet<ulong> labelled)
    {
        PostgreSqlStoreReport report = Wait(_store.ReportAsync());
        HashSet<ulong> joined = Keys("joined"), records = Keys("records"), labels = Keys("labels");
        // Records whose time was over are deleted, and only counted.
        long rows = served.Count(key => joined.Contains(key) || records.Contains(key)) + report.Expired + report.Voided;
        return new StoreCounts
        {
            RowsFound = Math.Min(rows, served.Count),
            RowsAgain = report.DuplicateRecords,
            LabelsFound = labelled.Count(key => joined.Contains(key) || labels.Contains(key)),
            Joined = report.Joined,
            WithoutLabel = report.Expired + report.PendingRecords,
            LateLabels = report.LateLabels + report.PendingLabels,
        };
    }

    public void Dispose()
    {
        Wait(_store.DisposeAsync().AsTask());
        _source.Dispose();
    }

    private HashSet<ulong> Keys(string table)
    {
        using NpgsqlCommand select = _source.CreateCommand($"SELECT key FROM {_run.Options.Schema}.{table}");
        using NpgsqlDataReader reader = select.ExecuteReader();
        var keys = new HashSet<ulong>();
        while (reader.Read())
            keys.Add((ulong)reader.GetInt64(0));
        return keys;
    }

    private static T Wait<T>(Task<T> task) => task.GetAwaiter().GetResult();

    private static void Wait(Task task) => task.GetAwaiter().GetResult();

    /// <summary>Windows that the database makes and hands out. Killed with a claimed window, the server notices and hands it out
    /// again.</summary>
    private sealed class ClaimedWindows(PostgreSqlRecordStore<BinaryRecord> store, RunFolder run) : IWindowSource
    {
        private ClaimedWindow? _claimed;

        public TrainingWindow? Next(int version, bool ended)
        {
            Wait(store.JoinAsync(run.Options.Join(), closeShortWindow: ended));
            _claimed = Wait(store.ClaimWindowAsync());
            if (_claimed is null)
                return null;
            var window = new TrainingWindow((int)_claimed.Number, _claimed.Records);
            run.Windows.Write(window);                      // for the report
            return window;
        }

        public void Complete(TrainingWindow window, IReadOnlyList<SelectedKey> selected)
        {
            Wait(_claimed!.CompleteAsync(selected));
            Wait(_claimed.DisposeAsync().AsTask());
            _claimed = null;
        }

        public void Dispose()
        {
            if (_claimed is not null)
                Wait(_claimed.DisposeAsync().AsTask());
        }
    }
}
