namespace Microsoft.ML.ForwardSampling.Selection;

/// <summary>How much the record of a cursor's row still says, by its age and by the version of the model that wrote it.</summary>
internal sealed class RecordCredibility
{
    private readonly ValueGetter<float>? _age;
    private readonly ValueGetter<ulong>? _version;
    private readonly double _maximumAge;
    private readonly double _halfLife;
    private readonly ulong _minimumVersion;

    /// <summary>Reads the columns that the limits name.</summary>
    public RecordCredibility(DataViewRow row, SelectionColumns columns, RecordLimits limits)
    {
        Excludes = limits.OldRecords == OldRecords.Exclude;
        if (limits.MaximumAge is { } age)
        {
            _age = row.GetGetter<float>(columns.Age!.Value);
            _maximumAge = age.TotalSeconds;
            _halfLife = (limits.HalfLife ?? age).TotalSeconds;
        }

        if (limits.MinimumModelVersion is { } version)
        {
            _version = row.GetGetter<ulong>(columns.ModelVersion!.Value);
            _minimumVersion = version;
        }
    }

    /// <summary>Whether a row of less than 1 is left out; else its statistics are discounted.</summary>
    public bool Excludes { get; }

    /// <summary>Of the current row: 1 for a record within the limits, towards 0 the older it is, 0 where the model is too old or the age is
    /// not known.</summary>
    public float Read()
    {
        if (_version is not null)
        {
            ulong version = 0;
            _version(ref version);
            if (version < _minimumVersion)
                return 0;
        }

        if (_age is null)
            return 1;
        float age = 0;
        _age(ref age);
        if (age <= _maximumAge)
            return 1;
        // Just above the limit the power rounds to 1; the record is old all the same.
        return float.IsNaN(age) ? 0 : Math.Min((float)Math.Pow(2, (_maximumAge - age) / _halfLife), float.BitDecrement(1));
    }

    /// <summary>Moves each value towards the mean of all, weighted by credibility, by as much as its own falls short of 1. Values that are
    /// not finite stay, for the selector to repair.</summary>
    /// <param name="values">Length n, one statistic.</param>
    /// <param name="credibility">Length n, in [0, 1].</param>
    public static void Discount(Span<float> values, ReadOnlySpan<float> credibility)
    {
        double sum = 0, weight = 0;
        for (int i = 0; i < values.Length; i++)
        {
            if (float.IsFinite(values[i]))
            {
                sum += (double)credibility[i] * values[i];
                weight += credibility[i];
            }
        }

        double mean = weight == 0 ? 0 : sum / weight;
        for (int i = 0; i < values.Length; i++)
        {
            if (credibility[i] < 1 && float.IsFinite(values[i]))
                values[i] = (float)(mean + credibility[i] * (values[i] - mean));
        }
    }
}
