using Microsoft.ML.Runtime;

namespace Microsoft.ML.ForwardSampling.ForwardPass;

/// <summary>Adds up what all cursors of a transformer counted, and logs the first row of each kind of trouble. Thread-safe.</summary>
internal sealed class RecordingCounters(IHost host)
{
    private RecordingCounts _total;
    private int _saidNonFinite;
    private int _saidUnknownClass;
    private int _saidInvalidProbability;

    public ForwardRecordingReport Report => new()
    {
        RowsRecorded = Interlocked.Read(ref _total.Rows),
        NonFiniteRows = Interlocked.Read(ref _total.NonFinite),
        UnlabelledRows = Interlocked.Read(ref _total.Unlabelled),
        UnknownClassRows = Interlocked.Read(ref _total.UnknownClass),
        InvalidProbabilityRows = Interlocked.Read(ref _total.InvalidProbability),
    };

    public void Add(in RecordingCounts counts)
    {
        // Rows first: whoever reads the report meanwhile sees at most as many bad rows as rows.
        Interlocked.Add(ref _total.Rows, counts.Rows);
        if (counts.Unlabelled > 0)
            Interlocked.Add(ref _total.Unlabelled, counts.Unlabelled);
        Add(ref _total.NonFinite, counts.NonFinite, ref _saidNonFinite, RecordingMessages.NonFinite);
        Add(ref _total.UnknownClass, counts.UnknownClass, ref _saidUnknownClass, RecordingMessages.UnknownClass);
        Add(ref _total.InvalidProbability, counts.InvalidProbability, ref _saidInvalidProbability, RecordingMessages.InvalidProbability);
    }

    private void Add(ref long total, long count, ref int said, string message)
    {
        if (count == 0)
            return;
        Interlocked.Add(ref total, count);
        if (Interlocked.Exchange(ref said, 1) == 0)
        {
            using IChannel channel = host.Start("Record");
            channel.Warning(MessageSensitivity.None, message);
        }
    }
}
