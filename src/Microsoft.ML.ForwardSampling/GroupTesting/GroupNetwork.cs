using Microsoft.ML.ForwardSampling.Networks;
using TorchSharp;
using static TorchSharp.torch;

namespace Microsoft.ML.ForwardSampling.GroupTesting;

/// <summary>What the layers of a built group network are.</summary>
/// <param name="Stem">Units of each layer in front of the merge, one or more.</param>
/// <param name="Pairs">Units of each layer between the merges of a tree; empty for the other designs.</param>
/// <param name="Body">Units of each hidden layer behind the merge.</param>
/// <param name="Activation">The function after each layer but the last.</param>
internal sealed record GroupArchitecture(int[] Stem, int[] Pairs, int[] Body, Activation Activation);

/// <summary>One network for groups of every size: stem, merge, body. Immutable once it is frozen; many threads may score with it.</summary>
internal sealed class GroupNetwork : IDisposable
{
    public const string BodyName = "body";

    private bool _disposed;

    private GroupNetwork(GroupMerge merge, int featureCount, GroupArchitecture? architecture, NetworkPart stem, NetworkPart? pairs,
        NetworkPart body)
    {
        Merge = merge;
        FeatureCount = featureCount;
        Architecture = architecture;
        Stem = stem;
        Pairs = pairs;
        Body = body;
    }

    public GroupMerge Merge { get; }

    public int FeatureCount { get; }

    /// <summary>Null for a user's modules.</summary>
    public GroupArchitecture? Architecture { get; }

    public NetworkPart Stem { get; }

    /// <summary>Null but for a tree.</summary>
    public NetworkPart? Pairs { get; }

    public NetworkPart Body { get; }

    public IEnumerable<NetworkPart> Parts => Pairs is null ? [Stem, Body] : [Stem, Pairs, Body];

    /// <summary>Multiply-adds of one row tested alone.</summary>
    public long IndividualMultiplyAdds => Parts.Sum(part => part.MultiplyAdds);

    /// <summary>All weights, by the part's name, a point and the name in the part.</summary>
    public Dictionary<string, Tensor> Weights
        => Parts.SelectMany(part => part.Weights.Select(weight => ($"{part.Name}.{weight.Key}", weight.Value)))
            .ToDictionary(weight => weight.Item1, weight => weight.Value);

    public static GroupNetwork Build(GroupMerge merge, int featureCount, GroupArchitecture architecture, int seed)
    {
        var random = new Random(seed);
        NetworkPart Part(string name, int inputs, int[] layers, bool isLast = false) => new(name,
            new NetworkArchitecture(inputs, layers[..^1], layers[^1], architecture.Activation, Normalization.None, 0f), isLast,
            random.Next());
        NetworkPart stem = Part("stem", featureCount, architecture.Stem);
        NetworkPart? pairs = merge == GroupMerge.Tree ? Part("pairs", architecture.Stem[^1], architecture.Pairs) : null;
        NetworkPart body = Part(BodyName, (pairs is null ? architecture.Stem : architecture.Pairs)[^1], [.. architecture.Body, 1],
            isLast: true);
        return new GroupNetwork(merge, featureCount, architecture, stem, pairs, body);
    }

    public static GroupNetwork Of(GroupMerge merge, int featureCount, GroupModuleFactory factory)
    {
        GroupModules modules = factory(featureCount)
            ?? throw new InvalidOperationException("The module factory gave null instead of modules.");
        if (merge == GroupMerge.Tree && modules.Pairs is null)
            throw new InvalidOperationException($"{nameof(GroupMerge)}.{nameof(GroupMerge.Tree)} needs {nameof(GroupModules)}."
                + $"{nameof(GroupModules.Pairs)}, and the factory gave none.");
        return new GroupNetwork(merge, featureCount, null, new NetworkPart("stem", modules.Stem, modules.StemMultiplyAdds),
            merge == GroupMerge.Tree ? new NetworkPart("pairs", modules.Pairs!, modules.PairMultiplyAdds) : null,
            new NetworkPart(BodyName, modules.Body, modules.BodyMultiplyAdds));
    }

    /// <summary>Logits of groups of one size, shape [groups, 1], by a pass that can be differentiated.</summary>
    /// <param name="features">Shape [groups * size, features], a group's members one after the other.</param>
    /// <param name="size">Members of each group.</param>
    public Tensor Forward(Tensor features, int size)
    {
        long groups = features.shape[0] / size;
        if (Merge == GroupMerge.Inputs)
            return Body.Forward(Stem.Forward(features.reshape(groups, size, FeatureCount).mean([1])));
        Tensor maps = Stem.Forward(features);
        if (Pairs is null)
            return Body.Forward(Largest(maps, groups, size));
        if (size % 2 == 1)
        {
            // The last member makes a pair with itself.
            Tensor grouped = maps.reshape([groups, size, .. maps.shape[1..]]);
            maps = cat([grouped, grouped.narrow(1, size - 1, 1)], 1).reshape([groups * (size + 1), .. maps.shape[1..]]);
            size++;
        }

        return Body.Forward(Largest(Pairs.Forward(Largest(maps, groups * size / 2, 2)), groups, size / 2));
    }

    /// <summary>Called once the weights are final.</summary>
    public void Freeze()
    {
        foreach (NetworkPart part in Parts)
            part.Freeze();
    }

    public void Dispose()
    {
        if (_disposed)
            return;
        _disposed = true;
        foreach (NetworkPart part in Parts)
            part.Dispose();
    }

    public void ThrowIfDisposed() => ObjectDisposedException.ThrowIf(_disposed, typeof(GroupTestingTransformer));

    private static Tensor Largest(Tensor maps, long groups, long size)
        => size == 1 ? maps : maps.reshape([groups, size, .. maps.shape[1..]]).amax([1]);
}
