using Microsoft.ML.Data;
using Microsoft.ML.ForwardSampling.DataViews;
using Microsoft.ML.ForwardSampling.Saving;
using Microsoft.ML.Transforms;

namespace Microsoft.ML.ForwardSampling.Networks;

/// <summary>The chain of ML.NET's own transformers that is written in place of a network: state first, then the same output
/// columns.</summary>
internal static class NetworkCarrier
{
    public const string ForwardContract = "ForwardSampling.Forward.v1";
    public const string RegressionContract = "ForwardSampling.Regression.v1";
    public const string BinaryContract = "ForwardSampling.Binary.v1";
    public const string ThresholdContract = "ForwardSampling.Threshold.v1";
    public const string ClassContract = "ForwardSampling.Class.v1";
    public const string BlockContract = "ForwardSampling.Block.v1";
    public const string ScoresColumn = "__fs_scores";
    public const string ClassColumn = "__fs_class";
    public const string BlockColumn = "__fs_block";
    public const string ThresholdColumn = "__fs_threshold";
    private const string ValueColumn = "__fs_value";
    private const string KeyColumn = "__fs_input";

    public static void Save(NetworkPredictionTransformer transformer, ModelSaveContext context)
    {
        TransformsCatalog transforms = PrivateContext.Instance.Transforms;
        var chain = new StateCarrier.Builder(StateCarrier.SchemaOf([(transformer.FeatureColumnName, transformer.FeatureColumnType),
            .. transformer.MoreInputs.Select(input => (input.Name, input.Type))]));
        chain.AddState(NetworkStateCodec.Encode(transformer));
        AddInputs(chain, transforms, transformer);
        chain.Add(transforms.CustomMapping(new ForwardFactory().GetMapping(), ForwardContract));
        switch (transformer.Model.Task)
        {
            case PredictionTask.Regression:
                chain.Add(transforms.CustomMapping(new RegressionFactory().GetMapping(), RegressionContract));
                break;
            case PredictionTask.Binary when transformer.ScoreThreshold is not 0f and float threshold:
                chain.Add(transforms.Conversion.MapValue(ThresholdColumn, [KeyValuePair.Create(StateCarrier.Key, threshold)],
                    StateCarrier.KeyColumn));
                chain.Add(transforms.CustomMapping(new ThresholdFactory().GetMapping(), ThresholdContract));
                break;
            case PredictionTask.Binary:
                chain.Add(transforms.CustomMapping(new BinaryFactory().GetMapping(), BinaryContract));
                break;
            default:
                AddClassScores(chain, transforms, transformer.Model.ScoreCount);
                AddPredictedLabel(chain, transforms, transformer);
                break;
        }

        chain.DropOwnColumns();
        chain.Save(context);
    }

    /// <summary>One vector of all that the network reads.</summary>
    private static void AddInputs(StateCarrier.Builder chain, TransformsCatalog transforms, NetworkPredictionTransformer transformer)
    {
        if (transformer.MoreInputs.Length == 0)
        {
            chain.Add(transforms.CopyColumns(StateCarrier.FeaturesColumn, transformer.FeatureColumnName));
            return;
        }

        var parts = new List<string> { transformer.FeatureColumnName };
        foreach (InputColumn input in transformer.MoreInputs)
        {
            // ML.NET makes no number of a key, but a vector in which a missing one is all zeros.
            string indicator = $"{KeyColumn}{parts.Count}";
            if (input.Keys > 0)
                chain.Add(transforms.Conversion.MapKeyToVector(indicator, input.Name));
            parts.Add(input.Keys > 0 ? indicator : input.Name);
        }

        chain.Add(transforms.Concatenate(StateCarrier.FeaturesColumn, [.. parts]));
    }

    /// <summary>Score as a vector of known size, which Evaluate asks for: a contract's columns are fixed, so scores come in blocks of
    /// scalars.</summary>
    private static void AddClassScores(StateCarrier.Builder chain, TransformsCatalog transforms, int classes)
    {
        int blocks = (classes + ScoreBlock.Size - 1) / ScoreBlock.Size;
        var parts = new string[blocks];
        for (int block = 0; block < blocks; block++)
        {
            int size = Math.Min(ScoreBlock.Size, classes - block * ScoreBlock.Size);
            parts[block] = blocks == 1 ? ScoreColumns.Score : $"__fs_part{block}";
            chain.Add(transforms.Conversion.MapValue(BlockColumn, [KeyValuePair.Create(StateCarrier.Key, block)], StateCarrier.KeyColumn));
            chain.Add(transforms.CustomMapping(new BlockFactory().GetMapping(), BlockContract));
            chain.Add(transforms.Concatenate(parts[block], [.. ScoreBlock.Columns.Take(size)]));
        }

        if (blocks > 1)
            chain.Add(transforms.Concatenate(ScoreColumns.Score, parts));
    }

    private static void AddPredictedLabel(StateCarrier.Builder chain, TransformsCatalog transforms,
        NetworkPredictionTransformer transformer)
    {
        MLContext context = PrivateContext.Instance;
        chain.Add(transforms.CustomMapping(new ClassFactory().GetMapping(), ClassContract));
        if (transformer.LabelKeyValues is { } keys)
        {
            chain.Add(keys.MapFromClass(context, ValueColumn, ClassColumn));
            chain.Add(transforms.Conversion.MapValueToKey(ScoreColumns.PredictedLabel, ValueColumn,
                keyData: keys.AsView(context, ScoreColumns.PredictedLabel)));
            return;
        }

        IDataView classes = context.Data.LoadFromEnumerable(Enumerable.Range(0, transformer.Model.ScoreCount)
            .Select(c => new PredictedClass { Class = (uint)c }).ToArray());
        chain.Add(transforms.Conversion.MapValueToKey(ScoreColumns.PredictedLabel, ClassColumn, keyData: classes));
    }
}

/// <summary>A row's scores: one, or one per class.</summary>
internal sealed class ForwardScores
{
    [ColumnName(NetworkCarrier.ScoresColumn)]
    public VBuffer<float> Scores { get; set; }
}

/// <summary>Output columns of regression.</summary>
internal sealed class RegressionScore
{
    public float Score { get; set; }
}

/// <summary>Output columns of binary classification.</summary>
internal sealed class BinaryScore
{
    public float Score { get; set; }

    public float Probability { get; set; }

    public bool PredictedLabel { get; set; }
}

/// <summary>A row's score and the one above which it is positive.</summary>
internal sealed class ThresholdInput
{
    [ColumnName(NetworkCarrier.ScoresColumn)]
    public VBuffer<float> Scores { get; set; }

    [ColumnName(NetworkCarrier.ThresholdColumn)]
    public float Threshold { get; set; }
}

/// <summary>The class of the largest score, 0-based.</summary>
internal sealed class PredictedClass
{
    [ColumnName(NetworkCarrier.ClassColumn)]
    public uint Class { get; set; }
}

/// <summary>A row's scores and which block of them is wanted.</summary>
internal sealed class BlockInput
{
    [ColumnName(NetworkCarrier.ScoresColumn)]
    public VBuffer<float> Scores { get; set; }

    [ColumnName(NetworkCarrier.BlockColumn)]
    public int Block { get; set; }
}

/// <summary>Sixteen scores as columns.</summary>
internal sealed class ScoreBlock
{
    public const int Size = 16;

    public static readonly string[] Columns = [.. Enumerable.Range(0, Size).Select(i => $"__fs_s{i}")];

    public float __fs_s0, __fs_s1, __fs_s2, __fs_s3, __fs_s4, __fs_s5, __fs_s6, __fs_s7,
        __fs_s8, __fs_s9, __fs_s10, __fs_s11, __fs_s12, __fs_s13, __fs_s14, __fs_s15;
}

/// <summary>One pass of the carried network over one row.</summary>
[CustomMappingFactoryAttribute(NetworkCarrier.ForwardContract)]
internal sealed class ForwardFactory : CustomMappingFactory<CarriedRow, ForwardScores>
{
    private static readonly CarriedModels<CarriedNetwork> s_networks = new(StateKind.Network, "a network",
        (reader, version) => new CarriedNetwork(NetworkStateCodec.Decode(reader, version, factory: null).Model));

    public override Action<CarriedRow, ForwardScores> GetMapping() => static (input, output) =>
        output.Scores = s_networks.Of(input.State).Score(input.Features);

    private sealed class CarriedNetwork(NetworkModel model)
    {
        private readonly ThreadLocal<ScoringBatch> _batch = new(() => ScoringBatch.Create(model, 1));

        public VBuffer<float> Score(VBuffer<float> features)
        {
            int expected = model.FeatureCount + (model.Architecture?.Embeddings.Sum(table => table.Keys - 1) ?? 0);
            if (features.Length != expected)
                throw new InvalidOperationException($"The row has {features.Length} features; the network was trained on {expected}.");
            ScoringBatch batch = _batch.Value!;
            batch.Set(0, model.Architecture is { Embeddings.Length: > 0 } architecture ? ToKeys(features, architecture) : features);
            batch.Score(1);
            return new VBuffer<float>(model.ScoreCount, batch.ScoresOf(0).ToArray());
        }

        /// <summary>Each key's number in the place of its indicator vector.</summary>
        private static VBuffer<float> ToKeys(VBuffer<float> features, NetworkArchitecture architecture)
        {
            var slots = new List<int>();
            var values = new List<float>();
            foreach ((int slot, float value) in features.Items())
            {
                int table = 0, within = slot - architecture.Features;
                while (within >= 0 && within >= architecture.Embeddings[table].Keys)
                    within -= architecture.Embeddings[table++].Keys;
                if (within >= 0 && value == 0f)
                    continue;
                slots.Add(within < 0 ? slot : architecture.Features + table);
                values.Add(within < 0 ? value : within + 1);
            }

            return new VBuffer<float>(architecture.Inputs, slots.Count, [.. values], [.. slots]);
        }
    }
}

/// <summary>The score of a regression.</summary>
[CustomMappingFactoryAttribute(NetworkCarrier.RegressionContract)]
internal sealed class RegressionFactory : CustomMappingFactory<ForwardScores, RegressionScore>
{
    public override Action<ForwardScores, RegressionScore> GetMapping() => static (input, output) =>
        output.Score = input.Scores.GetValues()[0];
}

/// <summary>The columns of a binary classification.</summary>
[CustomMappingFactoryAttribute(NetworkCarrier.BinaryContract)]
internal sealed class BinaryFactory : CustomMappingFactory<ForwardScores, BinaryScore>
{
    public override Action<ForwardScores, BinaryScore> GetMapping() => static (input, output) =>
    {
        float score = input.Scores.GetValues()[0];
        output.Score = score;
        output.Probability = SingleScoreColumns.ProbabilityOf(score);
        output.PredictedLabel = score > 0f;
    };
}

/// <summary>The columns of a binary classification whose threshold was changed.</summary>
[CustomMappingFactoryAttribute(NetworkCarrier.ThresholdContract)]
internal sealed class ThresholdFactory : CustomMappingFactory<ThresholdInput, BinaryScore>
{
    public override Action<ThresholdInput, BinaryScore> GetMapping() => static (input, output) =>
    {
        float score = input.Scores.GetValues()[0];
        output.Score = score;
        output.Probability = SingleScoreColumns.ProbabilityOf(score);
        output.PredictedLabel = score > input.Threshold;
    };
}

/// <summary>The class of a multiclass classification; beyond the last one (a missing key) when a score is NaN.</summary>
[CustomMappingFactoryAttribute(NetworkCarrier.ClassContract)]
internal sealed class ClassFactory : CustomMappingFactory<ForwardScores, PredictedClass>
{
    public override Action<ForwardScores, PredictedClass> GetMapping() => static (input, output)
        => output.Class = (uint)ScoreGetters.PredictedClass(input.Scores.GetValues());
}

/// <summary>One block of class scores as columns.</summary>
[CustomMappingFactoryAttribute(NetworkCarrier.BlockContract)]
internal sealed class BlockFactory : CustomMappingFactory<BlockInput, ScoreBlock>
{
    public override Action<BlockInput, ScoreBlock> GetMapping() => static (input, output) =>
    {
        ReadOnlySpan<float> scores = input.Scores.GetValues();
        int start = input.Block * ScoreBlock.Size;
        float At(int i, ReadOnlySpan<float> from) => start + i < from.Length ? from[start + i] : 0f;
        output.__fs_s0 = At(0, scores);
        output.__fs_s1 = At(1, scores);
        output.__fs_s2 = At(2, scores);
        output.__fs_s3 = At(3, scores);
        output.__fs_s4 = At(4, scores);
        output.__fs_s5 = At(5, scores);
        output.__fs_s6 = At(6, scores);
        output.__fs_s7 = At(7, scores);
        output.__fs_s8 = At(8, scores);
        output.__fs_s9 = At(9, scores);
        output.__fs_s10 = At(10, scores);
        output.__fs_s11 = At(11, scores);
        output.__fs_s12 = At(12, scores);
        output.__fs_s13 = At(13, scores);
        output.__fs_s14 = At(14, scores);
        output.__fs_s15 = At(15, scores);
    };
}
