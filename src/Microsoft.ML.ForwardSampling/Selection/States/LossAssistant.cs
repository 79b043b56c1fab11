using System.Numerics.Tensors;
using System.Text;

namespace Microsoft.ML.ForwardSampling.Selection;

/// <summary>The assistant of <see cref="AssistedPolicy"/>: a logistic regression of "the loss is above the running mean" on a row's
/// features and class.</summary>
internal sealed class LossAssistant(double learningRate, double runningFactor) : PolicyState
{
    // A class beyond has no coefficient of its own: labels come from data, and memory must not follow a stray one.
    private const int MaximumClasses = 1 << 16;
    private const uint Tag = 0x69737341; // "Assi"
    private const int HeaderBytes = 20;

    private float[] _features = []; // W
    private float[] _classes = [];  // U
    private float[] _gradient = [];
    private double _meanLoss = double.NaN;

    public override SelectionFeedback Feedback => SelectionFeedback.TrainingLoss;

    /// <summary>The chance, in [0, 1], that each row's loss is above the mean; ½ where features are not finite.</summary>
    public void Predict(ReadOnlySpan<float> features, ReadOnlySpan<int> labels, Span<double> chances)
    {
        int width = WidthOf(features, chances.Length);
        for (int i = 0; i < chances.Length; i++)
            chances[i] = Predict(features.Slice(i * width, width), labels.IsEmpty ? -1 : labels[i]);
    }

    public override void ObserveTraining(ReadOnlySpan<float> losses, ReadOnlySpan<float> features, ReadOnlySpan<int> labels)
    {
        int width = WidthOf(features, losses.Length);
        double mean = WindowSums.MeanOfFinite(losses);
        _meanLoss = double.IsNaN(_meanLoss) ? mean : runningFactor * _meanLoss + (1 - runningFactor) * mean;
        Grow(labels);

        float step = (float)(learningRate / losses.Length);
        _gradient.AsSpan().Clear();
        for (int i = 0; i < losses.Length; i++)
        {
            ReadOnlySpan<float> x = features.Slice(i * width, width);
            if (!float.IsFinite(losses[i]) || !WindowSums.AllFinite(x))
                continue;
            int label = labels.IsEmpty ? -1 : labels[i];
            float error = (float)(Predict(x, label) - (losses[i] > _meanLoss ? 1 : 0));
            TensorPrimitives.MultiplyAdd(x, error, _gradient.AsSpan(0, width), _gradient.AsSpan(0, width));
            if ((uint)label < (uint)_classes.Length)
                _gradient[width + label] += error;
        }

        TensorPrimitives.MultiplyAdd(_gradient.AsSpan(0, width), -step, _features, _features);
        TensorPrimitives.MultiplyAdd(_gradient.AsSpan(width), -step, _classes, _classes);
    }

    // Tag, features, classes, running mean, W, U. Little-endian.
    public override byte[] Save()
    {
        using var stream = new MemoryStream();
        using var writer = new BinaryWriter(stream, Encoding.UTF8);
        writer.Write(Tag);
        writer.Write(_features.Length);
        writer.Write(_classes.Length);
        writer.Write(_meanLoss);
        foreach (float coefficient in _features)
            writer.Write(coefficient);
        foreach (float coefficient in _classes)
            writer.Write(coefficient);
        return stream.ToArray();
    }

    public override void Load(ReadOnlySpan<byte> saved)
    {
        using var reader = new BinaryReader(new MemoryStream(saved.ToArray()), Encoding.UTF8);
        if (saved.Length < HeaderBytes || reader.ReadUInt32() != Tag)
            throw SelectionErrors.StateNotLoadable(nameof(AssistedPolicy), saved.Length);
        int features = reader.ReadInt32(), classes = reader.ReadInt32();
        if (features < 0 || classes is < 0 or > MaximumClasses || saved.Length != HeaderBytes + sizeof(float) * ((long)features + classes))
            throw SelectionErrors.StateNotLoadable(nameof(AssistedPolicy), saved.Length);
        _meanLoss = reader.ReadDouble();
        _features = new float[features];
        _classes = new float[classes];
        _gradient = new float[features + classes];
        foreach (ref float coefficient in _features.AsSpan())
            coefficient = reader.ReadSingle();
        foreach (ref float coefficient in _classes.AsSpan())
            coefficient = reader.ReadSingle();
    }

    private double Predict(ReadOnlySpan<float> x, int label)
    {
        double score = TensorPrimitives.Dot(x, _features) + ((uint)label < (uint)_classes.Length ? _classes[label] : 0f);
        return double.IsFinite(score) ? 1 / (1 + Math.Exp(-score)) : 0.5;
    }

    /// <summary>d, the features of a row; the first rows decide it.</summary>
    private int WidthOf(ReadOnlySpan<float> features, int rows)
    {
        int width = features.Length / rows;
        if (_features.Length == 0)
        {
            _features = new float[width];
            _gradient = new float[width + _classes.Length];
        }

        return width == _features.Length ? width : throw new ArgumentException(
            $"Rows have {width} features; the assistant has learned from rows with {_features.Length}.", nameof(features));
    }

    private void Grow(ReadOnlySpan<int> labels)
    {
        int classes = _classes.Length;
        foreach (int label in labels)
        {
            if (label < MaximumClasses)
                classes = Math.Max(classes, label + 1);
        }

        if (classes > _classes.Length)
        {
            Array.Resize(ref _classes, classes);
            _gradient = new float[_features.Length + classes];
        }
    }
}
