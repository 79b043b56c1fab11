namespace Microsoft.ML.Data;

internal static class RegressionEvaluator
{
    /// <summary>One pass in double precision; a row whose label or score is NaN is left out.</summary>
    public static RegressionMetrics Evaluate(IDataView data, string labelColumnName, string scoreColumnName)
    {
        var label = EvaluationColumns.Find(data, "Label", labelColumnName, nameof(labelColumnName));
        var score = EvaluationColumns.Find(data, "Score", scoreColumnName, nameof(scoreColumnName));
        EvaluationColumns.Require(score.Type == NumberDataViewType.Single, "score", score, "Single");
        EvaluationColumns.Require(label.Type == NumberDataViewType.Single, "label", label, "Single");

        using var cursor = data.GetRowCursor([label, score]);
        var getLabel = cursor.GetGetter<float>(label);
        var getScore = cursor.GetGetter<float>(score);
        double count = 0, absolute = 0, squared = 0, loss = 0, labels = 0, squaredLabels = 0;
        float y = 0, predicted = 0;
        while (cursor.MoveNext())
        {
            getLabel(ref y);
            getScore(ref predicted);
            if (float.IsNaN(y) || float.IsNaN(predicted))
                continue;

            double error = Math.Abs((double)y - predicted);
            float rounded = predicted - y;
            count++;
            absolute += error;
            squared += error * error;
            loss += rounded * rounded;
            labels += y;
            squaredLabels += y * y;
        }

        if (count == 0)
            return new RegressionMetrics();
        double variance = squaredLabels - labels * labels / count;
        return new RegressionMetrics
        {
            MeanAbsoluteError = absolute / count,
            MeanSquaredError = squared / count,
            LossFunction = loss / count,
            RSquared = variance == 0 ? double.NaN : 1 - squared / variance,
        };
    }
}
