using System.Numerics;

namespace Microsoft.ML.ForwardSampling.Networks;

/// <summary>Mean, standard deviation and largest size of each feature, and weighted mean and deviation of the label, over rows given part
/// by part.</summary>
/// <remarks>Blocks of rows that stay in the cache are gone over twice, for their mean and for the deviations from it, and put together in
/// Doubles (Chan, Golub and LeVeque, The American Statistician 37, 1983): a large mean, or one far-off row, costs no digits of the
/// others.</remarks>
/// <param name="featureCount">Features of a row, keys among them.</param>
/// <param name="scaled">How many of them, from the first, are numbers that have a scale.</param>
internal sealed class ScaleStatistics(int featureCount, int scaled)
{
    private const int BlockRows = 32;
    private const double LargeRms = 10;
    private const double SmallSize = 0.05;
    private const double DistantMeans = 10;

    private readonly float[] _center = new float[featureCount];
    private readonly float[] _blockSums = new float[featureCount];
    private readonly float[] _blockSquares = new float[featureCount];
    private readonly float[] _sizes = new float[featureCount];
    private readonly double[] _means = new double[featureCount];
    private readonly double[] _squares = new double[featureCount];
    private int[] _values = [];     // of sparse rows, how many of each feature are not zero
    private long _rows;
    private long _labels;
    private double _labelShift;
    private double _weights;
    private double _labelSum;
    private double _labelSquares;

    /// <summary>Takes all rows of a part.</summary>
    /// <param name="part">Rows as they come.</param>
    /// <param name="features">Whether features count.</param>
    /// <param name="label">Whether the label, which is a number, counts.</param>
    public void Add(RowPool part, bool features, bool label)
    {
        if (part.Count == 0)
            return;
        if (_labels == 0)
            _labelShift = part.Labels[0];
        _labels += part.Count;
        if (part.Sparse is { } sparse && features)
            AddFeatures(sparse);
        for (int start = 0; start < part.Count && features && part.Sparse is null; start += BlockRows)
            AddFeatures(part.Features.AsSpan(start * featureCount, Math.Min(BlockRows, part.Count - start) * featureCount));
        for (int i = 0; i < part.Count && label; i++)
        {
            double weight = part.Weighted ? part.Weights[i] : 1, difference = part.Labels[i] - _labelShift;
            _weights += weight;
            _labelSum += weight * difference;
            _labelSquares += weight * difference * difference;
        }
    }

    /// <summary>The scale to train on.</summary>
    /// <param name="features">Whether features that are far from unit scale are standardised.</param>
    public Standardization ToStandardization(bool features)
    {
        double mean = _weights > 0 ? _labelSum / _weights : 0;
        double variance = _weights > 0 ? (_labelSquares / _weights) - (mean * mean) : 0, deviation = Math.Sqrt(Math.Max(0, variance));
        float[] means = [], deviations = [];
        if (features && FarFeatures.Any())
        {
            means = new float[featureCount];
            deviations = new float[featureCount];
            Array.Fill(deviations, 1f);
            foreach ((int slot, double m, double s) in FarFeatures)
                (means[slot], deviations[slot]) = ((float)m, (float)Standardization.PowerOfTwo(s));
        }

        bool usesLabel = _weights > 0 && double.IsFinite(deviation);
        return new Standardization
        {
            FeatureMeans = means,
            FeatureDeviations = deviations,
            LabelMean = usesLabel ? mean + _labelShift : 0,
            LabelDeviation = usesLabel ? Standardization.PowerOfTwo(deviation) : 1,
        };
    }

    /// <summary>Features that are far from unit scale, with mean and standard deviation.</summary>
    public IEnumerable<(int Slot, double Mean, double Deviation)> FarFeatures
    {
        get
        {
            for (int i = 0; i < scaled && _rows > 0; i++)
            {
                double mean = _means[i], deviation = Math.Sqrt(_squares[i] / (_values.Length > 0 ? _values[i] : _rows));
                if (_values.Length > 0 && _values[i] == 0)
                    continue;
                if (!double.IsFinite(mean + deviation))
                    (mean, deviation) = (0, _sizes[i]);         // beyond what Singles can square
                double rms = Math.Sqrt((mean * mean) + (deviation * deviation));
                if (rms > LargeRms || (_sizes[i] > 0 && _sizes[i] < SmallSize)
                    || (deviation > 0 && Math.Abs(mean) > DistantMeans * deviation && _rows > 1))
                    yield return (i, mean, deviation);
            }
        }
    }

    /// <summary>A sparse feature's scale is that of its values beside zero, and stays around it: less a mean, no row would be sparse
    /// any more.</summary>
    private void AddFeatures(SparseRows rows)
    {
        if (_values.Length == 0)
            _values = new int[featureCount];
        _rows += rows.Count;
        for (int i = 0; i < rows.Length; i++)
        {
            int slot = rows.Slots[i];
            float value = rows.Values[i];
            _values[slot]++;
            _squares[slot] += (double)value * value;
            _sizes[slot] = Math.Max(_sizes[slot], Math.Abs(value));
        }
    }

    private void AddFeatures(ReadOnlySpan<float> block)
    {
        int rows = block.Length / featureCount;
        Array.Clear(_blockSums);
        for (int row = 0; row < rows; row++)
            AddRow(block.Slice(row * featureCount, featureCount));
        for (int i = 0; i < featureCount; i++)
            _center[i] = _blockSums[i] / rows;
        Array.Clear(_blockSums);
        Array.Clear(_blockSquares);
        for (int row = 0; row < rows; row++)
            AddDeviations(block.Slice(row * featureCount, featureCount));

        long before = _rows;
        _rows += rows;
        for (int i = 0; i < featureCount; i++)
        {
            double rest = _blockSums[i], mean = _center[i] + (rest / rows), squares = _blockSquares[i] - (rest * rest / rows);
            double difference = mean - _means[i];
            _means[i] += difference * rows / _rows;
            _squares[i] += Math.Max(0, squares) + (difference * difference * before * rows / _rows);
        }
    }

    private void AddRow(ReadOnlySpan<float> row)
    {
        int i = 0;
        for (; i <= featureCount - Vector<float>.Count; i += Vector<float>.Count)
        {
            var value = new Vector<float>(row[i..]);
            (new Vector<float>(_blockSums, i) + value).CopyTo(_blockSums, i);
            Vector.Max(new Vector<float>(_sizes, i), Vector.Abs(value)).CopyTo(_sizes, i);
        }

        for (; i < featureCount; i++)
        {
            _blockSums[i] += row[i];
            _sizes[i] = Math.Max(_sizes[i], Math.Abs(row[i]));
        }
    }

    private void AddDeviations(ReadOnlySpan<float> row)
    {
        int i = 0;
        for (; i <= featureCount - Vector<float>.Count; i += Vector<float>.Count)
        {
            Vector<float> deviation = new Vector<float>(row[i..]) - new Vector<float>(_center, i);
            (new Vector<float>(_blockSums, i) + deviation).CopyTo(_blockSums, i);
            (new Vector<float>(_blockSquares, i) + (deviation * deviation)).CopyTo(_blockSquares, i);
        }

        for (; i < featureCount; i++)
        {
            float deviation = row[i] - _center[i];
            _blockSums[i] += deviation;
            _blockSquares[i] += deviation * deviation;
        }
    }
}
