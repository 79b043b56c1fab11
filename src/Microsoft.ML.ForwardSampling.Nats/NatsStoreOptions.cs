using System.Text.RegularExpressions;

namespace Microsoft.ML.ForwardSampling.Nats;

/// <summary>What a <see cref="NatsRecordStore{TRecord}"/> is called in the cluster, and how it is laid out there. Each option is checked
/// when it is set.</summary>
public sealed partial record NatsStoreOptions
{
    /// <summary>First word of all subjects and streams of the store. One name holds one kind of record.</summary>
    /// <value>1 to 32 of the characters a–z, 0–9 and _; default "forward_sampling".</value>
    /// <exception cref="ArgumentException">Not such a name.</exception>
    public string Name
    {
        get;
        init => field = StoreName().IsMatch(value ?? "")
            ? value!
            : throw new ArgumentException($"{nameof(NatsStoreOptions)}.{nameof(Name)} must be 1 to 32 of the characters a-z, 0-9 and _. "
                + $"Got '{value}'.", nameof(Name));
    }
    = "forward_sampling";

    /// <summary>Parts that are joined side by side, each by a joiner of its own; a row belongs to part key mod this. Fixed when the store
    /// is made.</summary>
    /// <value>[1, 1024]; default 4.</value>
    /// <exception cref="ArgumentOutOfRangeException">Outside [1, 1024].</exception>
    public int Partitions { get; init => field = Require.InRange(value, 1, 1024, nameof(NatsStoreOptions)); } = 4;

    /// <summary>Nodes that hold a copy of each stream. Fixed when the store is made.</summary>
    /// <value>1, 3 or 5, at most the nodes of the cluster; default 3.</value>
    /// <exception cref="ArgumentOutOfRangeException">Another number.</exception>
    public int Replicas
    {
        get;
        init => field = value is 1 or 3 or 5 ? value : throw new ArgumentOutOfRangeException(nameof(Replicas), value,
            $"{nameof(NatsStoreOptions)}.{nameof(Replicas)} must be 1, 3 or 5.");
    }
    = 3;

    /// <summary>Bytes that each stream of records, of labels and of windows may take on each node. The server reserves them when it makes
    /// the stream. A full one takes no more until its joiner, or its workers, have caught up: writers wait with theirs on disk.</summary>
    /// <value>[1048576, 1099511627776], bytes; default 268435456.</value>
    /// <exception cref="ArgumentOutOfRangeException">Outside the range.</exception>
    public long StreamBytes { get; init => field = Require.InRange(value, 1L << 20, 1L << 40, nameof(NatsStoreOptions)); } = 256L << 20;

    /// <summary>Rows of a window, the unit that one worker claims and selects from. Fixed when the store is made.</summary>
    /// <value>[1, 16384]: a window is one message, and those have at most a megabyte; default 4096.</value>
    /// <exception cref="ArgumentOutOfRangeException">Outside [1, 16384].</exception>
    public int WindowRows { get; init => field = Require.InRange(value, 1, 16384, nameof(NatsStoreOptions)); } = 4096;

    /// <summary>A claimed window comes free again when its worker is silent this long. Fixed when the store is made.</summary>
    /// <value>[1 s, 1 h]; default 30 s.</value>
    /// <exception cref="ArgumentOutOfRangeException">Outside [1 s, 1 h].</exception>
    public TimeSpan ClaimTimeout
    {
        get; init => field = Require.InRange(value, Require.Second, Require.Hour, nameof(NatsStoreOptions));
    } = TimeSpan.FromSeconds(30);

    /// <summary>Another joiner may take a partition over once its joiner was silent this long. The same for all joiners of a
    /// store.</summary>
    /// <value>[1 s, 1 h]; default 5 s.</value>
    /// <exception cref="ArgumentOutOfRangeException">Outside [1 s, 1 h].</exception>
    public TimeSpan LeaseTimeout
    {
        get; init => field = Require.InRange(value, Require.Second, Require.Hour, nameof(NatsStoreOptions));
    } = TimeSpan.FromSeconds(5);

    /// <summary>What was selected is kept this long. Fixed when the store is made.</summary>
    /// <value>[1 h, 36600 days]; default 30 days.</value>
    /// <exception cref="ArgumentOutOfRangeException">Outside [1 h, 36600 days].</exception>
    public TimeSpan SelectionRetention
    {
        get; init => field = Require.InRange(value, Require.Hour, TimeSpan.FromDays(36600), nameof(NatsStoreOptions));
    } = TimeSpan.FromDays(30);

    [GeneratedRegex(@"\A[a-z0-9_]{1,32}\z")]
    private static partial Regex StoreName();
}
