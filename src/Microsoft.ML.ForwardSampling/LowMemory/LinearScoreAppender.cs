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
        const string Advice = "The model was trained on this column.";
        string name = transformer.FeatureColumnName;
        string expected = transformer.FeatureColumnType.ToString()!;
        ColumnFacts facts = ColumnFacts.Find(inputSchema, name)
            ?? throw SchemaErrors.Missing("feature", name, expected, Advice, nameof(inputSchema));
        _features = inputSchema[name];
        if (_features.Type is not VectorDataViewType vector || vector.ItemType != NumberDataViewType.Single
            || vector.Size != _model.FeatureCount)
            throw SchemaErrors.Mismatch("feature", facts, expected, Advice, nameof(inputSchema));
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
