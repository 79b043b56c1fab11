using System.Diagnostics.Metrics;
using Microsoft.ML.ForwardSampling.Records;

namespace Microsoft.ML.ForwardSampling.Nats;

/// <summary>What this process's writers and joiners of a fleet count beyond what all writers and joins do, as instruments: looked at when
/// somebody collects.</summary>
/// <remarks>What is added up is kept when its writer or joiner closes; what waits goes with it.</remarks>
internal static class FleetMeters
{
    private const string Kind = "forward_sampling.record.kind";
    private const string Partition = "forward_sampling.fleet.partition";

    private static readonly Meter s_meter = new(ForwardSamplingDiagnostics.MeterName);
    private static readonly MeteredSet<RecordKind, ShippingTotals> s_writers = new(Kind, kind => kind.ToString().ToLowerInvariant());
    private static readonly MeteredSet<int, JoinerTotals> s_joiners = new(Partition, partition => partition);

    static FleetMeters()
    {
        Count("blocks_shipped", s_writers, t => t.Shipped, "{block}", "Blocks of records and labels that the cluster has taken.");
        Count("blocks_repeated", s_writers, t => t.Repeated, "{block}", "Of these, shipped again because the cluster had lost them.");
        Count("blocks_damaged", s_writers, t => t.Damaged, "{block}", "Places on the disk where a block was damaged.");
        Count("shipping_failures", s_writers, t => t.Failures, "{failure}", "Failed attempts to ship a block.");
        Waiting("unconfirmed", s_writers, t => t.Unconfirmed, "{record}", "Records and labels on the disk that no joiner has saved yet.");
        Waiting("disk", s_writers, t => t.DiskBytes, "By", "Size of the files that hold them.");
        Count("windows", s_joiners, t => t.Windows, "{window}", "Windows made.");
        Count("windows_repeated", s_joiners, t => t.RepeatedWindows, "{window}", "Windows sent again because the cluster had lost them.");
        Count("gaps", s_joiners, t => t.Gaps, "{gap}", "Times that a block was missing, so that its writer was asked for it.");
        Count("blocks_lost", s_joiners, t => t.LostBlocks, "{block}", "Blocks that no writer has any more.");
        Count("saves", s_joiners, t => t.Saves, "{save}", "Saves of joiners' states.");
        Waiting("windows_unsent", s_joiners, t => t.UnsentWindows, "{window}", "Windows that the cluster has not taken yet.");
        Waiting("windows_open", s_joiners, t => t.OpenWindows, "{window}", "Windows that no worker has completed.");
    }

    /// <summary>A writer is open; dispose of the result when it closes.</summary>
    public static IDisposable Add(RecordKind kind, Func<ShippingTotals> totals) => s_writers.Add(kind, totals);

    /// <summary>A joiner is open; dispose of the result when it closes.</summary>
    public static IDisposable Add(int partition, Func<JoinerTotals> totals) => s_joiners.Add(partition, totals);

    private static void Count<TKey, TTotals>(string name, MeteredSet<TKey, TTotals> all, Func<TTotals, long> count, string unit,
        string description)
        where TKey : notnull
        where TTotals : struct, ITotals<TTotals>
        => s_meter.CreateObservableCounter("forward_sampling.fleet." + name, () => all.Observe(count), unit, description);

    private static void Waiting<TKey, TTotals>(string name, MeteredSet<TKey, TTotals> all, Func<TTotals, long> count, string unit,
        string description)
        where TKey : notnull
        where TTotals : struct, ITotals<TTotals>
        => s_meter.CreateObservableUpDownCounter("forward_sampling.fleet." + name, () => all.Observe(count), unit, description);
}

/// <summary>Counts that can be added.</summary>
internal interface ITotals<TTotals>
    where TTotals : ITotals<TTotals>
{
    /// <summary>What stays of them when the one that counted closes.</summary>
    TTotals Closed { get; }

    static abstract TTotals operator +(TTotals a, TTotals b);
}

/// <summary>What writers of one kind count beyond what all writers do.</summary>
internal readonly record struct ShippingTotals : ITotals<ShippingTotals>
{
    public long Shipped { get; init; }

    public long Repeated { get; init; }

    public long Damaged { get; init; }

    public long Failures { get; init; }

    public long Unconfirmed { get; init; }

    public long DiskBytes { get; init; }

    public ShippingTotals Closed => this with { Unconfirmed = 0, DiskBytes = 0 };

    public static ShippingTotals operator +(ShippingTotals a, ShippingTotals b) => new()
    {
        Shipped = a.Shipped + b.Shipped,
        Repeated = a.Repeated + b.Repeated,
        Damaged = a.Damaged + b.Damaged,
        Failures = a.Failures + b.Failures,
        Unconfirmed = a.Unconfirmed + b.Unconfirmed,
        DiskBytes = a.DiskBytes + b.DiskBytes,
    };
}

/// <summary>What joiners of one partition count beyond what all joins do, of this process.</summary>
internal readonly record struct JoinerTotals : ITotals<JoinerTotals>
{
    public long Windows { get; init; }

    public long RepeatedWindows { get; init; }

    public long Gaps { get; init; }

    public long LostBlocks { get; init; }

    public long Saves { get; init; }

    public long UnsentWindows { get; init; }

    public long OpenWindows { get; init; }

    public JoinerTotals Closed => this with { UnsentWindows = 0, OpenWindows = 0 };

    public static JoinerTotals operator +(JoinerTotals a, JoinerTotals b) => new()
    {
        Windows = a.Windows + b.Windows,
        RepeatedWindows = a.RepeatedWindows + b.RepeatedWindows,
        Gaps = a.Gaps + b.Gaps,
        LostBlocks = a.LostBlocks + b.LostBlocks,
        Saves = a.Saves + b.Saves,
        UnsentWindows = a.UnsentWindows + b.UnsentWindows,
        OpenWindows = a.OpenWindows + b.OpenWindows,
    };
}

/// <summary>What is open now, and the sums of what was, by a tag.</summary>
/// <param name="tag">The tag's name.</param>
/// <param name="name">Its value for a key.</param>
internal sealed class MeteredSet<TKey, TTotals>(string tag, Func<TKey, object> name)
    where TKey : notnull
    where TTotals : struct, ITotals<TTotals>
{
    private readonly Lock _gate = new();
    private readonly List<Entry> _open = [];
    private readonly Dictionary<TKey, TTotals> _closed = [];

    public IDisposable Add(TKey key, Func<TTotals> totals)
    {
        var entry = new Entry(this, key, totals);
        lock (_gate)
        {
            _open.Add(entry);
            _closed.TryAdd(key, default);
        }

        return entry;
    }

    public List<Measurement<long>> Observe(Func<TTotals, long> count)
    {
        Dictionary<TKey, TTotals> all;
        Entry[] open;
        lock (_gate)
        {
            all = new Dictionary<TKey, TTotals>(_closed);
            open = [.. _open];
        }

        // One that closes meanwhile still gives its counts, and its total is not among those copied.
        foreach (Entry entry in open)
            all[entry.Key] += entry.Totals();
        return [.. all.Select(one => new Measurement<long>(count(one.Value), new KeyValuePair<string, object?>(tag, name(one.Key))))];
    }

    private sealed class Entry(MeteredSet<TKey, TTotals> all, TKey key, Func<TTotals> totals) : IDisposable
    {
        public TKey Key => key;

        public Func<TTotals> Totals => totals;

        public void Dispose()
        {
            TTotals last = totals().Closed;                 // outside the gate: it takes others
            lock (all._gate)
            {
                if (all._open.Remove(this))
                    all._closed[key] += last;
            }
        }
    }
}
