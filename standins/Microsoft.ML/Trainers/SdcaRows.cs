using Microsoft.ML.Data;

namespace Microsoft.ML.Trainers;

/// <summary>The rows a trainer learns from, read anew in every pass, as ML.NET does; unusable ones are passed over.</summary>
internal sealed class SdcaRows(IDataView data, DataViewSchema.Column label, DataViewSchema.Column features, DataViewSchema.Column? weight)
{
    public int FeatureCount => ((VectorDataViewType)features.Type).Size;

    public Pass Read(Random? random) =>
        new(data.GetRowCursor(weight is null ? [label, features] : [label, features, weight.Value], random), label, features, weight);

    /// <summary>One pass, and the row it stands on.</summary>
    public sealed class Pass(DataViewRowCursor cursor, DataViewSchema.Column label, DataViewSchema.Column features, DataViewSchema.Column? weight) : IDisposable
    {
        private readonly ValueGetter<float> _getLabel = EvaluationColumns.LabelGetter(cursor, label);
        private readonly ValueGetter<float>? _getWeight = weight is null ? null : cursor.GetGetter<float>(weight.Value);
        private readonly ValueGetter<VBuffer<float>> _getFeatures = cursor.GetGetter<VBuffer<float>>(features);
        private readonly ValueGetter<DataViewRowId> _getId = cursor.GetIdGetter();

        public DataViewRowId Id;
        public VBuffer<float> Features;
        public float Label, Weight = 1;

        public bool MoveNext()
        {
            while (cursor.MoveNext())
            {
                _getLabel(ref Label);
                _getFeatures(ref Features);
                _getWeight?.Invoke(ref Weight);
                _getId(ref Id);
                if (float.IsFinite(Label) && Weight is > 0 and < float.PositiveInfinity && float.IsFinite(NormSquared()))
                    return true;
            }
            return false;
        }

        public float NormSquared()
        {
            float sum = 0;
            foreach (float value in Features.GetValues())
                sum += value * value;
            return sum;
        }

        public void Dispose() => cursor.Dispose();
    }
}
