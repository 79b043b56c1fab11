using System.Numerics;

namespace Microsoft.ML
{
    /// <summary>Scales numbers.</summary>
    public static class NormalizationCatalog
    {
        public static NormalizingEstimator NormalizeMinMax(this TransformsCatalog catalog, string outputColumnName, string? inputColumnName = null,
            long maximumExampleCount = 1000000000, bool fixZero = true) =>
            new(catalog.Environment.Name(outputColumnName), inputColumnName, maximumExampleCount, SlotStatistics.MinMax, fixZero);

        public static NormalizingEstimator NormalizeMeanVariance(this TransformsCatalog catalog, string outputColumnName, string? inputColumnName = null,
            long maximumExampleCount = 1000000000, bool fixZero = true, bool useCdf = false) =>
            new(catalog.Environment.Name(outputColumnName), inputColumnName, maximumExampleCount, SlotStatistics.MeanVariance(useCdf), fixZero);
    }
}

namespace Microsoft.ML.Transforms
{
    /// <summary>What one pass learns of one slot, and the scale and offset that follow from it.</summary>
    internal struct SlotStatistics
    {
        private long _count;
        private double _min, _max, _mean, _m2;
        public delegate (double Scale, double Offset) Rule(in SlotStatistics slot, bool fixZero);

        public static Rule MinMax { get; } = static (in SlotStatistics slot, bool fixZero) =>
        {
            if (slot._min == slot._max)
                return (0, 0); // a constant says nothing
            return fixZero ? (1 / Math.Max(Math.Abs(slot._min), Math.Abs(slot._max)), 0) : (1 / (slot._max - slot._min), slot._min);
        };

        public static Rule MeanVariance(bool useCdf) => useCdf
            ? throw new NotSupportedException("The stand-in for Microsoft.ML has no cumulative distribution normalizer.")
            : static (in SlotStatistics slot, bool fixZero) =>
            {
                double variance = slot._count == 0 ? 0 : slot._m2 / slot._count;
                if (variance == 0)
                    return (0, 0);
                return fixZero ? (1 / Math.Sqrt(variance + slot._mean * slot._mean), 0) : (1 / Math.Sqrt(variance), slot._mean);
            };

        public void Add(double value)
        {
            if (double.IsNaN(value))
                return;
            bool first = _count == 0 && _min == _max;
            _min = first ? value : Math.Min(_min, value);
            _max = first ? value : Math.Max(_max, value);
            if (double.IsInfinity(value))
                return;
            _count++;
            double delta = value - _mean;
            _mean += delta / _count;
            _m2 += delta * (value - _mean);
        }
    }

    /// <summary>Learns a scale and an offset for each slot in one pass.</summary>
    public sealed class NormalizingEstimator : IEstimator<NormalizingTransformer>
    {
        private readonly string _output, _input;
        private readonly long _maximumExampleCount;
        private readonly SlotStatistics.Rule _rule;
        private readonly bool _fixZero;

        internal NormalizingEstimator(string output, string? input, long maximumExampleCount, SlotStatistics.Rule rule, bool fixZero)
        {
            (_output, _input) = (output, input ?? output);
            (_maximumExampleCount, _rule, _fixZero) = (maximumExampleCount, rule, fixZero);
        }

        public NormalizingTransformer Fit(IDataView input)
        {
            ArgumentNullException.ThrowIfNull(input);
            DataViewSchema.Column column = input.Schema.InputColumn(_input);
            if (column.Type is VectorDataViewType { IsKnownSize: false } || !column.Type.ItemTypeOrSelf.IsFloating)
                throw new ArgumentOutOfRangeException("srcType", $"Wrong column type for input column. Expected: Single, Double, Vector of Single or Vector of Double. Got: {column.Type}.");

            var slots = new SlotStatistics[column.Type is VectorDataViewType vector ? vector.Size : 1];
            using (DataViewRowCursor cursor = input.GetRowCursor([column]))
            {
                Action collect = Generic.Call<Action>(Collector<float>, column.Type.ItemTypeOrSelf.RawType, cursor, column, slots);
                for (long row = 0; row < _maximumExampleCount && cursor.MoveNext(); row++)
                    collect();
            }

            return new NormalizingTransformer(_output, _input, column.Type, Array.ConvertAll(slots, slot => _rule(slot, _fixZero)));
        }

        public SchemaShape GetOutputSchema(SchemaShape inputSchema)
        {
            SchemaShape.Column column = inputSchema.Find(_input);
            if (column.Kind == SchemaShape.Column.VectorKind.VariableVector)
                throw Errors.SchemaMismatch(nameof(inputSchema), "input", _input, "known-size vector or scalar", column.GetTypeString());
            if (!column.ItemType.IsFloating)
                throw Errors.SchemaMismatch(nameof(inputSchema), "input", _input, "vector or scalar of Single or Double", column.GetTypeString());
            return inputSchema.With(new SchemaShape.Column(_output, column.Kind, column.ItemType, false,
                new([new(AnnotationKinds.IsNormalized, BooleanDataViewType.Instance), .. column.SlotNames()])));
        }

        private static Action Collector<T>(DataViewRow row, DataViewSchema.Column column, SlotStatistics[] slots) where T : INumber<T> =>
            Elementwise.Visitor<T>(row, column, (value, i) => slots[i].Add(double.CreateTruncating(value)));
    }

    /// <summary>Takes the offset from each slot and multiplies by the scale.</summary>
    public sealed class NormalizingTransformer : OneToOneTransformerBase
    {
        private readonly DataViewType _type;
        private readonly (double Scale, double Offset)[] _slots;

        internal NormalizingTransformer(string output, string input, DataViewType type, (double Scale, double Offset)[] slots) : base(output, input) =>
            (_type, _slots) = (type, slots);

        private NormalizingTransformer(BinaryReader reader) : base(reader) =>
            (_type, _slots) = (reader.ReadType(), [.. reader.ReadArray<double>().Zip(reader.ReadArray<double>())]);

        internal static ITransformer Load(ModelLoadContext ctx) => new NormalizingTransformer(ctx.Reader);

        private protected override void Save(ModelSaveContext ctx)
        {
            BinaryWriter writer = Begin(ctx, ModelLoaders.Normalize);
            writer.WriteType(_type);
            writer.WriteArray(Array.ConvertAll(_slots, slot => slot.Scale));
            writer.WriteArray(Array.ConvertAll(_slots, slot => slot.Offset));
        }

        private protected override AddedColumn Map(DataViewSchema.Column input)
        {
            var annotations = new DataViewSchema.Annotations.Builder();
            annotations.AddPrimitiveValue(AnnotationKinds.IsNormalized, BooleanDataViewType.Instance, true);
            annotations.Add(input.Annotations, kind => kind == AnnotationKinds.SlotNames);
            return Add(input, _type, annotations.ToAnnotations(), row =>
                Generic.Call<Delegate>(CreateGetter<float>, _type.ItemTypeOrSelf.RawType, row, input, _slots));
        }

        // In the column's own precision, as the real one computes.
        private static Delegate CreateGetter<T>(DataViewRow row, DataViewSchema.Column input, (double Scale, double Offset)[] slots) where T : INumber<T>
        {
            T[] scales = Array.ConvertAll(slots, slot => T.CreateTruncating(slot.Scale));
            T[] offsets = Array.ConvertAll(slots, slot => T.CreateTruncating(slot.Offset));
            return Elementwise.Getter<T, T>(row, input, (value, i) => (value - offsets[i]) * scales[i], slots.Length);
        }
    }
}
