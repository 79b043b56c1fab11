namespace Microsoft.ML.Data;

internal static class MulticlassEvaluator
{
    private const float SmallestProbability = 1e-15f;

    public static MulticlassClassificationMetrics Evaluate(
        IDataView data, string labelColumnName, string scoreColumnName, string predictedLabelColumnName, int topKPredictionCount)
    {
        Errors.CheckArgument(topKPredictionCount >= 0, nameof(topKPredictionCount), "Must be non-negative");
        var label = EvaluationColumns.Find(data, "Label", labelColumnName, nameof(labelColumnName));
        var score = EvaluationColumns.Find(data, "Score", scoreColumnName, nameof(scoreColumnName));
        EvaluationColumns.Find(data, "PredictedLabel", predictedLabelColumnName, nameof(predictedLabelColumnName));
        int classes = score.Type is VectorDataViewType vector && vector.ItemType == NumberDataViewType.Single ? vector.Size : 0;
        EvaluationColumns.Require(classes >= 2, "score", score, "vector of two or more items of type Single");
        EvaluationColumns.Require(label.Type == NumberDataViewType.Single || label.Type is KeyDataViewType, "label", label, "Single or Key");

        var tally = new Tally(classes);
        using (var cursor = data.GetRowCursor([label, score]))
        {
            var getLabel = EvaluationColumns.LabelGetter(cursor, label);
            var getScore = cursor.GetGetter<VBuffer<float>>(score);
            VBuffer<float> buffer = default;
            float[] scores = new float[classes];
            float y = 0;
            while (cursor.MoveNext())
            {
                getLabel(ref y);
                if (float.IsNaN(y) || y < 0 || y != (int)y)
                    continue;
                getScore(ref buffer);
                buffer.CopyTo(scores);
                if (scores.All(float.IsFinite))
                    tally.Add((int)y, scores);
            }
        }

        return tally.ToMetrics(topKPredictionCount);
    }

    private sealed class Tally(int classes)
    {
        private readonly double[] _rowsOfClass = new double[classes], _lossOfClass = new double[classes];
        private readonly double[][] _table = [.. Enumerable.Range(0, classes).Select(_ => new double[classes])];
        // Rows by the rank of their class among the scores; the last place is for classes the scores do not know.
        private readonly double[] _ranks = new double[classes + 1];
        private double _rows, _logLoss;

        public void Add(int label, float[] scores)
        {
            bool known = label < classes;
            float own = known ? scores[label] : 0;
            double loss = -Math.Log(known ? Math.Clamp(own, SmallestProbability, 1) : SmallestProbability);
            int rank = 0, best = 0;
            for (int i = 0; i < classes; i++)
            {
                // Ties go to the class that comes first.
                if (scores[i] > own || (scores[i] == own && i < label))
                    rank++;
                if (scores[i] > scores[best])
                    best = i;
            }

            _rows++;
            _logLoss += loss;
            _ranks[rank]++;
            if (!known)
                return;
            _rowsOfClass[label]++;
            _lossOfClass[label] += loss;
            _table[label][best]++;
        }

        public MulticlassClassificationMetrics ToMetrics(int k)
        {
            double Share(double part) => _rows > 0 ? part / _rows : 0;
            double correct = _table.Select((counts, i) => counts[i]).Sum();
            double entropy = _rowsOfClass.Where(n => n > 0).Sum(n => n * Math.Log(n / _rows)) / -_rows;
            double sum = 0;
            double[] topK = [.. _ranks.Take(k).Select(n => sum += n / _rows)];
            return new MulticlassClassificationMetrics
            {
                LogLoss = Share(_logLoss),
                LogLossReduction = (entropy - Share(_logLoss)) / entropy,
                MicroAccuracy = Share(correct),
                MacroAccuracy = _rowsOfClass.Select((n, i) => n > 0 ? _table[i][i] / n : double.NaN).Where(x => !double.IsNaN(x)).DefaultIfEmpty(0).Average(),
                TopKPredictionCount = k,
                TopKAccuracy = k > 0 ? topK[k - 1] : 0,
                TopKAccuracyForAllK = k > 0 ? topK : null,
                PerClassLogLoss = [.. _lossOfClass.Select((loss, i) => _rowsOfClass[i] > 0 ? loss / _rowsOfClass[i] : 0)],
                ConfusionMatrix = new ConfusionMatrix(_table),
            };
        }
    }
}
