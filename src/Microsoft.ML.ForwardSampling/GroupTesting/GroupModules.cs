using TorchSharp;
using static TorchSharp.torch;

namespace Microsoft.ML.ForwardSampling.GroupTesting;

/// <summary>A user's own torch modules in place of the layers that options describe.</summary>
/// <remarks>What two modules cost nobody can see from outside, so their costs are given: with them the report counts and a plan is
/// made.</remarks>
public sealed record GroupModules
{
    /// <summary>Two modules of one network.</summary>
    /// <param name="stem">From rows, shape [rows, features], to feature maps, shape [rows, …].</param>
    /// <param name="body">From merged feature maps, shape [groups, …], to one logit each, shape [groups, 1].</param>
    /// <exception cref="ArgumentNullException">A module is null.</exception>
    public GroupModules(nn.Module<Tensor, Tensor> stem, nn.Module<Tensor, Tensor> body)
    {
        ArgumentNullException.ThrowIfNull(stem);
        ArgumentNullException.ThrowIfNull(body);
        Stem = stem;
        Body = body;
    }

    /// <summary>From rows to feature maps.</summary>
    public nn.Module<Tensor, Tensor> Stem { get; }

    /// <summary>From merged feature maps to a logit.</summary>
    public nn.Module<Tensor, Tensor> Body { get; }

    /// <summary>From a merged pair to feature maps; needed for <see cref="GroupMerge.Tree"/> and only used there.</summary>
    public nn.Module<Tensor, Tensor>? Pairs { get; init; }

    /// <summary>Multiply-adds of the stem for one row.</summary>
    /// <value>At least 0; default 0.</value>
    /// <exception cref="ArgumentOutOfRangeException">Negative.</exception>
    public long StemMultiplyAdds { get; init => field = Require.AtLeast(value, 0L, nameof(GroupModules)); }

    /// <summary>Multiply-adds of the pair module for one pair.</summary>
    /// <value>At least 0; default 0.</value>
    /// <exception cref="ArgumentOutOfRangeException">Negative.</exception>
    public long PairMultiplyAdds { get; init => field = Require.AtLeast(value, 0L, nameof(GroupModules)); }

    /// <summary>Multiply-adds of the body for one group.</summary>
    /// <value>At least 0; default 0.</value>
    /// <exception cref="ArgumentOutOfRangeException">Negative.</exception>
    public long BodyMultiplyAdds { get; init => field = Require.AtLeast(value, 0L, nameof(GroupModules)); }
}

/// <summary>Builds a user's own modules, on the CPU; called once for training and once for loading.</summary>
/// <param name="features">Features of a row.</param>
/// <returns>New modules with weights of their own.</returns>
public delegate GroupModules GroupModuleFactory(int features);
