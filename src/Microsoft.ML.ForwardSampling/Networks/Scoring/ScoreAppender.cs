using Microsoft.ML.Data;
using Microsoft.ML.ForwardSampling.DataViews;

namespace Microsoft.ML.ForwardSampling.Networks;

/// <summary>The output columns of a network over one schema, and how a row or a cursor gets their values.</summary>
internal sealed class ScoreAppender : ColumnAppender
{
    private readonly NetworkPredictionTransformer _transformer;
    private readonly DataViewSchema.Column _features;
    private readonly DataViewSchema.Column[] _more;

    public ScoreAppender(DataViewSchema inputSchema, NetworkPredictionTransformer transformer)
        : base(inputSchema, ScoreColumns.Of(transformer.Model, transformer.LabelKeyValues, transformer.ActivationNormColumnName,
            inputSchema))
    {
        _transformer = transformer;
        string name = transformer.FeatureColumnName;
        int size = ((VectorDataViewType)transformer.FeatureColumnType).Size;
        new ColumnNeed("feature", transformer.FeatureColumnType.ToString()!, "The network was trained on this column.", nameof(inputSchema))
            .Require(ColumnFacts.Find(inputSchema, name), name, found => found.IsSingleVector && found.Size == size);
        _features = inputSchema[name];
        _more = [.. transformer.MoreInputs.Select(input => input.FindIn(inputSchema, nameof(inputSchema)))];
    }

    public override AddedValues Bind(DataViewRow input, ReadOnlySpan<bool> activeAdded) =>
        new RowScores(input, Reader(input), _transformer.Model, NeedsNorm(activeAdded), _transformer.ScoreThreshold);

    public override DataViewRowCursor OpenCursor(DataViewRowCursor input, ActiveColumns active)
    {
        if (!active.AnyAdded)
            return base.OpenCursor(input, active);
        bool[] passedThrough = active.CopyPassedThrough();
        DataViewSchema.Column[] buffered = ActiveColumns.Choose(input.Schema, passedThrough);
        return Array.TrueForAll(buffered, column => ColumnBuffer.CanCopy(column.Type))
            ? new LookAheadCursor(input, OutputSchema, active, Reader(input), _transformer.Model, NeedsNorm(active.Added),
                _transformer.ScoreThreshold)
            : base.OpenCursor(input, active);
    }

    protected override void MarkDependencies(ReadOnlySpan<bool> activeAdded, Span<bool> needed)
    {
        needed[_features.Index] = true;
        foreach (DataViewSchema.Column column in _more)
            needed[column.Index] = true;
    }

    private InputReader Reader(DataViewRow input)
        => new(input, input.Schema[_features.Index], _more.Select(column => input.Schema[column.Index]));

    /// <summary>Whether somebody asked for the norm, which is the last column where it is there.</summary>
    private bool NeedsNorm(ReadOnlySpan<bool> activeAdded) => _transformer.ActivationNormColumnName is not null && activeAdded[^1];
}
