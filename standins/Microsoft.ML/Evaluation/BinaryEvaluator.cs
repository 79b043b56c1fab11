namespace Microsoft.ML.Data;

/// <summary>What one pass over scored rows leaves behind; class 0 is the positive one.</summary>
internal sealed class BinaryCounts
{
    public double[][] Table { get; } = [[0, 0], [0, 0]];
    public double LogLoss, RowsWithProbability, PositivesWithProbability;
    public double AreaUnderRocCurve, AreaUnderPrecisionRecallCurve;
    public double Rows => Table.Sum(row => row.Sum());
}

internal static class BinaryEvaluator
{
    // The predicted label must exist but is not read: as in ML.NET, a row counts as predicted positive when its score is above 0.
    public static BinaryCounts Count(
        IDataView data, string labelColumnName, string scoreColumnName, string? probabilityColumnName, string predictedLabelColumnName)
    {
        var label = EvaluationColumns.Find(data, "Label", labelColumnName, nameof(labelColumnName));
        var score = EvaluationColumns.Find(data, "Score", scoreColumnName, nameof(scoreColumnName));
        DataViewSchema.Column? probability = probabilityColumnName is null
            ? null : EvaluationColumns.Find(data, "Probability", probabilityColumnName, nameof(probabilityColumnName));
        EvaluationColumns.Find(data, "PredictedLabel", predictedLabelColumnName, nameof(predictedLabelColumnName));
        EvaluationColumns.Require(score.Type == NumberDataViewType.Single, "score", score, "Single");
        EvaluationColumns.Require(
            label.Type == NumberDataViewType.Single || label.Type == NumberDataViewType.Double || label.Type is BooleanDataViewType or KeyDataViewType { Count: 2 },
            "label", label, "Single, Double, Boolean, or a Key with cardinality 2");
        if (probability is { } column)
            EvaluationColumns.Require(column.Type == NumberDataViewType.Single, "probability", column, "Single");

        var counts = new BinaryCounts();
        List<(float Score, bool Positive)> rows = [];
        using (var cursor = data.GetRowCursor(probability is null ? [label, score] : [label, score, probability.Value]))
        {
            var getLabel = EvaluationColumns.LabelGetter(cursor, label);
            var getScore = cursor.GetGetter<float>(score);
            var getProbability = probability is null ? null : cursor.GetGetter<float>(probability.Value);
            float y = 0, s = 0, p = float.NaN;
            while (cursor.MoveNext())
            {
                getLabel(ref y);
                getScore(ref s);
                getProbability?.Invoke(ref p);
                if (!float.IsFinite(s) || float.IsNaN(y))
                    continue;

                bool positive = y > 0;
                rows.Add((s, positive));
                counts.Table[positive ? 0 : 1][s > 0 ? 0 : 1]++;
                counts.LogLoss -= Math.Log2(positive ? p : 1.0 - p);
                counts.RowsWithProbability += float.IsNaN(p) ? 0 : 1;
                counts.PositivesWithProbability += float.IsNaN(p) || !positive ? 0 : 1;
            }
        }

        AddCurves(counts, rows);
        return counts;
    }

    private static void AddCurves(BinaryCounts counts, List<(float Score, bool Positive)> rows)
    {
        double positives = rows.Count(row => row.Positive), negatives = rows.Count - positives;
        Errors.CheckArgument(positives > 0, "PosSample", "AUC is not defined when there is no positive class in the data");
        Errors.CheckArgument(negatives > 0, "NegSample", "AUC is not defined when there is no negative class in the data");

        // Rank statistic over groups of equal scores: each negative collects the positives above it, and half of those beside it.
        double above = 0, pairs = 0;
        foreach (var group in rows.GroupBy(row => row.Score).OrderByDescending(group => group.Key))
        {
            double here = group.Count(row => row.Positive);
            pairs += (group.Count() - here) * (above + here / 2);
            above += here;
        }
        counts.AreaUnderRocCurve = pairs / (positives * negatives);

        // Trapezoids from one positive to the next; rows of equal score stay in the order they were read.
        double truePositives = 0, seen = 0, precision = 1, recall = 0;
        foreach (var (_, positive) in rows.OrderByDescending(row => row.Score))
        {
            seen++;
            truePositives += positive ? 1 : 0;
            double precisionNow = truePositives / seen, recallNow = truePositives / positives;
            counts.AreaUnderPrecisionRecallCurve += (recallNow - recall) * (precision + precisionNow) / 2;
            (precision, recall) = (precisionNow, recallNow);
        }
    }
}
