namespace Microsoft.ML.ForwardSampling.Examples.Compare;

/// <summary>A figure of a tested model.</summary>
/// <param name="Name">As in tables.</param>
/// <param name="LowerIsBetter">Whether a smaller value is the better one.</param>
/// <param name="IsShare">Whether it is written in per cent, and its differences in points.</param>
internal sealed record CompareMetric(string Name, bool LowerIsBetter, bool IsShare);

/// <summary>What models of a task are judged by: the first figure decides, the others are told.</summary>
internal static class CompareMetrics
{
    /// <summary>The figures of an experiment, in the order of <see cref="Evaluate"/>'s values.</summary>
    public static IReadOnlyList<CompareMetric> Of(CompareExperiment experiment) => experiment.Task switch
    {
        PredictionTask.Regression => [new("RMSE", true, false), new("MAE", true, false)],
        PredictionTask.Binary => [new("log-loss, bits", true, false), new("AUC", false, false), new("accuracy", false, true)],
        _ when experiment.RareClass is { } rare => [new("accuracy", false, true), new("log-loss", true, false), new($"recall of {rare}", false, true)],
        _ => [new("accuracy", false, true), new("log-loss", true, false)],
    };

    /// <summary>Tests a model by ML.NET's own evaluators.</summary>
    public static double[] Evaluate(MLContext mlContext, ITransformer model, IDataView test, TabularData data, CompareExperiment experiment)
    {
        IDataView scored = model.Transform(test);
        switch (experiment.Task)
        {
            case PredictionTask.Regression:
                var regression = mlContext.Regression.Evaluate(scored);
                return [data.LabelScale * regression.RootMeanSquaredError, data.LabelScale * regression.MeanAbsoluteError];
            case PredictionTask.Binary:
                var binary = mlContext.BinaryClassification.Evaluate(scored);
                return [binary.LogLoss, binary.AreaUnderRocCurve, binary.Accuracy];
            default:
                var classes = mlContext.MulticlassClassification.Evaluate(scored);
                double[] values = [classes.MicroAccuracy, classes.LogLoss];
                return experiment.RareClass is { } rare ? [.. values, classes.ConfusionMatrix.PerClassRecall[data.Classes.ToList().IndexOf(rare)]] : values;
        }
    }
}
