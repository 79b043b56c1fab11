using Microsoft.ML.Data;
using Microsoft.ML.ForwardSampling.DataViews;
using Microsoft.ML.ForwardSampling.Networks;
using Microsoft.ML.ForwardSampling.Saving;
using Microsoft.ML.Transforms;

namespace Microsoft.ML.ForwardSampling.GroupTesting;

/// <summary>The chain of ML.NET's own transformers that is written in place of a group-tested model: state first, then the same columns,
/// each row tested alone, for a custom mapping sees one row.</summary>
internal static class GroupCarrier
{
    public const string Contract = "ForwardSampling.GroupTested.v1";
    public const string TestsColumn = "__fs_tests";

    public static void Save(GroupTestingTransformer transformer, ModelSaveContext context)
    {
        TransformsCatalog transforms = PrivateContext.Instance.Transforms;
        var chain = new StateCarrier.Builder(StateCarrier.SchemaOf(transformer.FeatureColumnName, transformer.FeatureColumnType));
        chain.AddState(GroupStateCodec.Encode(transformer));
        chain.Add(transforms.CopyColumns(StateCarrier.FeaturesColumn, transformer.FeatureColumnName));
        chain.Add(transforms.CustomMapping(new GroupTestedFactory().GetMapping(), Contract));
        chain.Add(transforms.CopyColumns(transformer.Columns.TestsName, TestsColumn));
        chain.DropOwnColumns();
        chain.Save(context);
    }
}

/// <summary>Output columns of a row that is tested alone.</summary>
internal sealed class GroupTestedScore
{
    public float Score { get; set; }

    public float Probability { get; set; }

    public bool PredictedLabel { get; set; }

    [ColumnName(GroupCarrier.TestsColumn)]
    public float Tests { get; set; }
}

/// <summary>One test of one row by the carried network, with the last round's threshold.</summary>
[CustomMappingFactoryAttribute(GroupCarrier.Contract)]
internal sealed class GroupTestedFactory : CustomMappingFactory<CarriedRow, GroupTestedScore>
{
    private static readonly CarriedModels<Carried> s_models = new(StateKind.GroupTesting, "a group-tested model",
        (reader, _) => new Carried(GroupStateCodec.Decode(reader, factory: null)));

    public override Action<CarriedRow, GroupTestedScore> GetMapping() => static (input, output) =>
        s_models.Of(input.State).Score(input.Features, output);

    private sealed class Carried(GroupTestingTransformer model)
    {
        private readonly ThreadLocal<GroupTester> _tester = new(() => new GroupTester(model.Network, GroupSchedule.Individual,
            [model.Thresholds[^1]], model.Prevalence, 1));

        public void Score(VBuffer<float> features, GroupTestedScore output)
        {
            if (features.Length != model.Network.FeatureCount)
                throw new InvalidOperationException(
                    $"The row has {features.Length} features; the network was trained on {model.Network.FeatureCount}.");
            GroupTester tester = _tester.Value!;
            features.CopyTo(tester.Features(0));
            tester.Score(1);
            output.Score = tester.Scores[0];
            output.Probability = tester.Probabilities[0];
            output.PredictedLabel = tester.Scores[0] > 0f;
            output.Tests = tester.Tests[0];
        }
    }
}
