using Microsoft.ML.ForwardSampling.Selection;

namespace Microsoft.ML.ForwardSampling.Tests.Selection;

public sealed class SelectionDiagnosticsTests
{
    [Fact]
    public void LossResidual_ByHand()
    {
        float[] loss = [1, 2, 3, 6];

        Assert.Equal(4.5 - 3, SelectionDiagnostics.LossResidual(loss, [2, 3]));
        Assert.Equal((0.5 * 3 + 1.5 * 6) / 2 - 3, SelectionDiagnostics.LossResidual(loss, [2, 3], [0.5f, 1.5f]));
    }

    [Fact]
    public void SelectionRateByLoss_ByHand()
    {
        // Loss order: rows 3, 1, 4, 0, 2; three groups hold ranks {0, 1}, {2, 3}, {4}.
        var window = new SelectionWindow(5, new SelectionScratch()) { Loss = [4, 2, 5, 1, 3] };
        var rates = new double[3];
        SelectionDiagnostics.SelectionRateByLoss(window, [1, 2], rates);

        Assert.Equal([0.5, 0, 1], rates);
    }

    [Fact]
    public void SelectionRateByLoss_SelectiveBackprop_GrowsWithTheDecile()
    {
        WindowData data = WindowData.Distinct(1000, 1);
        double[] rates = new double[10], sums = new double[10];
        for (int seed = 0; seed < 100; seed++)
        {
            SelectionDiagnostics.SelectionRateByLoss(data.Window(new SelectionScratch()),
                Choice.Of(new SelectiveBackpropPolicy(), data, 100, seed).Rows, rates);
            for (int i = 0; i < 10; i++)
                sums[i] += rates[i];
        }

        Assert.Equal(sums.Order(), sums);
        Assert.Equal(10, sums.Sum() / 10, 1e-9);
    }

    [Fact]
    public void Arguments_Wrong_GiveTheNumbers()
    {
        Assert.Equal(
            "loss has length 3 and rows has length 0: neither may be empty. (Parameter 'rows')",
            Assert.Throws<ArgumentException>(() => SelectionDiagnostics.LossResidual([1, 2, 3], [])).Message);
        Assert.Equal(
            "rows has length 1 and weights has length 2: they must be equal. (Parameter 'weights')",
            Assert.Throws<ArgumentException>(() => SelectionDiagnostics.LossResidual([1, 2, 3], [0], [1, 1])).Message);
        Assert.Equal(
            "rates has length 4: the number of groups must be in [1, 3], the rows of the window. (Parameter 'rates')",
            Assert.Throws<ArgumentException>(() => SelectionDiagnostics.SelectionRateByLoss(
                new SelectionWindow(3, new SelectionScratch()) { Loss = [1, 2, 3] }, [0], new double[4])).Message);
    }
}
