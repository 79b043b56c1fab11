using Microsoft.ML.Data;
using Microsoft.ML.ForwardSampling.DataViews;

namespace Microsoft.ML.ForwardSampling.LowMemory;

/// <summary>The output columns of a low-memory model over one schema.</summary>
internal sealed class LinearScoreAppender : ColumnAppender
{
    private readonly LowMemoryModel _model;
    private readonly DataViewSchema.Column _features;

    public LinearScoreAppender(DataViewSchema inputSchema, LowMemoryPredictionTransformer transformer)
        : base(inputSchema, SingleScoreColumns.Of(transformer.Model.Task, inputSchema))
    {
        _model = transformer.Model;
        string name = transformer.FeatureColumnName;
        new ColumnNeed("feature", transformer.FeatureColumnType.ToString()!, "The model was trained on this column.", nameof(inputSchema))
            .Require(ColumnFacts.Find(inputSchema, name), name, found => found.IsSingleVector && found.Size == _model.FeatureCount);
        _features = inputSchema[name];
    }

    public override AddedValues Bind(DataViewRow input, ReadOnlySpan<bool> activeAdded) => new LinearScores(input, _features, _model);

    protected override void MarkDependencies(ReadOnlySpan<bool> activeAdded, Span<bool> needed) => needed[_features.Index] = true;

    /// <summary>Scores the row it is asked about, once.</summary>
    private sealed class LinearScores : AddedValues
    {
        private readonly DataViewRow _row;
        private readonly LowMemoryModel _model;
        private readonly ValueGetter<VBuffer<float>> _features;
        private readonly Delegate[] _getters;
        private VBuffer<float> _buffer;
        private long _scoredPosition = -1;
        private float _score;

        public LinearScores(DataViewRow row, DataViewSchema.Column features, LowMemoryModel model)
        {
            _row = row;
            _model = model;
            _features = row.GetGetter<VBuffer<float>>(row.Schema[features.Index]);
            _getters = [(ValueGetter<float>)GetScore, (ValueGetter<float>)GetProbability, (ValueGetter<bool>)GetIsPositive];
        }

        public override Delegate GetGetter(int added) => _getters[added];

        private float Current()
        {
            // A prediction engine's row has no position that tells one row from the next.
            if (_row.Position < 0 || _row.Position != _scoredPosition)
            {
                _features(ref _buffer);
                _score = _model.Score(_buffer);
                _scoredPosition = _row.Position;
            }

            return _score;
        }

        private void GetScore(ref float value) => value = Current();

        private void GetProbability(ref float value) => value = SingleScoreColumns.ProbabilityOf(Current());

        private void GetIsPositive(ref bool value) => value = Current() > 0f;
    }
}
