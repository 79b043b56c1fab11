using Microsoft.ML.ForwardSampling.Records;

namespace Microsoft.ML.ForwardSampling.Tool.Compare;

/// <summary>How a column becomes features; everything it knows comes from training rows.</summary>
/// <param name="index">Place of the column in the file.</param>
/// <param name="missing">What stands where there is no value.</param>
internal abstract class CsvFeature(int index, MissingWords missing)
{
    /// <summary>Place of the column in the file.</summary>
    public int Index => index;

    /// <summary>Features it makes.</summary>
    public abstract int Size { get; }

    /// <summary>Texts met that no training row had; they are all zeros.</summary>
    public long Unknown { get; protected set; }

    /// <summary>What stands where there is no value.</summary>
    protected MissingWords Missing => missing;

    /// <summary>Writes a row's features over zeros.</summary>
    /// <param name="row">The row.</param>
    /// <param name="features">Length <see cref="Size"/>, zeros.</param>
    /// <exception cref="InvalidDataException">The field is not what the column holds; the message names its line.</exception>
    public abstract void Write(in CsvRow row, Span<float> features);
}

/// <summary>A number, with mean 0 and standard deviation 1 over the training rows; a missing one is the mean, and says so in a feature of
/// its own.</summary>
internal sealed class NumberFeature(int index, double mean, double deviation, bool hasMissing, char point, bool isForced,
    MissingWords missing) : CsvFeature(index, missing)
{
    // A column whose values differ only by being missing has no deviation.
    private readonly double _scale = deviation > 0 ? 1 / deviation : 0;

    public override int Size => hasMissing ? 2 : 1;

    public override void Write(in CsvRow row, Span<float> features)
    {
        string field = row[Index];
        bool isNumber = CsvNumber.TryRead(field, point, out double value, out _, out _);
        if (Missing.IsMissing(field) || (!isNumber && (isForced || Missing.IsMissingAmongNumbers(field))))
        {
            if (hasMissing)
                features[1] = 1;
            return;
        }

        if (!isNumber)
            throw row.Error(Index, $"{CsvFile.NoNumber} of the training rows; --numbers takes such texts as missing");
        features[0] = (float)((value - mean) * _scale);
        if (!float.IsFinite(features[0]))
            throw row.Error(Index, CsvFile.TooFar);
    }
}

/// <summary>One feature for each text of the training rows: ML.NET's one-hot encoding. A missing or unknown text is all zeros.</summary>
internal sealed class CategoryFeature(int index, IReadOnlyList<string> names, MissingWords missing) : CsvFeature(index, missing)
{
    private readonly Dictionary<string, int> _slots = names.Index().ToDictionary(name => name.Item, name => name.Index);

    public override int Size => names.Count;

    public override void Write(in CsvRow row, Span<float> features)
    {
        string field = row[Index];
        if (_slots.TryGetValue(field, out int slot))
            features[slot] = 1;
        else if (!Missing.IsMissing(field))
            Unknown++;
    }
}

/// <summary>Many different texts: one of 256 features, by the text's hash. A missing text is all zeros.</summary>
internal sealed class HashedFeature(int index, MissingWords missing) : CsvFeature(index, missing)
{
    /// <summary>Features that the texts share.</summary>
    public const int Slots = 256;

    public override int Size => Slots;

    public override void Write(in CsvRow row, Span<float> features)
    {
        string field = row[Index];
        if (!Missing.IsMissing(field))
            features[(int)(RecordKey.FromString(field) % Slots)] = 1;
    }
}
