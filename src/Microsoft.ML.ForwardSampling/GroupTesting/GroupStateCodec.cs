using Microsoft.ML.ForwardSampling.Networks;
using Microsoft.ML.ForwardSampling.Saving;

namespace Microsoft.ML.ForwardSampling.GroupTesting;

/// <summary>A group-tested model as bytes, and back: the one place that knows the format.</summary>
/// <remarks>Little-endian, after the header of <see cref="StateHeader"/>: features (int32); feature, label and tests column (text); merge
/// (byte); whether there are two groupings (bool), rounds (int32) and of each group size (int32) and threshold (single); prevalence
/// (double); whether the network is a built one (bool) and then units of stem, pair and body layers (each a count and int32s) and
/// activation (byte); then each weight as in <see cref="NetworkStateCodec"/>.</remarks>
internal static class GroupStateCodec
{
    private const int MaximumUnits = 1 << 24;

    public static byte[] Encode(GroupTestingTransformer transformer)
    {
        GroupNetwork network = transformer.Network;
        network.ThrowIfDisposed();
        using var stream = new MemoryStream();
        using (var writer = new BinaryWriter(stream))
        {
            StateHeader.Write(writer, StateKind.GroupTesting);
            writer.Write(network.FeatureCount);
            writer.Write(transformer.Columns.Features);
            writer.Write(transformer.Columns.Label);
            writer.Write(transformer.Columns.TestsName);
            writer.Write((byte)network.Merge);
            writer.Write(transformer.Schedule.IsTwoGroupings);
            writer.Write(transformer.Schedule.Rounds);
            for (int round = 0; round < transformer.Schedule.Rounds; round++)
            {
                writer.Write(transformer.Schedule.GroupSizes[round]);
                writer.Write(transformer.Thresholds[round]);
            }

            writer.Write(transformer.Prevalence);
            writer.Write(network.Architecture is not null);
            if (network.Architecture is { } architecture)
            {
                WriteLayers(writer, architecture.Stem);
                WriteLayers(writer, architecture.Pairs);
                WriteLayers(writer, architecture.Body);
                writer.Write((byte)architecture.Activation);
            }

            NetworkStateCodec.WriteWeights(writer, network.Weights);
        }

        return stream.ToArray();
    }

    /// <summary>The transformer.</summary>
    /// <param name="reader">After the header.</param>
    /// <param name="factory">Builds the user's own modules; not used for a built network.</param>
    /// <exception cref="InvalidDataException">The state is damaged, or the factory's modules have other weights.</exception>
    /// <exception cref="InvalidOperationException">The modules are the user's own and <paramref name="factory"/> is null.</exception>
    public static GroupTestingTransformer Decode(BinaryReader reader, GroupModuleFactory? factory)
        // What a user's factory throws is the user's.
        => factory is null ? StateReading.Whole(reader, state => Read(state, null)) : Read(reader, factory);

    private static GroupTestingTransformer Read(BinaryReader reader, GroupModuleFactory? factory)
    {
        int features = StateReading.Count(reader, MaximumUnits, "features");
        if (features == 0)
            throw new InvalidDataException("The saved network is damaged: it has no features.");
        var columns = new GroupColumns(reader.ReadString(), reader.ReadString(), reader.ReadString());
        GroupMerge merge = StateReading.Enum<GroupMerge>(reader);
        bool isTwoGroupings = reader.ReadBoolean();
        var sizes = new int[StateReading.Count(reader, 64, "rounds")];
        var thresholds = new float[sizes.Length];
        for (int round = 0; round < sizes.Length; round++)
            (sizes[round], thresholds[round]) = (reader.ReadInt32(), reader.ReadSingle());
        if (!Array.TrueForAll(thresholds, float.IsFinite))
            throw new InvalidDataException("The saved network is damaged: a threshold is no finite number.");
        GroupSchedule schedule = GroupSchedule.Of(isTwoGroupings, sizes);
        double prevalence = reader.ReadDouble();
        if (!(prevalence > 0 && prevalence < 1))
            throw new InvalidDataException($"The saved network is damaged: its prevalence is {prevalence}.");

        TorchRuntime.GetDevice("cpu");
        GroupNetwork network = ReadNetwork(reader, merge, features, factory);
        try
        {
            NetworkStateCodec.ReadWeights(reader, network.Weights);
            network.Freeze();
            return new GroupTestingTransformer(network, columns, schedule, thresholds, prevalence);
        }
        catch
        {
            network.Dispose();
            throw;
        }
    }

    private static GroupNetwork ReadNetwork(BinaryReader reader, GroupMerge merge, int features, GroupModuleFactory? factory)
    {
        if (!reader.ReadBoolean())
            return GroupNetwork.Of(merge, features, factory ?? throw new InvalidOperationException(
                "The saved modules are the user's own: load them with mlContext.ForwardSampling().Load(path, out schema, groupModules: "
                + "factory), giving the factory that they were trained with."));
        int[] stem = ReadLayers(reader), pairs = ReadLayers(reader), body = ReadLayers(reader);
        Activation activation = StateReading.Enum<Activation>(reader);
        if (stem.Length == 0 || (merge == GroupMerge.Tree && pairs.Length == 0))
            throw new InvalidDataException("The saved network is damaged: its stem or its pairs have no layer.");
        CheckLength(reader, [features, .. stem, .. pairs, .. body, 1]);
        return GroupNetwork.Build(merge, features, new GroupArchitecture(stem, pairs, body, activation), seed: 0);
    }

    /// <summary>A damaged size must not take the memory of a network that large: its weights would have to follow.</summary>
    private static void CheckLength(BinaryReader reader, int[] sizes)
    {
        long left = reader.BaseStream.Length - reader.BaseStream.Position;
        double weights = sizes.Zip(sizes[1..], (inputs, outputs) => (double)inputs * outputs).Sum();
        if (weights * sizeof(float) > left)
            throw new InvalidDataException($"The saved network is damaged: layers of {string.Join(", ", sizes)} units have {weights} "
                + $"weights, and {left} bytes are left.");
    }

    private static void WriteLayers(BinaryWriter writer, int[] units)
    {
        writer.Write(units.Length);
        foreach (int count in units)
            writer.Write(count);
    }

    private static int[] ReadLayers(BinaryReader reader)
    {
        var units = new int[StateReading.Count(reader, 64, "layers")];
        for (int i = 0; i < units.Length; i++)
        {
            units[i] = StateReading.Count(reader, MaximumUnits, "units");
            if (units[i] == 0)
                throw new InvalidDataException("The saved network is damaged: a layer has no units.");
        }

        return units;
    }
}
