using Microsoft.ML.ForwardSampling.Records;

namespace Microsoft.ML.ForwardSampling.Tool.Compare;

/// <summary>How a column becomes features; everything it knows comes from training rows.</summary>
/// <param name="index">Place of the column in the file.</param>
internal abstract class CsvFeature(int index)
{
    /// <summary>Place of the column in the file.</summary>
    protected int Index => index;

    /// <summary>Features it makes.</summary>
    public abstract int Size { get; }

    /// <summary>Texts met that no training row had; they are all zeros.</summary>
    public long Unknown { get; protected set; }

    /// <summary>Writes a row's features over zeros.</summary>
    /// <param name="row">The row.</param>
    /// <param name="features">Length <see cref="Size"/>, zeros.</param>
    /// <exception cref="InvalidDataException">The field is not what the column holds; the message names its line.</exception>
    public abstract void Write(in CsvRow row, Span<float> features);
}

/// <summary>A number, with mean 0 and standard deviation 1 over the training rows; a missing one is the mean, and says so in a feature of
/// its own.</summary>
internal sealed class NumberFeature(int index, double mean, double deviation, bool hasMissing) : CsvFeature(index)
{
    // A column whose values differ only by being missing has no deviation.
    private readonly double _scale = deviation > 0 ? 1 / deviation : 0;

    public override int Size => hasMissing ? 2 : 1;

    public override void Write(in CsvRow row, Span<float> features)
    {
        string field = row[Index];
        if (CsvFile.IsMissing(field))
        {
            if (hasMissing)
                features[1] = 1;
            return;
        }

        double value = CsvFile.Number(field) ?? throw row.Error(Index, CsvFile.NoNumber);
        features[0] = (float)((value - mean) * _scale);
        if (!float.IsFinite(features[0]))
            throw row.Error(Index, CsvFile.TooFar);
    }
}

/// <summary>One feature for each text of the training rows: ML.NET's one-hot encoding. A missing or unknown text is all zeros.</summary>
internal sealed class CategoryFeature(int index, IReadOnlyList<string> names) : CsvFeature(index)
{
    private readonly Dictionary<string, int> _slots = names.Index().ToDictionary(name => name.Item, name => name.Index);

    public override int Size => names.Count;

    public override void Write(in CsvRow row, Span<float> features)
    {
        string field = row[Index];
        if (_slots.TryGetValue(field, out int slot))
            features[slot] = 1;
        else if (!CsvFile.IsMissing(field))
            Unknown++;
    }
}

/// <summary>Many different texts: one of 256 features, by the text's hash. A missing text is all zeros.</summary>
internal sealed class HashedFeature(int index) : CsvFeature(index)
{
    /// <summary>Features that the texts share.</summary>
    public const int Slots = 256;

    public override int Size => Slots;

    public override void Write(in CsvRow row, Span<float> features)
    {
        string field = row[Index];
        if (!CsvFile.IsMissing(field))
            features[(int)(RecordKey.FromString(field) % Slots)] = 1;
    }
}
