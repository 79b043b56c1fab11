using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
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
    public const string FeaturesColumn = "__fs_features";
    public const string TestsColumn = "__fs_tests";

    public static void Save(GroupTestingTransformer transformer, ModelSaveContext context)
    {
        TransformsCatalog transforms = PrivateContext.Instance.Transforms;
        var chain = new StateCarrier.Builder(StateCarrier.SchemaOf(transformer.FeatureColumnName, transformer.FeatureColumnType));
        chain.AddState(GroupStateCodec.Encode(transformer));
        chain.Add(transforms.CopyColumns(FeaturesColumn, transformer.FeatureColumnName));
        chain.Add(transforms.CustomMapping(new GroupTestedFactory().GetMapping(), Contract));
        chain.Add(transforms.CopyColumns(transformer.Columns.TestsName, TestsColumn));
        chain.Add(transforms.DropColumns(
            [.. chain.Schema.Where(c => !c.IsHidden && c.Name.StartsWith("__fs_", StringComparison.Ordinal)).Select(c => c.Name)]));
        chain.Save(context);
    }
}

/// <summary>The model's state and a row's features.</summary>
internal sealed class GroupTestedInput
{
    [ColumnName(StateCarrier.StateColumn)]
    public ReadOnlyMemory<char> State { get; set; }

    [ColumnName(GroupCarrier.FeaturesColumn)]
    public VBuffer<float> Features { get; set; }
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
internal sealed class GroupTestedFactory : CustomMappingFactory<GroupTestedInput, GroupTestedScore>
{
    // A loaded state is one string that lives as long as its model; parse it once.
    private static readonly ConditionalWeakTable<string, Carried> _models = [];

    public override Action<GroupTestedInput, GroupTestedScore> GetMapping() => static (input, output) =>
        Find(input.State).Score(input.Features, output);

    private static Carried Find(ReadOnlyMemory<char> state)
    {
        if (!MemoryMarshal.TryGetString(state, out string? text, out int start, out int length) || start != 0 || length != text.Length)
            text = string.Intern(state.ToString());
        return _models.GetValue(text, static t => new Carried(t));
    }

    private sealed class Carried
    {
        private readonly GroupTestingTransformer _model;
        private readonly ThreadLocal<GroupTester> _tester;

        public Carried(string state)
        {
            using var reader = new BinaryReader(new MemoryStream(StateCarrier.Decode(state)));
            if (StateHeader.Read(reader) != StateKind.GroupTesting)
                throw new InvalidDataException("The saved state is not of a group-tested model.");
            _model = GroupStateCodec.Decode(reader, factory: null);
            _tester = new ThreadLocal<GroupTester>(() => new GroupTester(_model.Network, GroupSchedule.Individual,
                [_model.Thresholds[^1]], _model.Prevalence, 1));
        }

        public void Score(VBuffer<float> features, GroupTestedScore output)
        {
            if (features.Length != _model.Network.FeatureCount)
                throw new InvalidOperationException(
                    $"The row has {features.Length} features; the network was trained on {_model.Network.FeatureCount}.");
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
