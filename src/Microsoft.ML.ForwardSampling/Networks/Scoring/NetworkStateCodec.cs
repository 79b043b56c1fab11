using System.Runtime.InteropServices;
using Microsoft.ML.ForwardSampling.Saving;
using TorchSharp;
using static TorchSharp.torch;

namespace Microsoft.ML.ForwardSampling.Networks;

/// <summary>A trained network as bytes, and back: the one place that knows the format.</summary>
/// <remarks>
/// Little-endian, after the header of <see cref="StateHeader"/>: task (byte); features, outputs (int32); feature and label column (text);
/// Huber delta or 0 (single); whether the network is a built one (bool) and then its hidden layers, activation, normalisation and dropout;
/// label key values, if any; then each weight: name, shape, Single values in row-major order; then, where it is not 0, the
/// score above which a row is positive (single).
/// Version 2, written where more than the feature column is read, has behind the key values: the number of other columns, each with its
/// name, inputs and keys (int32; 0: numbers), and for keys the width of their embeddings and their values, if any.
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
            StateHeader.Write(writer, StateKind.Network, version: (byte)(transformer.MoreInputs.Length > 0 ? 2 : 1));
            writer.Write((byte)model.Task);
            writer.Write(model.FeatureCount);
            writer.Write(model.ScoreCount);
            writer.Write(transformer.FeatureColumnName);
            writer.Write(transformer.LabelColumnName);
            writer.Write(model.Head.HuberDelta);
            WriteArchitecture(writer, model.Architecture);
            writer.Write(transformer.LabelKeyValues is not null);
            transformer.LabelKeyValues?.Write(writer);
            if (transformer.MoreInputs.Length > 0)
                WriteInputs(writer, transformer);
            if (model.Saved is { } saved)
            {
                writer.Write(saved.Length);
                foreach (SavedWeight weight in saved)
                    WriteWeight(writer, weight.Name, weight.Shape, weight.Values);
            }
            else
            {
                WriteWeights(writer, model.Weights);
            }
            if (transformer.ScoreThreshold != 0f)
                writer.Write(transformer.ScoreThreshold);
        }

        return stream.ToArray();
    }

    /// <summary>The transformer, on the CPU. A network built from options needs no torch.</summary>
    /// <param name="reader">After the header.</param>
    /// <param name="version">The header's.</param>
    /// <param name="factory">Builds the user's own network; not used for a built one.</param>
    /// <exception cref="InvalidDataException">The state is damaged, or the factory's network has other weights.</exception>
    /// <exception cref="InvalidOperationException">The network is the user's own and <paramref name="factory"/> is null.</exception>
    public static NetworkPredictionTransformer Decode(BinaryReader reader, int version, NetworkFactory? factory)
    {
        SavedNetwork saved = StateReading.Whole(reader, from => Read(from, version));
        return new NetworkPredictionTransformer(saved.Architecture is { } architecture
            ? new NetworkModel(saved.Head, architecture, saved.Weights) : CreateOwn(saved, factory), saved.FeatureColumn,
            saved.LabelColumn, saved.Keys, saved.ScoreThreshold)
        { MoreInputs = saved.MoreInputs };
    }

    private static SavedNetwork Read(BinaryReader reader, int version)
    {
        PredictionTask task = StateReading.Enum<PredictionTask>(reader);
        int features = StateReading.Count(reader, MaximumUnits, "features", least: 1);
        int outputs = StateReading.Count(reader, task == PredictionTask.Multiclass ? MaximumUnits : 1, "outputs", least: 1);
        string featureColumn = reader.ReadString();
        string labelColumn = reader.ReadString();
        float delta = reader.ReadSingle();
        NetworkArchitecture? architecture = ReadArchitecture(reader, features, outputs);
        LabelKeyValues? keys = reader.ReadBoolean() ? LabelKeyValues.Read(reader) : null;
        if (keys is not null && keys.Count != outputs)
            throw new InvalidDataException($"The saved network is damaged: {keys.Count} key values for {outputs} outputs.");
        InputColumn[] more = [];
        if (version > 1)
            (more, architecture) = ReadInputs(reader, features, architecture);
        return new SavedNetwork(features, TaskHead.Create(task, outputs, delta > 0f ? RegressionLoss.Huber(delta) : RegressionLoss.Squared),
            featureColumn, labelColumn, architecture, keys, ReadWeights(reader, architecture), ReadThreshold(reader))
        { MoreInputs = more };
    }

    private static void WriteInputs(BinaryWriter writer, NetworkPredictionTransformer transformer)
    {
        writer.Write(transformer.MoreInputs.Length);
        int table = 0;
        foreach (InputColumn input in transformer.MoreInputs)
        {
            writer.Write(input.Name);
            writer.Write(input.Slots);
            writer.Write(input.Keys);
            if (input.Keys == 0)
                continue;
            writer.Write(transformer.Model.Architecture!.Embeddings[table++].Width);
            writer.Write(input.KeyValues is not null);
            input.KeyValues?.Write(writer);
        }
    }

    private static (InputColumn[] Inputs, NetworkArchitecture? Architecture) ReadInputs(BinaryReader reader, int features,
        NetworkArchitecture? architecture)
    {
        var inputs = new InputColumn[StateReading.Count(reader, MaximumUnits, "columns", bytesEach: 1 + 2 * sizeof(int))];
        var tables = new List<EmbeddingShape>();
        long slots = 0;
        for (int i = 0; i < inputs.Length; i++)
        {
            string name = reader.ReadString();
            int own = StateReading.Count(reader, features, "inputs of a column", least: 1);
            slots += own;
            int keys = StateReading.Count(reader, InputColumn.MostKeys, "keys");
            if (keys > 0)
                tables.Add(new EmbeddingShape(keys, StateReading.Count(reader, MaximumUnits, "values of a key", least: 1)));
            LabelKeyValues? values = keys > 0 && reader.ReadBoolean() ? LabelKeyValues.Read(reader) : null;
            inputs[i] = new InputColumn(name, own, keys, values);
        }

        // Keys come last, and the feature column has a slot at least.
        if (slots >= features || inputs.SkipWhile(input => input.Keys == 0).Any(input => input.Keys == 0 || input.Slots != 1)
            || (tables.Count > 0 && architecture is null))
            throw new InvalidDataException($"The saved network is damaged: columns of {slots} inputs in {features} features.");
        return (inputs, architecture is null ? null : architecture with { Embeddings = [.. tables] });
    }

    /// <summary>Added after preview 1, and only where it is not 0: a reader of that time does not look behind the weights.</summary>
    private static float ReadThreshold(BinaryReader reader)
    {
        float threshold = reader.BaseStream.Position < reader.BaseStream.Length ? reader.ReadSingle() : 0f;
        return float.IsFinite(threshold) ? threshold
            : throw new InvalidDataException($"The saved network is damaged: a threshold of {threshold}.");
    }

    private static NetworkModel CreateOwn(SavedNetwork saved, NetworkFactory? factory)
    {
        if (factory is null)
            throw new InvalidOperationException(
                "The saved network is the user's own: load it with mlContext.ForwardSampling().Load(path, out schema, network), giving "
                + "the factory that it was trained with.");
        Device device = TorchRuntime.GetDevice("cpu");
        using DisposeScope made = NewDisposeScope();
        nn.Module<Tensor, Tensor> network = factory(saved.Features, saved.Head.Outputs, device)
            ?? throw new InvalidOperationException("The network factory gave null instead of a module.");
        made.Detach([.. made.DisposablesView]); // also what the module keeps beside its state dictionary
        var model = new NetworkModel(saved.Head, saved.Features, architecture: null, network, device, optimizer: null);
        try
        {
            Copy(saved.Weights, model.Weights);
            return model;
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
            hidden[i] = StateReading.Count(reader, MaximumUnits, "units", least: 1);
        Activation activation = StateReading.Enum<Activation>(reader);
        Normalization normalization = StateReading.Enum<Normalization>(reader);
        float dropout = reader.ReadSingle();
        return dropout is >= 0f and < 1f ? new NetworkArchitecture(inputs, hidden, outputs, activation, normalization, dropout)
            : throw new InvalidDataException($"The saved network is damaged: a dropout of {dropout}; allowed is [0, 1).");
    }

    /// <summary>Each weight: name, shape, Single values in row-major order.</summary>
    public static void WriteWeights(BinaryWriter writer, Dictionary<string, Tensor> weights)
    {
        using DisposeScope scope = NewDisposeScope();
        using IDisposable noGrad = no_grad();
        writer.Write(weights.Count);
        foreach ((string name, Tensor weight) in weights)
        {
            // Counters such as batch normalisation's are integers; Single holds them exactly as far as they matter.
            WriteWeight(writer, name, weight.shape, Optimizer.Floats(weight.detach().cpu().@float().contiguous()));
        }
    }

    private static void WriteWeight(BinaryWriter writer, string name, long[] shape, ReadOnlySpan<float> values)
    {
        writer.Write(name);
        writer.Write(shape.Length);
        foreach (long size in shape)
            writer.Write(size);
        writer.Write(MemoryMarshal.AsBytes(values));
    }

    /// <summary>Reads weights into those of the same names and shapes.</summary>
    /// <exception cref="InvalidDataException">The state is damaged, or of other weights.</exception>
    public static void ReadWeights(BinaryReader reader, Dictionary<string, Tensor> weights) =>
        Copy(ReadWeights(reader, architecture: null), weights);

    private static void Copy(SavedWeight[] saved, Dictionary<string, Tensor> weights)
    {
        if (saved.Length != weights.Count)
            throw new InvalidDataException(
                $"The saved network has {saved.Length} weights; the one it is loaded into has {weights.Count}.");
        using DisposeScope scope = NewDisposeScope();
        using IDisposable noGrad = no_grad();
        foreach (SavedWeight source in saved)
        {
            if (!weights.TryGetValue(source.Name, out Tensor? weight) || !weight.shape.AsSpan().SequenceEqual(source.Shape))
                throw Mismatch(source.Name, source.Shape, weight?.shape);
            Tensor values = empty(source.Shape, dtype: ScalarType.Float32, device: CPU);
            source.Values.CopyTo(Optimizer.Floats(values));
            weight.copy_(values);
        }
    }

    /// <summary>Sizes are held against the bytes that are there before anything of that size is made.</summary>
    private static SavedWeight[] ReadWeights(BinaryReader reader, NetworkArchitecture? architecture)
    {
        const int LeastBytes = 1 + sizeof(int);
        var weights = new SavedWeight[StateReading.Count(reader, MaximumUnits, "weights", bytesEach: LeastBytes)];
        Dictionary<string, long[]>? shapes = architecture?.WeightShapes().ToDictionary(weight => weight.Name, weight => weight.Shape);
        if (shapes is not null && shapes.Count != weights.Length)
            throw new InvalidDataException($"The saved network has {weights.Length} weights; one of {architecture} has {shapes.Count}.");
        var names = new HashSet<string>();
        for (int i = 0; i < weights.Length; i++)
        {
            string name = reader.ReadString();
            if (!names.Add(name))
                throw new InvalidDataException($"The saved network is damaged: it has weight '{name}' twice.");
            long[] shape = new long[StateReading.Count(reader, 8, "dimensions", bytesEach: sizeof(long))];
            for (int d = 0; d < shape.Length; d++)
                shape[d] = reader.ReadInt64();
            long[]? expected = null;
            if (shapes is not null && (!shapes.TryGetValue(name, out expected) || !expected.AsSpan().SequenceEqual(shape)))
                throw Mismatch(name, shape, expected);
            var values = new float[StateReading.Product(reader, shape, sizeof(float), $"weight '{name}'")];
            reader.BaseStream.ReadExactly(MemoryMarshal.AsBytes(values.AsSpan()));
            weights[i] = new SavedWeight(name, shape, values);
        }

        return weights;
    }

    private static InvalidDataException Mismatch(string name, long[] shape, long[]? expected)
        => new($"The saved network has a weight '{name}' of shape [{string.Join(", ", shape)}]; the one it is loaded into has "
            + $"{(expected is null ? "no such weight" : $"[{string.Join(", ", expected)}]")}.");

    private sealed record SavedNetwork(int Features, TaskHead Head, string FeatureColumn, string LabelColumn,
        NetworkArchitecture? Architecture, LabelKeyValues? Keys, SavedWeight[] Weights, float ScoreThreshold)
    {
        public InputColumn[] MoreInputs { get; init; } = [];
    }
}
