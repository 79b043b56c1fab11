using Microsoft.ML.Data;
using Microsoft.ML.ForwardSampling.GroupTesting;
using Microsoft.ML.ForwardSampling.Networks;
using Microsoft.ML.ForwardSampling.Tests.Networks;

namespace Microsoft.ML.ForwardSampling.Tests.GroupTesting;

/// <summary>What a faithful implementation must show, on generated rows; docs/group-testing.md has the figures on images.</summary>
[Collection(TorchCollection.Name)]
public class GroupTestingQualityTests
{
    private static readonly Lazy<RareRow[]> s_rows = new(() => RareRows.Create(20_000, seed: 3));
    private static readonly Lazy<GroupTestingTransformer> s_features = new(() => Fit(GroupMerge.Features, GroupSchedule.TwoRounds(8)));

    private readonly MLContext _context = new(seed: 1);

    [Fact]
    public void Features_GroupsOfEight_CostLessAndFindAsMuch()
    {
        Tested alone = Test(GroupSchedule.Individual), groups = Test(GroupSchedule.TwoRounds(8));
        Assert.InRange(groups.Report.Cost, 0.05, 0.40);
        Assert.True(alone.Recall(s_rows.Value) > 0.8, $"{alone.Recall(s_rows.Value)}");
        Assert.True(groups.Recall(s_rows.Value) >= alone.Recall(s_rows.Value) - 0.03,
            $"{groups.Recall(s_rows.Value)} {alone.Recall(s_rows.Value)}");
        Assert.InRange(groups.FalsePositives(s_rows.Value), 0, alone.FalsePositives(s_rows.Value));
    }

    [Fact]
    public void Inputs_GroupsOfFour_LoseRecall()
    {
        using GroupTestingTransformer model = Fit(GroupMerge.Inputs, GroupSchedule.TwoRounds(4));
        IDataView rows = _context.Data.LoadFromEnumerable(s_rows.Value);
        double alone = Tested.Of(model, rows, GroupSchedule.Individual).Recall(s_rows.Value);
        double groups = Tested.Of(model, rows, GroupSchedule.TwoRounds(4)).Recall(s_rows.Value);
        Assert.True(alone > 0.8 && groups <= alone - 0.05, $"{alone} {groups}");
    }

    [Fact]
    public void Tree_GroupsOfEight_CostLess()
    {
        using GroupTestingTransformer model = Fit(GroupMerge.Tree, GroupSchedule.TwoRounds(8));
        IDataView rows = _context.Data.LoadFromEnumerable(s_rows.Value);
        Tested alone = Tested.Of(model, rows, GroupSchedule.Individual), groups = Tested.Of(model, rows, GroupSchedule.TwoRounds(8));
        Assert.InRange(groups.Report.Cost, 0.05, 0.60);
        Assert.True(groups.Recall(s_rows.Value) >= alone.Recall(s_rows.Value) - 0.05);
    }

    [Fact]
    public void GroupSizes_TheCheapestIsNeitherTheSmallestNorTheLargest()
    {
        int[] sizes = [1, 2, 4, 8, 16, 32, 64];
        double[] costs = [.. sizes.Select(size => Test(GroupSchedule.TwoRounds(size)).Report.Cost)];
        Assert.Equal(1, costs[0]);
        int best = Array.IndexOf(costs, costs.Min());
        Assert.True(best is > 0 and < 6, string.Join(" ", costs));
        GroupTestingPlan plan = s_features.Value.Plan();
        double[] planned = [.. sizes.Select(size => plan.All.Single(c => c.Schedule == GroupSchedule.TwoRounds(size)).MultiplyAddsPerRow)];
        Assert.InRange(Array.IndexOf(planned, planned.Min()), 1, 5);
    }

    [Fact]
    public void TwoGroupings_RecallAndCost_AreBetweenTheirBounds()
    {
        Tested alone = Test(GroupSchedule.Individual), square = Test(GroupSchedule.TwoGroupings(8));
        Assert.Equal(2 * 20_000 / 8 + 4, square.Report.Tests, 16d);     // the last square is short
        Assert.True(square.Recall(s_rows.Value) >= alone.Recall(s_rows.Value) - 0.1);
        Assert.InRange(square.FalsePositives(s_rows.Value), 0, 20_000 / 20);
    }

    [Fact]
    public void WantedRecall_IsReachedOnTheValidationRows_AndCostsLessThanFindingAll()
    {
        IDataView train = RareRows.View(_context, 8_000, seed: 1, prevalence: 0.03), validation = RareRows.View(_context, 10_000, seed: 2);
        GroupTestingOptions options = RareRows.Options(GroupMerge.Features, GroupSchedule.SeveralRounds(16, 4), steps: 150);
        using GroupTestingTransformer most = Fit(options with { WantedRecall = 0.8 }), all = Fit(options with { WantedRecall = 1 });
        Assert.Equal(1, all.Training!.ValidationRecall);
        Assert.InRange(most.Training!.ValidationRecall!.Value, 0.8, 0.95);
        Assert.Equal(1, Recall(all));
        Assert.Equal(most.Training.ValidationRecall.Value, Recall(most), 1e-9);
        Assert.All(most.Thresholds.Zip(all.Thresholds), pair => Assert.True(pair.First >= pair.Second));
        Assert.True(most.Report.MultiplyAdds < all.Report.MultiplyAdds);

        GroupTestingTransformer Fit(GroupTestingOptions chosen) => _context.ForwardSampling().GroupTesting(chosen).Fit(train, validation);
        double Recall(GroupTestingTransformer model)
        {
            bool[] predicted = [.. model.Transform(validation).GetColumn<bool>("PredictedLabel")];
            bool[] labels = [.. validation.GetColumn<bool>("Label")];
            return (double)labels.Zip(predicted).Count(row => row.First && row.Second) / labels.Count(label => label);
        }
    }

    [Fact]
    public void Probability_SumsToAboutTheNumberOfPositives()
    {
        // Members of a ruled-out group share what is left of it: without the share a row in eight would be counted eight times.
        int positives = s_rows.Value.Count(row => row.Label);
        foreach (GroupSchedule schedule in new[] { GroupSchedule.TwoRounds(8), GroupSchedule.TwoGroupings(8) })
            Assert.InRange(Test(schedule).Probabilities.Sum(p => (double)p), 0.6 * positives, 1.6 * positives);
    }

    [Fact]
    public void Individual_EqualsTheUndividedNetworkBitByBit()
    {
        GroupNetwork network = s_features.Value.Network;
        var weights = new Dictionary<string, float[]>();
        foreach ((NetworkPart part, int first) in new[] { (network.Stem, 0), (network.Body, 1) })
        {
            foreach ((string name, TorchSharp.torch.Tensor weight) in part.Weights)
            {
                string[] words = name.Split('.');
                weights.Add($"layer{int.Parse(words[0][5..]) + first}.{words[1]}", weight.data<float>().ToArray());
            }
        }

        var whole = new DenseNetwork(
            new NetworkArchitecture(RareRows.FeatureCount, [32, 96, 64], 1, Activation.ReLU, Normalization.None, 0), name => weights[name]);
        float[] features = [.. s_rows.Value.Take(500).SelectMany(row => row.Features)], expected = new float[500];
        whole.Forward(features, 500, expected, new DenseNetwork.Scratch(whole));

        Tested alone = Test(GroupSchedule.Individual), one = Test(GroupSchedule.TwoRounds(1));
        Assert.Equal(expected.Select(BitConverter.SingleToInt32Bits), alone.Scores.Take(500).Select(BitConverter.SingleToInt32Bits));
        Assert.Equal(alone.Scores, one.Scores);
        Assert.Equal(20_000, alone.Report.Tests);
        Assert.Equal(alone.Report.IndividualMultiplyAdds, alone.Report.MultiplyAdds);
        Assert.Equal(20_000L * ((16 * 32) + (32 * 96) + (96 * 64) + 64), alone.Report.MultiplyAdds);
    }

    private Tested Test(GroupSchedule schedule)
        => Tested.Of(s_features.Value, _context.Data.LoadFromEnumerable(s_rows.Value), schedule);

    private static GroupTestingTransformer Fit(GroupMerge merge, GroupSchedule schedule)
    {
        var context = new MLContext(seed: 1);
        return context.ForwardSampling().GroupTesting(RareRows.Options(merge, schedule, steps: 800))
            .Fit(RareRows.View(context, 12_000, seed: 1, prevalence: 0.03));
    }
}
