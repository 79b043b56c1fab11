using Microsoft.ML.Data;
using Microsoft.ML.Runtime;

namespace Microsoft.ML.Trainers;

/// <summary>What the user left open is null and depends on the data.</summary>
internal readonly record struct SdcaSettings(
    float? L2, int? MaximumIterations, float Tolerance, bool Shuffle, float BiasLearningRate, Func<int, float>? DefaultL2);

/// <summary>
/// Stochastic dual coordinate ascent (Shalev-Shwartz and Zhang 2013) on one thread. One weight vector for regression and two classes;
/// with more classes (else 0) one each, and every wrong class is held apart from the right one by a two-class loss.
/// </summary>
internal sealed class SdcaSolver(SdcaRows rows, int classes, ISdcaLoss loss, SdcaSettings settings, IHost host)
{
    private readonly int _vectors = Math.Max(1, classes);
    private readonly Dictionary<DataViewRowId, int> _indexOfRow = [];
    private float _l2, _scale;
    private float[] _duals = [];

    // The part of the biases that the penalty binds, and the part that is free of it.
    private float[][] _weights = [];
    private float[] _boundBias = [], _freeBias = [];

    public LinearModel Solve()
    {
        int count = CountRows();
        int iterations = settings.MaximumIterations ?? Math.Max(2, Math.Max(1, 500_000 / count) * 3);
        _l2 = settings.L2 ?? settings.DefaultL2?.Invoke(count) ?? Math.Max(1e-6f, 20f / ((long)Math.Max(2, iterations / 2) * count));
        _scale = 1 / (_l2 * count);
        _duals = new float[_indexOfRow.Count * _vectors];
        _weights = [.. Enumerable.Range(0, _vectors).Select(_ => new float[rows.FeatureCount])];
        (_boundBias, _freeBias) = (new float[_vectors], new float[_vectors]);

        using var channel = host.Start("Training");
        channel.Info(MessageSensitivity.None, "{0} rows, at most {1} iterations, L2 = {2}.", count, iterations, _l2);
        var random = new Random(host.Rand.Next());
        LinearModel? best = null;
        double bestLoss = double.PositiveInfinity;
        for (int iteration = 0; iteration < iterations; iteration++)
        {
            RunPass(settings.Shuffle ? new Random(random.Next()) : null);
            (double primal, double dual) = Measure(count);
            if (primal < bestLoss)
                (bestLoss, best) = (primal, Snapshot());
            // NaN: driven out of range by an unpenalised bias or badly scaled features, as in ML.NET.
            if ((primal - dual) / primal < settings.Tolerance || double.IsNaN(primal))
                break;
        }

        best ??= Snapshot();
        return best.Weights.Append(best.Biases).All(w => w.All(float.IsFinite))
            ? best
            : throw new ArgumentOutOfRangeException("weights", "Cannot initialize linear predictor with non-finite weights");
    }

    private LinearModel Snapshot() => new([.. _weights.Select(w => (float[])w.Clone())], [.. _boundBias.Zip(_freeBias, (bound, free) => bound + free)]);

    private int CountRows()
    {
        int count = 0;
        using var pass = rows.Read(null);
        for (; pass.MoveNext(); count++)
            _indexOfRow.TryAdd(pass.Id, _indexOfRow.Count);
        return count > 0 ? count : throw new InvalidOperationException("Training set has 0 instances, aborting training.");
    }

    // Dual variables belong to rows by id: a view that numbers its rows anew in each pass cannot be trained on.
    private int FirstDual(SdcaRows.Pass row) => _indexOfRow.TryGetValue(row.Id, out int index)
        ? index * _vectors
        : throw new InvalidOperationException($"Row {row.Id} was not there in the first pass over the training set.");

    private float Output(SdcaRows.Pass row, int vector) => LinearModel.Dot(row.Features, _weights[vector]) + _boundBias[vector] + _freeBias[vector];

    private void RunPass(Random? random)
    {
        using var row = rows.Read(random);
        while (row.MoveNext())
        {
            float step = _scale * row.Weight;
            // A regularised bias is one more feature of value 1.
            float norm = row.NormSquared() + (settings.BiasLearningRate == 0 ? 1 : 0);
            int first = FirstDual(row);
            if (classes == 0)
            {
                Move(row, 0, step * Ascend(ref _duals[first], Output(row, 0), row.Label, norm * step, 0, step));
                continue;
            }

            int right = (int)row.Label;
            float outputOfRight = Output(row, right), move = 0, sum = 0;
            for (int wrong = 0; wrong < classes; wrong++)
            {
                if (wrong == right)
                    continue;
                float margin = outputOfRight + move * norm - Output(row, wrong);
                float change = step * Ascend(ref _duals[first + wrong], margin, 1, 2 * norm * step, wrong, step);
                Move(row, wrong, -change);
                move += change;
                sum -= _duals[first + wrong];
            }
            _duals[first + right] = sum;
            Move(row, right, move);
        }
    }

    // With an unregularised bias the dual variables must sum to 0; the drift drives their sum (the regularised bias) there.
    private float Ascend(ref float dual, float output, float label, float scaledNorm, int vector, float step)
    {
        float drift = settings.BiasLearningRate * _l2 * _boundBias[vector];
        float change = loss.DualUpdate(output, label, dual, scaledNorm) - drift;
        dual += change;
        _freeBias[vector] += drift * step;
        return change;
    }

    private void Move(SdcaRows.Pass row, int vector, float factor)
    {
        var values = row.Features.GetValues();
        var indices = row.Features.GetIndices();
        for (int i = 0; i < values.Length; i++)
        {
            int slot = row.Features.IsDense ? i : indices[i];
            _weights[vector][slot] += values[i] * factor;
        }
        _boundBias[vector] += factor;
    }

    private (double Primal, double Dual) Measure(int count)
    {
        double primal = 0, dual = 0;
        using (var row = rows.Read(null))
        {
            while (row.MoveNext())
            {
                int first = FirstDual(row), right = classes == 0 ? -1 : (int)row.Label;
                float output = Output(row, Math.Max(0, right)), label = classes == 0 ? row.Label : 1;
                for (int i = 0; i < _vectors; i++)
                {
                    if (i == right)
                        continue;
                    primal += loss.Loss(classes == 0 ? output : output - Output(row, i), label) * row.Weight;
                    dual += loss.DualLoss(label, _duals[first + i]) * row.Weight;
                }
            }
        }

        double squares = 0, biases = 0;
        for (int i = 0; i < _vectors; i++)
        {
            squares += _weights[i].Sum(w => (double)w * w) + _boundBias[i] * _boundBias[i];
            biases += _boundBias[i] * _freeBias[i];
        }
        double penalty = _l2 * squares / 2;
        return (primal / count + penalty, dual / count - penalty - _l2 * biases);
    }
}
