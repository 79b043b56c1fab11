using System.Runtime.InteropServices;
using Microsoft.ML.ForwardSampling.Saving;
using TorchSharp;
using static TorchSharp.torch;

namespace Microsoft.ML.ForwardSampling.Networks;

/// <summary>A trained network as bytes, and back: the one place that knows the format.</summary>
/// <remarks>
/// Little-endian, after the header of <see cref="StateHeader"/>: task (byte); features, outputs (int32); feature and label column (text);
/// Huber delta or 0 (single); whether the network is a built one (bool) and then its hidden layers, activation, normalisation and dropout;
/// label key values, if any; then each weight: name, shape, Single values in row-major order.
/// </remarks>
internal static class NetworkStateCodec
{
    private const int MaximumUnits = 1 << 24;

    public static byte[] Encode(NetworkPredictionTransformer transformer)
    {
        NetworkModel model = transformer.Model;
        model.ThrowIfDisposed();
        using var stream = new MemoryStream();
        using (var writer = new BinaryWriter(stream))
        {
            StateHeader.Write(writer, StateKind.Network);
            writer.Write((byte)model.Task);
            writer.Write(model.FeatureCount);
            writer.Write(model.ScoreCount);
            writer.Write(transformer.FeatureColumnName);
            writer.Write(transformer.LabelColumnName);
            writer.Write(model.Head.HuberDelta);
            WriteArchitecture(writer, model.Architecture);
            writer.Write(transformer.LabelKeyValues is not null);
            transformer.LabelKeyValues?.Write(writer);
            WriteWeights(writer, model.Weights);
        }

        return stream.ToArray();
    }

    /// <summary>The transformer, on the CPU.</summary>
    /// <param name="reader">After the header.</param>
    /// <param name="factory">Builds the user's own network; not used for a built one.</param>
    /// <exception cref="InvalidDataException">The state is damaged, or the factory's network has other weights.</exception>
    /// <exception cref="InvalidOperationException">The network is the user's own and <paramref name="factory"/> is null.</exception>
    public static NetworkPredictionTransformer Decode(BinaryReader reader, NetworkFactory? factory)
    {
        PredictionTask task = StateReading.Enum<PredictionTask>(reader);
        int features = StateReading.Count(reader, MaximumUnits, "features");
        int outputs = StateReading.Count(reader, MaximumUnits, "outputs");
        string featureColumn = reader.ReadString();
        string labelColumn = reader.ReadString();
        float delta = reader.ReadSingle();
        NetworkArchitecture? architecture = ReadArchitecture(reader, features, outputs);
        LabelKeyValues? keys = reader.ReadBoolean() ? LabelKeyValues.Read(reader) : null;
        if (architecture is null && factory is null)
            throw new InvalidOperationException(
                "The saved network is the user's own: load it with mlContext.ForwardSampling().Load(path, out schema, network), giving "
                + "the factory that it was trained with.");

        Device device = TorchRuntime.GetDevice("cpu");
        nn.Module<Tensor, Tensor> network = architecture is not null ? new MultilayerPerceptron(architecture, device, seed: 0)
            : factory!(features, outputs, device)
            ?? throw new InvalidOperationException("The network factory gave null instead of a module.");
        var model = new NetworkModel(TaskHead.Create(task, outputs, delta > 0f ? RegressionLoss.Huber(delta) : RegressionLoss.Squared),
            features, architecture, network, device, optimizer: null);
        try
        {
            ReadWeights(reader, model.Weights);
            model.Freeze();
            return new NetworkPredictionTransformer(model, featureColumn, labelColumn, keys);
        }
        catch
        {
            model.Dispose();
            throw;
        }
    }

    private static void WriteArchitecture(BinaryWriter writer, NetworkArchitecture? architecture)
    {
        writer.Write(architecture is not null);
        if (architecture is null)
            return;
        writer.Write(architecture.HiddenLayers.Length);
        foreach (int units in architecture.HiddenLayers)
            writer.Write(units);
        writer.Write((byte)architecture.Activation);
        writer.Write((byte)architecture.Normalization);
        writer.Write(architecture.Dropout);
    }

    private static NetworkArchitecture? ReadArchitecture(BinaryReader reader, int inputs, int outputs)
    {
        if (!reader.ReadBoolean())
            return null;
        var hidden = new int[StateReading.Count(reader, 64, "hidden layers")];
        for (int i = 0; i < hidden.Length; i++)
            hidden[i] = StateReading.Count(reader, MaximumUnits, "units");
        Activation activation = StateReading.Enum<Activation>(reader);
        Normalization normalization = StateReading.Enum<Normalization>(reader);
        return new NetworkArchitecture(inputs, hidden, outputs, activation, normalization, reader.ReadSingle());
    }

    /// <summary>Each weight: name, shape, Single values in row-major order.</summary>
    public static void WriteWeights(BinaryWriter writer, Dictionary<string, Tensor> weights)
    {
        writer.Write(weights.Count);
        foreach ((string name, Tensor weight) in weights)
            WriteWeight(writer, name, weight);
    }

    private static void WriteWeight(BinaryWriter writer, string name, Tensor weight)
    {
        using DisposeScope scope = NewDisposeScope();
        using IDisposable noGrad = no_grad();
        writer.Write(name);
        writer.Write(weight.shape.Length);
        foreach (long size in weight.shape)
            writer.Write(size);
        // Counters such as batch normalisation's are integers; Single holds them exactly as far as they matter.
        Tensor values = weight.detach().cpu().@float().contiguous();
        writer.Write(MemoryMarshal.AsBytes<float>(Optimizer.Floats(values)));
    }

    /// <summary>Reads weights into those of the same names and shapes.</summary>
    /// <exception cref="InvalidDataException">The state is damaged, or of other weights.</exception>
    public static void ReadWeights(BinaryReader reader, Dictionary<string, Tensor> weights)
    {
        int count = StateReading.Count(reader, MaximumUnits, "weights");
        if (count != weights.Count)
            throw new InvalidDataException($"The saved network has {count} weights; the one it is loaded into has {weights.Count}.");
        using DisposeScope scope = NewDisposeScope();
        using IDisposable noGrad = no_grad();
        for (int i = 0; i < count; i++)
        {
            string name = reader.ReadString();
            var shape = new long[StateReading.Count(reader, 8, "dimensions")];
            for (int d = 0; d < shape.Length; d++)
                shape[d] = reader.ReadInt64();
            if (!weights.TryGetValue(name, out Tensor? weight) || !weight.shape.AsSpan().SequenceEqual(shape))
                throw new InvalidDataException(
                    $"The saved network has a weight '{name}' of shape [{string.Join(", ", shape)}]; the one it is loaded into has "
                    + $"{(weight is null ? "no such weight" : $"[{string.Join(", ", weight.shape)}]")}.");
            Tensor values = empty(shape, dtype: ScalarType.Float32);
            Span<byte> bytes = MemoryMarshal.AsBytes(Optimizer.Floats(values));
            reader.BaseStream.ReadExactly(bytes);
            weight.copy_(values);
        }
    }
}
