namespace Microsoft.ML.ForwardSampling.Records;

/// <summary>The label of one row, as it arrives after the row was scored.</summary>
public readonly record struct LabelEvent
{
    /// <summary>Makes a label.</summary>
    /// <param name="key">Key of the row, the same as its record's; <see cref="RecordKey"/> makes one from a name.</param>
    /// <param name="label">The true value of a regression, 0 or 1 of a binary model, the class from 0 of a multiclass model.
    /// Any value is taken, so that a bad one does not stop a stream; NaN stands for what was no number. <see cref="IForwardRecord{TSelf}.Accepts"/> tells which labels a record can be joined with.</param>
    /// <param name="time">When the label became known; left out, whoever stores it stamps it.</param>
    /// <exception cref="ArgumentException"><paramref name="time"/> is neither UTC nor local.</exception>
    public LabelEvent(ulong key, float label, DateTime time = default)
        => (Key, Label, Time) = (key, label, RecordTime.Checked(time));

    /// <summary>Key of the row.</summary>
    public ulong Key { get; }

    /// <summary>The label; see the constructor.</summary>
    public float Label { get; }

    /// <summary>When the label became known, UTC; <c>default</c> until it is stamped.</summary>
    public DateTime Time { get; }
}
