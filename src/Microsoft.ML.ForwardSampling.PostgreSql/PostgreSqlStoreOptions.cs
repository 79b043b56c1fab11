using System.Text.RegularExpressions;

namespace Microsoft.ML.ForwardSampling.PostgreSql;

/// <summary>Where a <see cref="PostgreSqlRecordStore{TRecord}"/> keeps its tables, and for how long. Each option is checked when it is
/// set.</summary>
public sealed partial record PostgreSqlStoreOptions
{
    /// <summary>Name of the schema that holds the store's tables and nothing else. One schema holds one kind of record.</summary>
    /// <value>1 to 63 of the characters a–z, 0–9 and _, not beginning with a digit; default "forward_sampling".</value>
    /// <exception cref="ArgumentException">Not such a name.</exception>
    public string Schema
    {
        get;
        init => field = SchemaName().IsMatch(value ?? "")
            ? value!
            : throw new ArgumentException($"{nameof(PostgreSqlStoreOptions)}.{nameof(Schema)} must be 1 to 63 of the characters a-z, 0-9 "
                + $"and _, not beginning with a digit. Got '{value}'.", nameof(Schema));
    }
    = "forward_sampling";

    /// <summary>Time that one partition of records, and one of joined rows, spans. Fixed when the store is made. A key is looked up in
    /// every partition that may hold it: let the wait for labels span few of them.</summary>
    /// <value>[1 s, 366 days], whole seconds; default 1 day.</value>
    /// <exception cref="ArgumentOutOfRangeException">Outside [1 s, 366 days], or no whole seconds.</exception>
    public TimeSpan PartitionInterval
    {
        get;
        init => field = value.Ticks % TimeSpan.TicksPerSecond == 0
            ? Require.InRange(value, Require.Second, TimeSpan.FromDays(366), nameof(PostgreSqlStoreOptions))
            : throw new ArgumentOutOfRangeException(nameof(PartitionInterval), value,
                $"{nameof(PostgreSqlStoreOptions)}.{nameof(PartitionInterval)} must be whole seconds.");
    }
    = TimeSpan.FromDays(1);

    /// <summary>Partitions that are made ahead of time. Fixed when the store is made.</summary>
    /// <value>[1, 100]; default 2.</value>
    /// <exception cref="ArgumentOutOfRangeException">Outside [1, 100].</exception>
    public int PartitionsAhead { get; init => field = Require.InRange(value, 1, 100, nameof(PostgreSqlStoreOptions)); } = 2;

    /// <summary>Parts of the keys that joiners work on side by side, each one joiner at a time: a record and its labels are of part key mod
    /// this. Fixed when the store is made; the same for every process. A window holds rows of one part.</summary>
    /// <value>1, 2, 4, 8, 16, 32 or 64; default 1. More than about one for each core that the server has for joining is of no
    /// use.</value>
    /// <exception cref="ArgumentOutOfRangeException">Another number.</exception>
    public int JoinPartitions
    {
        get;
        init => field = value is >= 1 and <= 64 && int.IsPow2(value) ? value : throw new ArgumentOutOfRangeException(nameof(JoinPartitions),
            value, $"{nameof(PostgreSqlStoreOptions)}.{nameof(JoinPartitions)} must be 1, 2, 4, 8, 16, 32 or 64.");
    }
    = 1;

    /// <summary>A record that nobody joined is dropped, and counted, with its partition once all of it is older than this. Give more than
    /// the joiner's wait, by more than joining may ever be behind: JoinAsync refuses less than Wait + Lateness.</summary>
    /// <value>[1 s, 36600 days]; default 30 days.</value>
    /// <exception cref="ArgumentOutOfRangeException">Outside [1 s, 36600 days].</exception>
    public TimeSpan RecordRetention
    {
        get; init => field = Require.InRange(value, Require.Second, TimeSpan.FromDays(36600),
        nameof(PostgreSqlStoreOptions));
    } = TimeSpan.FromDays(30);

    /// <summary>Joined rows are dropped with their partition, and their windows with them, once all of it is older than this; windows that
    /// no worker had completed are counted. So long, at most, a record or label that comes again is recognised (docs/postgresql.md, "The
    /// join").</summary>
    /// <value>[1 s, 36600 days]; default 30 days.</value>
    /// <exception cref="ArgumentOutOfRangeException">Outside [1 s, 36600 days].</exception>
    public TimeSpan JoinedRetention
    {
        get; init => field = Require.InRange(value, Require.Second, TimeSpan.FromDays(36600),
        nameof(PostgreSqlStoreOptions));
    } = TimeSpan.FromDays(30);

    /// <summary>A label that found no record is kept this long, then deleted and counted. JoinAsync refuses less than Wait +
    /// Lateness.</summary>
    /// <value>[1 s, 36600 days]; default 30 days.</value>
    /// <exception cref="ArgumentOutOfRangeException">Outside [1 s, 36600 days].</exception>
    public TimeSpan LabelRetention
    {
        get; init => field = Require.InRange(value, Require.Second, TimeSpan.FromDays(36600),
        nameof(PostgreSqlStoreOptions));
    } = TimeSpan.FromDays(30);

    /// <summary>A claimed window comes free again when its worker is silent this long. A worker whose process ends gives it back at once;
    /// this is for a machine that vanishes.</summary>
    /// <value>[1 s, 1 day]; default 10 minutes.</value>
    /// <exception cref="ArgumentOutOfRangeException">Outside [1 s, 1 day].</exception>
    public TimeSpan ClaimTimeout
    {
        get; init => field = Require.InRange(value, Require.Second, TimeSpan.FromDays(1),
        nameof(PostgreSqlStoreOptions));
    } = TimeSpan.FromMinutes(10);

    /// <summary>Rows of a window, the unit that one worker claims and selects from.</summary>
    /// <value>[1, 16777216]; default 4096.</value>
    /// <exception cref="ArgumentOutOfRangeException">Outside [1, 16777216].</exception>
    public int WindowRows { get; init => field = Require.InRange(value, 1, 1 << 24, nameof(PostgreSqlStoreOptions)); } = 4096;

    [GeneratedRegex(@"\A[a-z_][a-z0-9_]{0,62}\z")]
    private static partial Regex SchemaName();
}
