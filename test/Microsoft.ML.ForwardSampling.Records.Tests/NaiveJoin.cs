
namespace Microsoft.ML.ForwardSampling.Records.Tests;

/// <summary>The contract of docs/recording.md, "The join", word for word: everything ever pushed in one list, searched from end to
/// end.</summary>
internal sealed class NaiveJoin(LabelJoinOptions options)
{
    private readonly List<Held> _held = [];
    private DateTime _watermark;

    public List<(ulong Key, float Label, bool IsDefault)> Rows { get; } = [];

    public long DuplicateRecords { get; private set; }

    public long DuplicateLabels { get; private set; }

    public long LateRecords { get; private set; }

    public long LateLabels { get; private set; }

    public long Orphans { get; private set; }

    public long Voided { get; private set; }

    public long Expired { get; private set; }

    public void Push(RegressionRecord record)
    {
        Advance(record.Time);
        Held? known = Known(record.Key);
        if (!IsOpen(record.Time))
        {
            LateRecords++;
        }
        else if (known is { IsRecord: true })
        {
            DuplicateRecords++;
        }
        else
        {
            var held = new Held { Key = record.Key, Time = record.Time, IsRecord = true };
            _held.Add(held);
            if (known is not null && IsNear(known.Time, record.Time))
            {
                held.Labels = known.Labels;
                known.Labels = [];
            }
        }
    }

    public void Push(LabelEvent label)
    {
        Advance(label.Time);
        Held? known = Known(label.Key);
        if (known is not null && IsNear(known.Time, label.Time))
        {
            known.Labels.Add(label.Label);
            DuplicateLabels += known.Labels.Count > 1 ? 1 : 0;
        }
        else if (known is { IsRecord: true } || !IsOpen(label.Time))
        {
            LateLabels++;
        }
        else
        {
            _held.Add(new Held { Key = label.Key, Time = label.Time, Labels = [label.Label] });
        }
    }

    public void Complete()
    {
        foreach (Held held in _held)
        {
            if (!held.IsRecord)
            {
                Orphans += held.Labels.Count > 0 ? 1 : 0;
                continue;
            }

            float? label = held.Labels.Count == 0 ? options.DefaultLabel : options.Duplicates switch
            {
                Microsoft.ML.ForwardSampling.Records.DuplicateLabels.First => held.Labels[0],
                Microsoft.ML.ForwardSampling.Records.DuplicateLabels.Last => held.Labels[^1],
                Microsoft.ML.ForwardSampling.Records.DuplicateLabels.Sum => held.Labels.Sum(),
                _ => held.Labels.Sum() / held.Labels.Count,
            };
            if (label is null)
                Expired++;
            else if (!float.IsFinite(label.Value))
                Voided++;
            else
                Rows.Add((held.Key, label.Value, held.Labels.Count == 0));
        }
    }

    private void Advance(DateTime time) => _watermark = time > _watermark ? time : _watermark;

    private bool IsOpen(DateTime time) => time + options.Wait + options.Lateness >= _watermark;

    private bool IsNear(DateTime one, DateTime other) => (one - other).Duration() <= options.Wait;

    private Held? Known(ulong key) => _held.FindLast(h => h.Key == key) is { } held && IsOpen(held.Time) ? held : null;

    private sealed class Held
    {
        public ulong Key { get; init; }

        public DateTime Time { get; init; }

        public bool IsRecord { get; init; }

        public List<float> Labels { get; set; } = [];
    }
}
