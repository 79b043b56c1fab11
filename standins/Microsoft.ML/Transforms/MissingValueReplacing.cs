using System.Numerics;

namespace Microsoft.ML
{
    /// <summary>Missing values.</summary>
    public static class ExtensionsCatalog
    {
        public static MissingValueReplacingEstimator ReplaceMissingValues(this TransformsCatalog catalog, string outputColumnName, string? inputColumnName = null,
            MissingValueReplacingEstimator.ReplacementMode replacementMode = MissingValueReplacingEstimator.ReplacementMode.DefaultValue, bool imputeBySlot = true) =>
            new(catalog.Environment.Name(outputColumnName), inputColumnName, replacementMode, imputeBySlot);
    }
}

namespace Microsoft.ML.Transforms
{
    /// <summary>Learns what to put in the place of NaN.</summary>
    public sealed class MissingValueReplacingEstimator : IEstimator<MissingValueReplacingTransformer>
    {
        private readonly string _output, _input;
        private readonly ReplacementMode _mode;
        private readonly bool _bySlot;

        internal MissingValueReplacingEstimator(string output, string? input, ReplacementMode mode, bool bySlot) =>
            (_output, _input, _mode, _bySlot) = (output, input ?? output, mode, bySlot);

        public MissingValueReplacingTransformer Fit(IDataView input)
        {
            ArgumentNullException.ThrowIfNull(input);
            DataViewSchema.Column column = input.Schema.InputColumn(_input);
            CheckType(column.Type.ItemTypeOrSelf);
            return new(_output, _input, column.Type.ItemTypeOrSelf, Learn(input, column));
        }

        public SchemaShape GetOutputSchema(SchemaShape inputSchema)
        {
            SchemaShape.Column column = inputSchema.Find(_input);
            CheckType(column.ItemType);
            return inputSchema.With(new SchemaShape.Column(_output, column.Kind, column.ItemType, false,
                new(column.Annotations.Where(a => a.Name is AnnotationKinds.SlotNames or AnnotationKinds.IsNormalized))));
        }

        private static void CheckType(DataViewType itemType)
        {
            if (!itemType.IsFloating)
                throw new ArgumentOutOfRangeException("inputSchema", $"Type '{itemType}' is not supported by NAReplaceTransform since it doesn't have an NA value");
        }

        /// <summary>The replacement of each slot, or of all.</summary>
        private double[] Learn(IDataView data, DataViewSchema.Column column)
        {
            if (_mode == ReplacementMode.DefaultValue)
                return [0];
            bool bySlot = _bySlot && column.Type is VectorDataViewType { IsKnownSize: true };
            var values = new List<double>[bySlot ? ((VectorDataViewType)column.Type).Size : 1];
            for (int i = 0; i < values.Length; i++)
                values[i] = [];
            using (DataViewRowCursor cursor = data.GetRowCursor([column]))
            {
                Action collect = Generic.Call<Action>(Collector<float>, column.Type.ItemTypeOrSelf.RawType, cursor, column, values);
                while (cursor.MoveNext())
                    collect();
            }

            return Array.ConvertAll(values, Reduce);
        }

        private double Reduce(List<double> values) => _mode switch
        {
            ReplacementMode.Minimum => values.DefaultIfEmpty(double.PositiveInfinity).Min(),
            ReplacementMode.Maximum => values.DefaultIfEmpty(double.NegativeInfinity).Max(),
            ReplacementMode.Mean => values.DefaultIfEmpty().Average(),
            ReplacementMode.Mode => values.GroupBy(value => value).MaxBy(group => group.Count())?.Key ?? 0,
            _ => throw new NotSupportedException($"Unsupported replacement mode {_mode}"),
        };

        private static Action Collector<T>(DataViewRow row, DataViewSchema.Column column, List<double>[] values) where T : INumber<T> =>
            Elementwise.Visitor<T>(row, column, (value, i) =>
            {
                if (!T.IsNaN(value))
                    values[values.Length == 1 ? 0 : i].Add(double.CreateTruncating(value));
            });

        /// <summary>What takes the place of a missing value.</summary>
        public enum ReplacementMode : byte
        {
            DefaultValue = 0,
            Mean = 1,
            Minimum = 2,
            Maximum = 3,
            Mode = 5,
        }
    }

    /// <summary>See <see cref="MissingValueReplacingEstimator"/>.</summary>
    public sealed class MissingValueReplacingTransformer : OneToOneTransformerBase
    {
        private readonly DataViewType _itemType;
        private readonly double[] _replacements;

        internal MissingValueReplacingTransformer(string output, string input, DataViewType itemType, double[] replacements) : base(output, input) =>
            (_itemType, _replacements) = (itemType, replacements);

        private MissingValueReplacingTransformer(BinaryReader reader) : base(reader) =>
            (_itemType, _replacements) = (reader.ReadType(), reader.ReadArray<double>());

        internal static ITransformer Load(ModelLoadContext ctx) => new MissingValueReplacingTransformer(ctx.Reader);

        private protected override void Save(ModelSaveContext ctx)
        {
            BinaryWriter writer = Begin(ctx, ModelLoaders.ReplaceMissing);
            writer.WriteType(_itemType);
            writer.WriteArray(_replacements);
        }

        private protected override AddedColumn Map(DataViewSchema.Column input)
        {
            if (!input.Type.ItemTypeOrSelf.Equals(_itemType))
                throw new ArgumentOutOfRangeException("InputSchema", $"Column '{input.Name}' item type '{_itemType}' does not match expected ColumnType of '{input.Type.ItemTypeOrSelf}'");
            return Add(input, input.Type, input.Annotations.Only(AnnotationKinds.SlotNames, AnnotationKinds.IsNormalized), row =>
                Generic.Call<Delegate>(CreateGetter<float>, _itemType.RawType, row, input, _replacements));
        }

        private static Delegate CreateGetter<T>(DataViewRow row, DataViewSchema.Column input, double[] replacements) where T : INumber<T>
        {
            T[] values = Array.ConvertAll(replacements, T.CreateTruncating);
            return Elementwise.Getter<T, T>(row, input, (value, i) => T.IsNaN(value) ? values[values.Length == 1 ? 0 : i] : value);
        }
    }
}
