using Microsoft.ML.ForwardSampling.Selection;

namespace Microsoft.ML.ForwardSampling.Tests.Selection;

public sealed class BottomLossPolicyTests
{
    [Fact]
    public void Select_DifferentLosses_ExactlyTheBottomOnesWithWeightOneAndNoRandomNumber()
    {
        WindowData data = WindowData.Distinct(640, 3);
        var selector = new RowSelector(new BottomLossPolicy(), 4);
        RepeatableRandomState before = selector.State.Random;
        Choice choice = Choice.Of(selector, data, 64);

        Assert.Equal(Enumerable.Range(0, 640).OrderBy(row => data.Loss[row]).Take(64).Order(), choice.Rows);
        Assert.All(choice.Weights, weight => Assert.Equal(1f, weight));
        Assert.Equal(before, selector.State.Random);
    }

    [Fact]
    public void Select_EqualLosses_AnotherSeedAnotherChoice()
    {
        WindowData data = WindowData.Tied(200, 3);

        Assert.NotEqual(Choice.Of(new BottomLossPolicy(), data, 20, 1), Choice.Of(new BottomLossPolicy(), data, 20, 2));
    }

    [Fact]
    public void Defaults_ArePinned()
    {
        Assert.Equal("BottomLossPolicy { Name = BottomLoss, Needs = Loss, IsUnbiased = False }", new BottomLossPolicy().ToString());
    }
}
