using System.Diagnostics.Metrics;

namespace Microsoft.ML.ForwardSampling.Records;

/// <summary>What all writers of this process count, as instruments: looked at when somebody collects, so that appending knows nothing of
/// it.</summary>
/// <remarks>A writer is known from its start until its thread has ended; what it counted then is kept as a total of its kind.</remarks>
internal static class RecordMeters
{
    private const string Kind = "forward_sampling.record.kind";

    private static readonly Lock s_gate = new();
    private static readonly List<IMeasuredWriter> s_open = [];
    private static readonly WriterTotals[] s_closed = new WriterTotals[Enum.GetValues<RecordKind>().Max(kind => (int)kind) + 1];
    private static readonly KeyValuePair<string, object?>[] s_tags = [.. Enumerable.Range(0, s_closed.Length)
        .Select(kind => new KeyValuePair<string, object?>(Kind, ((RecordKind)kind).ToString().ToLowerInvariant()))];
    private static readonly Meter s_meter = new(ForwardSamplingDiagnostics.MeterName);

    static RecordMeters()
    {
        s_meter.CreateObservableCounter("forward_sampling.record.appended", () => Observe(totals => totals.Appended), "{record}",
            "Records and labels that writers have taken.");
        s_meter.CreateObservableCounter("forward_sampling.record.acknowledged", () => Observe(totals => totals.Acknowledged), "{record}",
            "Records and labels that are as safe as their writer promises.");
        s_meter.CreateObservableCounter("forward_sampling.record.thinned", () => Observe(totals => totals.Thinned), "{record}",
            "Records not drawn while memory was more than half full; the weights of the kept ones stand for them.");
        s_meter.CreateObservableCounter("forward_sampling.record.dropped", () => Observe(totals => totals.Dropped), "{record}",
            "Records dropped because memory was full; nothing stands for them.");
        s_meter.CreateObservableCounter("forward_sampling.record.write_failures", () => Observe(totals => totals.Failures), "{failure}",
            "Failed attempts to write.");
        s_meter.CreateObservableUpDownCounter("forward_sampling.record.pending", () => Observe(totals => totals.Pending), "{record}",
            "Records and labels in memory that are not acknowledged yet.");
        s_meter.CreateObservableGauge("forward_sampling.record.acknowledgement_lag", ObserveLag, "s",
            "How long the oldest block of records has waited for its acknowledgement, over all open writers.");
    }

    public static void Add(IMeasuredWriter writer)
    {
        lock (s_gate)
            s_open.Add(writer);
    }

    public static void Remove(IMeasuredWriter writer)
    {
        WriterTotals last = writer.Totals;                  // outside the gate: it takes the writer's own
        lock (s_gate)
        {
            s_open.Remove(writer);
            s_closed[(int)writer.Kind] += last;
        }
    }

    private static List<Measurement<long>> Observe(Func<WriterTotals, long> count)
    {
        WriterTotals[] totals = Look(out bool[] seen);
        var measurements = new List<Measurement<long>>(totals.Length);
        for (int kind = 0; kind < totals.Length; kind++)
        {
            if (seen[kind])
                measurements.Add(new Measurement<long>(count(totals[kind]), s_tags[kind]));
        }

        return measurements;
    }

    private static List<Measurement<double>> ObserveLag()
    {
        WriterTotals[] totals = Look(out bool[] seen);
        var measurements = new List<Measurement<double>>(totals.Length);
        for (int kind = 0; kind < totals.Length; kind++)
        {
            if (seen[kind])
                measurements.Add(new Measurement<double>(totals[kind].LagMilliseconds / 1000.0, s_tags[kind]));
        }

        return measurements;
    }

    /// <summary>Totals by kind; kinds that this process has never written are not seen.</summary>
    private static WriterTotals[] Look(out bool[] seen)
    {
        WriterTotals[] totals;
        IMeasuredWriter[] open;
        lock (s_gate)
        {
            totals = [.. s_closed];
            open = [.. s_open];
        }

        // One that ends meanwhile still gives its counts, and its total is not among those copied.
        foreach (IMeasuredWriter writer in open)
            totals[(int)writer.Kind] += writer.Totals;
        seen = [.. totals.Select(total => total.Writers > 0)];
        return totals;
    }
}

/// <summary>A writer as the instruments see it.</summary>
internal interface IMeasuredWriter
{
    RecordKind Kind { get; }

    WriterTotals Totals { get; }
}

/// <summary>Counts of writers of one kind.</summary>
internal readonly record struct WriterTotals
{
    public int Writers { get; init; }

    public long Appended { get; init; }

    public long Acknowledged { get; init; }

    public long Thinned { get; init; }

    public long Dropped { get; init; }

    public long Failures { get; init; }

    /// <summary>Of open writers: what was lost with one that closed does not wait any more.</summary>
    public long Pending { get; init; }

    /// <summary>The longest of all.</summary>
    public long LagMilliseconds { get; init; }

    public static WriterTotals operator +(WriterTotals a, WriterTotals b) => new()
    {
        Writers = a.Writers + b.Writers,
        Appended = a.Appended + b.Appended,
        Acknowledged = a.Acknowledged + b.Acknowledged,
        Thinned = a.Thinned + b.Thinned,
        Dropped = a.Dropped + b.Dropped,
        Failures = a.Failures + b.Failures,
        Pending = a.Pending + b.Pending,
        LagMilliseconds = Math.Max(a.LagMilliseconds, b.LagMilliseconds),
    };
}
