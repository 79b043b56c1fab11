using Microsoft.ML.ForwardSampling.Selection;

namespace Microsoft.ML.ForwardSampling.Tests.Selection;

public sealed class ReducibleLossPolicyTests
{
    [Fact]
    public void Select_DifferentExcesses_ExactlyTheLargestWithWeightOneAndNoRandomNumber()
    {
        WindowData data = WindowData.Distinct(640, 3);
        var selector = new RowSelector(new ReducibleLossPolicy(), 4);
        RepeatableRandomState before = selector.State.Random;
        Choice choice = Choice.Of(selector, data, 64);

        Assert.Equal(Enumerable.Range(0, 640).OrderByDescending(row => data.Loss[row] - data.ReferenceLoss[row]).Take(64).Order(),
            choice.Rows);
        Assert.All(choice.Weights, weight => Assert.Equal(1f, weight));
        Assert.Equal(before, selector.State.Random);
    }

    [Fact]
    public void Select_SameReferenceForAll_IsTopLoss()
    {
        WindowData data = WindowData.Distinct(300, 3) with { ReferenceLoss = new float[300] };

        Assert.Equal(Choice.Of(new TopLossPolicy(), data, 30), Choice.Of(new ReducibleLossPolicy(), data, 30));
    }

    [Fact]
    public void Select_RowsThatBothModelsGetWrong_AreLeft()
    {
        // A tenth of the rows is noise: high losses under both models. TopLoss takes nothing else.
        WindowData data = WindowData.Distinct(200, 5) with { ReferenceLoss = new float[200] };
        for (int row = 0; row < 200; row += 10)
            (data.Loss[row], data.ReferenceLoss[row]) = (9 + row / 1000f, 9.5f);

        Assert.All(Choice.Of(new TopLossPolicy(), data, 20).Rows, row => Assert.Equal(0, row % 10));
        Assert.All(Choice.Of(new ReducibleLossPolicy(), data, 20).Rows, row => Assert.NotEqual(0, row % 10));
    }

    [Fact]
    public void Select_EqualExcesses_AnotherSeedAnotherChoice()
    {
        WindowData data = WindowData.Tied(200, 3);

        Assert.NotEqual(Choice.Of(new ReducibleLossPolicy(), data, 20, 1), Choice.Of(new ReducibleLossPolicy(), data, 20, 2));
    }

    [Fact]
    public void Defaults_ArePinned()
    {
        Assert.Equal("ReducibleLossPolicy { Name = ReducibleLoss, Needs = Loss, ReferenceLoss, IsUnbiased = False }",
            new ReducibleLossPolicy().ToString());
    }
}
