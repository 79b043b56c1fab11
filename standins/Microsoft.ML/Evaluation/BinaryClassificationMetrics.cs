namespace Microsoft.ML.Data;

/// <summary>How well scores tell positive rows from negative ones.</summary>
public class BinaryClassificationMetrics
{
    internal BinaryClassificationMetrics(BinaryCounts counts)
    {
        AreaUnderRocCurve = counts.AreaUnderRocCurve;
        AreaUnderPrecisionRecallCurve = counts.AreaUnderPrecisionRecallCurve;
        ConfusionMatrix = new ConfusionMatrix(counts.Table);
        Accuracy = (counts.Table[0][0] + counts.Table[1][1]) / counts.Rows;
        double sum = PositivePrecision + PositiveRecall;
        F1Score = sum == 0 ? 0 : 2 * PositivePrecision * PositiveRecall / sum;
    }

    public double AreaUnderRocCurve { get; }
    public double Accuracy { get; }
    public double PositivePrecision => ConfusionMatrix.PerClassPrecision[0];
    public double PositiveRecall => ConfusionMatrix.PerClassRecall[0];
    public double NegativePrecision => ConfusionMatrix.PerClassPrecision[1];
    public double NegativeRecall => ConfusionMatrix.PerClassRecall[1];
    public double F1Score { get; }
    public double AreaUnderPrecisionRecallCurve { get; }
    public ConfusionMatrix ConfusionMatrix { get; }
}

/// <summary>Adds what needs a probability.</summary>
public sealed class CalibratedBinaryClassificationMetrics : BinaryClassificationMetrics
{
    internal CalibratedBinaryClassificationMetrics(BinaryCounts counts) : base(counts)
    {
        Entropy = EntropyOf(counts.Table[0].Sum() / counts.Rows);
        double rows = counts.RowsWithProbability;
        LogLoss = double.IsNaN(counts.LogLoss) ? double.NaN : rows > 0 ? counts.LogLoss / rows : 0;
        double prior = EntropyOf(counts.PositivesWithProbability / rows);
        LogLossReduction = rows == 0 ? 0 : (prior - counts.LogLoss / rows) / prior;
    }

    public double LogLoss { get; }
    public double LogLossReduction { get; }
    public double Entropy { get; }

    private static double EntropyOf(double p) => p is 0 or 1 ? 0 : -(p * Math.Log2(p)) - (1 - p) * Math.Log2(1 - p);
}
