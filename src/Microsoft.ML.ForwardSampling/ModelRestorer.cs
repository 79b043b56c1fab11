using Microsoft.ML.Data;
using Microsoft.ML.ForwardSampling.ForwardPass;
using Microsoft.ML.ForwardSampling.GroupTesting;
using Microsoft.ML.ForwardSampling.LowMemory;
using Microsoft.ML.ForwardSampling.Networks;
using Microsoft.ML.ForwardSampling.Saving;
using Microsoft.ML.Runtime;

namespace Microsoft.ML.ForwardSampling;

/// <summary>Puts our own transformers back into a model that ML.NET loaded.</summary>
internal static class ModelRestorer
{
    /// <summary>The model with every carrier replaced by what it carries; the same object when there was none.</summary>
    public static ITransformer Restore(IHostEnvironment environment, ITransformer model, NetworkFactory? network,
        GroupModuleFactory? groupModules)
    {
        if (model is not TransformerChain<ITransformer> chain)
            return model;
        ITransformer[] stages = [.. chain];
        if (StateCarrier.TryRead(stages) is { } state)
            return Decode(environment, state, stages, network, groupModules);
        ITransformer[] restored = Array.ConvertAll(stages, stage => Restore(environment, stage, network, groupModules));
        return restored.AsSpan().SequenceEqual(stages) ? chain : new TransformerChain<ITransformer>(restored, ScopesOf(chain, stages));
    }

    private static ITransformer Decode(IHostEnvironment environment, byte[] state, ITransformer[] stages, NetworkFactory? network,
        GroupModuleFactory? groupModules)
    {
        using var reader = new BinaryReader(new MemoryStream(state));
        return StateHeader.Read(reader, out int version) switch
        {
            StateKind.Network => NetworkStateCodec.Decode(reader, version, network),
            StateKind.LowMemory => LowMemoryStateCodec.Decode(reader),
            StateKind.GroupTesting => GroupStateCodec.Decode(reader, groupModules),
            _ => RecorderCarrier.Decode(environment, reader,
                Restore(environment, RecorderCarrier.InnerOf(stages), network, groupModules)),
        };
    }

    /// <summary>A chain tells its stages' scopes only by what it leaves out.</summary>
    private static IEnumerable<TransformerScope> ScopesOf(TransformerChain<ITransformer> chain, ITransformer[] stages)
    {
        TransformerScope[] single = [TransformerScope.Training, TransformerScope.Testing, TransformerScope.Scoring];
        var members = single.Select(scope => (scope, stages: chain.GetModelFor(scope).ToHashSet(ReferenceEqualityComparer.Instance)))
            .ToArray();
        return stages.Select(stage => members.Where(m => m.stages.Contains(stage))
            .Aggregate(TransformerScope.None, (all, m) => all | m.scope));
    }
}
