using Microsoft.ML.Data;

namespace Microsoft.ML.ForwardSampling.LowMemory;

/// <summary>The columns a low-memory trainer reads, bound to one schema and checked.</summary>
/// <param name="Features">Vector of Single of known size.</param>
/// <param name="Label">Single or Boolean.</param>
/// <param name="Weight">Single, or null: every row weighs 1.</param>
internal sealed record LinearColumns(DataViewSchema.Column Features, DataViewSchema.Column Label, DataViewSchema.Column? Weight)
{
    public int FeatureCount => ((VectorDataViewType)Features.Type).Size;
}

/// <summary>Gives a data view's rows to a learner one by one; nothing of them is kept.</summary>
internal sealed class RowStream(IDataView data, LinearColumns columns)
{
    private const int RowsBetweenCancellationChecks = 1024;
    private const int RowsOfScale = 4096;

    public long RowsRead { get; private set; }

    public long RowsSkipped { get; private set; }

    /// <summary>One pass.</summary>
    public void Feed(OnlineLearner learner, LabelScale scale, CancellationToken cancellation)
    {
        using DataViewRowCursor cursor = data.GetRowCursor(
            new DataViewSchema.Column?[] { columns.Features, columns.Label, columns.Weight }.OfType<DataViewSchema.Column>());
        var target = new TargetReader(cursor, columns);
        ValueGetter<VBuffer<float>> features = cursor.GetGetter<VBuffer<float>>(columns.Features);
        VBuffer<float> buffer = default;
        while (cursor.MoveNext())
        {
            if (RowsRead++ % RowsBetweenCancellationChecks == 0)
                cancellation.ThrowIfCancellationRequested();
            if (target.TryRead(out float label, out float weight))
            {
                features(ref buffer);
                if (learner.TryLearn(buffer.IsDense ? default : buffer.GetIndices(), buffer.GetValues(), scale.ToLearner(label), weight))
                    continue;
            }

            RowsSkipped++;
        }
    }

    /// <summary>Mean and standard deviation of the first rows' labels, the latter rounded to a power of two; 0 and 1 where there are
    /// none.</summary>
    public LabelScale ReadScale()
    {
        using DataViewRowCursor cursor = data.GetRowCursor(
            new DataViewSchema.Column?[] { columns.Label, columns.Weight }.OfType<DataViewSchema.Column>());
        var target = new TargetReader(cursor, columns);
        double weights = 0, mean = 0, squares = 0;
        for (int row = 0; row < RowsOfScale && cursor.MoveNext(); row++)
        {
            if (!target.TryRead(out float label, out float weight) || weight == 0)
                continue;
            weights += weight;
            double before = label - mean;
            mean += before * weight / weights;
            squares += weight * before * (label - mean);
        }

        double deviation = Math.Sqrt(squares / weights);
        return new LabelScale(mean, deviation > 0 ? Math.ScaleB(1, (int)Math.Round(Math.Log2(deviation))) : 1);
    }

    /// <summary>The label and the weight of a cursor's row.</summary>
    private sealed class TargetReader
    {
        private readonly ValueGetter<float>? _number;
        private readonly ValueGetter<bool>? _truth;
        private readonly ValueGetter<float>? _weight;

        public TargetReader(DataViewRowCursor cursor, LinearColumns columns)
        {
            if (columns.Label.Type is BooleanDataViewType)
                _truth = cursor.GetGetter<bool>(columns.Label);
            else
                _number = cursor.GetGetter<float>(columns.Label);
            _weight = columns.Weight is { } weight ? cursor.GetGetter<float>(weight) : null;
        }

        /// <summary>False when the label or the weight is missing, or the weight is negative.</summary>
        public bool TryRead(out float label, out float weight)
        {
            label = 0;
            weight = 1;
            _weight?.Invoke(ref weight);
            if (_truth is not null)
            {
                bool truth = false;
                _truth(ref truth);
                label = truth ? 1 : 0;
            }
            else
            {
                _number!(ref label);
            }

            return float.IsFinite(label) && float.IsFinite(weight) && weight >= 0;
        }
    }
}
