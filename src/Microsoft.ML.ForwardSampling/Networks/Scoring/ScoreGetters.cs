using Microsoft.ML.Data;
using Microsoft.ML.ForwardSampling.DataViews;

namespace Microsoft.ML.ForwardSampling.Networks;

/// <summary>The output columns' getters over one row of a scored batch.</summary>
internal abstract class ScoreGetters : AddedValues
{
    private readonly Delegate[] _getters;
    private readonly float _threshold;

    /// <param name="model">The network.</param>
    /// <param name="capacity">Rows of a batch.</param>
    /// <param name="withActivationNorm">Whether the norm of the activations is read.</param>
    /// <param name="threshold">The score above which a row is positive; of a binary task.</param>
    protected ScoreGetters(NetworkModel model, int capacity, bool withActivationNorm, float threshold)
    {
        _threshold = threshold;
        Batch = ScoringBatch.Create(model, capacity, withActivationNorm);
        _getters = model.Task switch
        {
            PredictionTask.Regression => [(ValueGetter<float>)GetScore],
            PredictionTask.Binary => [(ValueGetter<float>)GetScore, (ValueGetter<float>)GetProbability, (ValueGetter<bool>)GetIsPositive],
            _ => [(ValueGetter<VBuffer<float>>)GetScores, (ValueGetter<uint>)GetPredictedKey],
        };
        if (withActivationNorm)
            _getters = [.. _getters, (ValueGetter<float>)GetActivationNorm];
    }

    protected ScoringBatch Batch { get; }

    public override Delegate GetGetter(int added) => _getters[added];

    public override void Dispose() => Batch.Dispose();

    /// <summary>The current row's place in the batch, scored at the first call.</summary>
    protected abstract int CurrentRow();

    private ReadOnlySpan<float> Current() => Batch.ScoresOf(CurrentRow());

    private void GetScore(ref float value) => value = Current()[0];

    private void GetProbability(ref float value) => value = SingleScoreColumns.ProbabilityOf(Current()[0]);

    private void GetIsPositive(ref bool value) => value = Current()[0] > _threshold;

    private void GetActivationNorm(ref float value) => value = Batch.ActivationNorms[CurrentRow()];

    private void GetScores(ref VBuffer<float> value)
    {
        ReadOnlySpan<float> scores = Current();
        VBufferEditor<float> editor = VBufferEditor.Create(ref value, scores.Length);
        scores.CopyTo(editor.Values);
        value = editor.Commit();
    }

    private void GetPredictedKey(ref uint value)
    {
        ReadOnlySpan<float> scores = Current();
        value = PredictedClass(scores) is int best and >= 0 ? (uint)best + 1 : 0;
    }

    /// <summary>The class of the largest score, the first of equal ones; -1 (a missing key) when a score is NaN.</summary>
    internal static int PredictedClass(ReadOnlySpan<float> scores)
    {
        int best = 0;
        for (int i = 0; i < scores.Length; i++)
        {
            if (float.IsNaN(scores[i]))
                return -1;
            if (scores[i] > scores[best])
                best = i;
        }

        return best;
    }
}

/// <summary>Scores the row it is asked about, once.</summary>
internal sealed class RowScores : ScoreGetters
{
    private readonly DataViewRow _row;
    private readonly InputReader _inputs;
    private VBuffer<float> _buffer;
    private long _scoredPosition = -1;

    public RowScores(DataViewRow row, InputReader inputs, NetworkModel model, bool withActivationNorm, float threshold)
        : base(model, 1, withActivationNorm, threshold)
    {
        _row = row;
        _inputs = inputs;
    }

    protected override int CurrentRow()
    {
        // A prediction engine's row has no position that tells one row from the next.
        if (_row.Position < 0 || _row.Position != _scoredPosition)
        {
            _inputs.Read(ref _buffer);
            Batch.Set(0, _buffer);
            Batch.Score(1);
            _scoredPosition = _row.Position;
        }

        return 0;
    }
}
