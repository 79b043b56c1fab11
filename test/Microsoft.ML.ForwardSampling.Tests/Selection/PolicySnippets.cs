using Microsoft.ML.ForwardSampling.Selection;

namespace Microsoft.ML.ForwardSampling.Tests.Selection;

/// <summary>The code of the policy pages: each region stands on the page of its name, compared by <see cref="PolicyDocsTests"/>, and runs
/// here.</summary>
public sealed class PolicySnippets
{
    private static readonly WindowData s_data = WindowData.Classes(640, 1);
    private readonly float[] _loss = s_data.Loss;
    private readonly float[] _gradientNorm = s_data.GradientNorm;
    private readonly int[] _label = s_data.Label;
    private readonly float[] _referenceLoss = s_data.ReferenceLoss;
    private readonly int[] _group = s_data.Group;

    [Fact]
    public void Uniform()
    {
        #region uniform
        var selector = new RowSelector(new UniformPolicy(), seed: 7);
        var rows = new int[64];
        var weights = new float[64];
        selector.Select(count: 640, rows, weights);
        // rows: 64 different positions of the window, ascending; every weight is 1.
        #endregion
        Assert.All(weights, weight => Assert.Equal(1f, weight));
        Assert.Equal(rows.Distinct().Order(), rows);
    }

    [Fact]
    public void MeanMatching()
    {
        float[] loss = _loss;
        #region mean-matching
        var selector = new RowSelector(new MeanMatchingPolicy(), seed: 7);
        var rows = new int[64];
        var weights = new float[64];
        selector.Select(count: 640, rows, weights, loss: loss);
        double residual = SelectionDiagnostics.LossResidual(loss, rows);
        // residual: mean loss of the 64 rows minus mean loss of the 640, a millionth of the losses' spread.
        #endregion
        Assert.InRange(Math.Abs(residual), 0, 0.006);
    }

    [Fact]
    public void LossStratified()
    {
        float[] loss = _loss;
        int[] label = _label;
        #region loss-stratified
        var selector = new RowSelector(new LossStratifiedPolicy(), seed: 7);
        var rows = new int[64];
        var weights = new float[64];
        selector.Select(count: 640, rows, weights, loss: loss, label: label);
        int ofClass2 = rows.Count(row => label[row] == 2);
        // ofClass2: a tenth of the window's rows of class 2, rounded up or down.
        #endregion
        Assert.InRange(ofClass2, label.Count(value => value == 2) / 10, (label.Count(value => value == 2) + 9) / 10);
    }

    [Fact]
    public void SelectiveBackprop()
    {
        float[] loss = _loss;
        #region selective-backprop
        var policy = new SelectiveBackpropPolicy { Beta = 1, MinimumProbability = 0.05 };
        var selector = new RowSelector(policy, seed: 7);
        var rows = new int[64];
        var weights = new float[64];
        selector.Select(count: 640, rows, weights, loss: loss);
        double residual = SelectionDiagnostics.LossResidual(loss, rows);
        // residual > 0: the chosen rows' mean loss is above the window's, and no weight makes up for it.
        #endregion
        Assert.True(residual > 0);
    }

    [Fact]
    public void GradientNorm()
    {
        float[] gradientNorm = _gradientNorm;
        #region gradient-norm
        var selector = new RowSelector(new GradientNormPolicy(), seed: 7);
        var rows = new int[64];
        var weights = new float[64];
        selector.Select(count: 640, rows, weights, gradientNorm: gradientNorm);
        // weights[i] · gradientNorm[rows[i]] is the same number for every row with a chance below 1.
        #endregion
        float[] products = [.. rows.Select((row, i) => weights[i] * gradientNorm[row])];
        Assert.Equal(products.Min(), products.Max(), 1e-4f);
    }

    [Fact]
    public void BalancedGradientNorm()
    {
        float[] loss = _loss, gradientNorm = _gradientNorm;
        int[] label = _label;
        #region balanced-gradient-norm
        var selector = new RowSelector(new BalancedGradientNormPolicy(), seed: 7);
        var rows = new int[64];
        var weights = new float[64];
        selector.Select(count: 640, rows, weights, loss: loss, gradientNorm: gradientNorm, label: label);
        SelectionReport report = selector.Report;
        // report.LargestWeight: at most 5, which is 1/UniformShare.
        #endregion
        Assert.InRange(report.LargestWeight, 1, 5);
    }

    [Fact]
    public void TopLoss()
    {
        float[] loss = _loss;
        #region top-loss
        var selector = new RowSelector(new TopLossPolicy(), seed: 7);
        var rows = new int[64];
        var weights = new float[64];
        selector.Select(count: 640, rows, weights, loss: loss);
        float smallest = rows.Min(row => loss[row]);
        // smallest: no row that was left out has a larger loss than this.
        #endregion
        Assert.InRange(loss.Count(value => value > smallest), 0, 64);
    }

    [Fact]
    public void BottomLoss()
    {
        float[] loss = _loss;
        #region bottom-loss
        var selector = new RowSelector(new BottomLossPolicy(), seed: 7);
        var rows = new int[576];
        var weights = new float[576];
        selector.Select(count: 640, rows, weights, loss: loss);
        float largest = rows.Max(row => loss[row]);
        // largest: the 64 rows that were left out have no smaller loss than this.
        #endregion
        Assert.All(Enumerable.Range(0, 640).Except(rows), row => Assert.True(loss[row] >= largest));
    }

    [Fact]
    public void InfoBatch()
    {
        float[] loss = _loss;
        #region info-batch
        var selector = new RowSelector(new InfoBatchPolicy { DropRate = 0.5 }, seed: 7);
        var rows = new int[64];
        var weights = new float[64];
        selector.Select(count: 640, rows, weights, loss: loss);
        float ratio = weights.Max() / weights.Min();
        // ratio: 2, which is 1/(1 − DropRate): a row below the mean stands for twice as many.
        #endregion
        Assert.Equal(2f, ratio, 1e-5f);
    }

    [Fact]
    public void Cube()
    {
        float[] loss = _loss, gradientNorm = _gradientNorm;
        int[] label = _label;
        #region cube
        var selector = new RowSelector(new CubePolicy(), seed: 7);
        var rows = new int[64];
        var weights = new float[64];
        selector.Select(count: 640, rows, weights, loss: loss, gradientNorm: gradientNorm, label: label);
        double residual = SelectionDiagnostics.LossResidual(loss, rows, weights);
        double sumOfWeights = weights.Sum();
        // residual: near 0; sumOfWeights: near 64; shares of classes: near the window's. All at once.
        #endregion
        Assert.InRange(residual, -0.05, 0.05);
        Assert.InRange(sumOfWeights, 60, 68);
    }

    [Fact]
    public void ReducibleLoss()
    {
        float[] loss = _loss, referenceLoss = _referenceLoss;
        #region reducible-loss
        var selector = new RowSelector(new ReducibleLossPolicy(), seed: 7);
        var rows = new int[64];
        var weights = new float[64];
        selector.Select(count: 640, rows, weights, loss: loss, referenceLoss: referenceLoss);
        float smallest = rows.Min(row => loss[row] - referenceLoss[row]);
        // smallest: no row that was left out is further above its reference loss than this.
        #endregion
        Assert.InRange(Enumerable.Range(0, 640).Count(row => loss[row] - referenceLoss[row] > smallest), 0, 64);
    }

    [Fact]
    public void GroupBudget()
    {
        float[] loss = _loss;
        int[] group = _group;
        #region group-budget
        var policy = new GroupBudgetPolicy { Inner = new LossStratifiedPolicy(), Allocation = GroupAllocation.Even };
        var selector = new RowSelector(policy, seed: 7);
        var rows = new int[64];
        var weights = new float[64];
        selector.Select(count: 640, rows, weights, loss: loss, group: group);
        int ofGroup3 = rows.Count(row => group[row] == 3);
        // ofGroup3: 16, a quarter of the budget for each of four groups, however many rows they have.
        #endregion
        Assert.Equal(16, ofGroup3);
        Assert.InRange(group.Count(value => value == 0), 300, 400);
    }

    [Fact]
    public void WeightCap()
    {
        float[] gradientNorm = _gradientNorm;
        #region weight-cap
        var policy = new WeightCapPolicy { Inner = new GradientNormPolicy(), MaximumWeight = 3 };
        var selector = new RowSelector(policy, seed: 7);
        var rows = new int[64];
        var weights = new float[64];
        selector.Select(count: 640, rows, weights, gradientNorm: gradientNorm);
        double cut = selector.Report.CappedWeight / (selector.Report.SumOfWeights + selector.Report.CappedWeight);
        // cut: share of the weight that the cap took away, a first guess at how far means come out too low.
        #endregion
        Assert.InRange(weights.Max(), 2.9, 3);
        Assert.InRange(cut, 0.001, 0.5);
    }

    [Fact]
    public void UniformFloor()
    {
        float[] loss = _loss;
        #region uniform-floor
        var policy = new UniformFloorPolicy { Inner = new TopLossPolicy(), Share = 0.25 };
        var selector = new RowSelector(policy, seed: 7);
        var rows = new int[64];
        var weights = new float[64];
        selector.Select(count: 640, rows, weights, loss: loss);
        float threshold = loss.OrderDescending().ElementAt(47);
        // 48 rows have the highest losses, threshold and above; 16 were drawn evenly among all others.
        #endregion
        Assert.InRange(rows.Count(row => loss[row] >= threshold), 48, 64);
        Assert.All(Enumerable.Range(0, 640).Where(row => loss[row] > threshold), row => Assert.Contains(row, rows));
    }

    [Fact]
    public void AdaptivePercentile()
    {
        float[] loss = _loss;
        int[] label = _label;
        #region adaptive-percentile
        var selector = new RowSelector(new AdaptivePercentilePolicy { TrialWindows = 2 }, seed: 7);
        var rows = new int[64];
        var weights = new float[64];
        for (double validationLoss = 1; validationLoss > 0.5; validationLoss *= 0.9)
        {
            selector.ReportValidation(validationLoss);
            for (int i = 0; i < 2; i++)
                selector.Select(count: 640, rows, weights, loss: loss, label: label); // and train on the rows
        }
        // selector.State carries what was learned; selector.Report counts the rows of trials with all others.
        #endregion
        Assert.Equal(2 * 7 * 64, selector.Report.RowsSelected);
        Assert.Equal(129, selector.State.PolicyState.Length);
    }

    [Fact]
    public void Assisted()
    {
        float[] loss = _loss, features = s_data.Features;
        int[] label = _label;
        #region assisted
        var selector = new RowSelector(new AssistedPolicy(), seed: 7);
        var rows = new int[64];
        var weights = new float[64];
        selector.Select(new SelectionWindow(640, selector.Scratch) { Features = features, Label = label }, rows, weights);
        // Train on the rows, then tell their losses, features and classes: here row 0 alone.
        selector.ReportTraining([loss[rows[0]]], FeaturesOf(rows[0]), [label[rows[0]]]);
        #endregion
        Assert.Equal(20 + 4 * (3 + label[rows[0]] + 1), selector.State.PolicyState.Length);

        static ReadOnlySpan<float> FeaturesOf(int row) => s_data.FeaturesOf(row);
    }
}
