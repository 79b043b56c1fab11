namespace Microsoft.ML.ForwardSampling.Tool.Compare;

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
        _ when experiment.RareClass is { } rare => [new("accuracy", false, true), new("log-loss", true, false),
            new($"recall of {rare}", false, true)],
        _ => [new("accuracy", false, true), new("log-loss", true, false)],
    };

    // A model may be certain and wrong: its loss is that of this probability, as in ML.NET's multiclass evaluator, and not infinite.
    private const double LeastProbability = 1e-15;

    /// <summary>Tests a model by ML.NET's own evaluators; only a binary log-loss is added up here, because theirs can be
    /// infinite.</summary>
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
                return [BinaryLogLoss(scored), binary.AreaUnderRocCurve, binary.Accuracy];
            default:
                var classes = mlContext.MulticlassClassification.Evaluate(scored);
                double[] values = [classes.MicroAccuracy, classes.LogLoss];
                return experiment.RareClass is { } rare
                    ? [.. values, classes.ConfusionMatrix.PerClassRecall[data.Classes.ToList().IndexOf(rare)]] : values;
        }
    }

    private static double BinaryLogLoss(IDataView scored)
    {
        double bits = 0;
        long rows = 0;
        using DataViewRowCursor cursor = scored.GetRowCursor([scored.Schema["Label"], scored.Schema["Probability"]]);
        ValueGetter<bool> getLabel = cursor.GetGetter<bool>(scored.Schema["Label"]);
        ValueGetter<float> getProbability = cursor.GetGetter<float>(scored.Schema["Probability"]);
        bool label = false;
        float probability = 0;
        while (cursor.MoveNext())
        {
            getLabel(ref label);
            getProbability(ref probability);
            bits -= Math.Log2(Math.Max(LeastProbability, label ? probability : 1.0 - probability));
            rows++;
        }

        return bits / rows;
    }
}
