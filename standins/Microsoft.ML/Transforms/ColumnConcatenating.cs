namespace Microsoft.ML.Transforms
{
    /// <summary>Joins columns of one item type into a vector.</summary>
    public sealed class ColumnConcatenatingEstimator : IEstimator<ColumnConcatenatingTransformer>
    {
        private readonly string _output;
        private readonly string[] _inputs;

        internal ColumnConcatenatingEstimator(string output, string[] inputs)
        {
            if (inputs is not { Length: > 0 })
                throw new ArgumentOutOfRangeException("inputColumnNames", "Input columns not specified");
            _output = output;
            _inputs = inputs;
        }

        public ColumnConcatenatingTransformer Fit(IDataView input)
        {
            ArgumentNullException.ThrowIfNull(input);
            return new(_output, _inputs);
        }

        public SchemaShape GetOutputSchema(SchemaShape inputSchema)
        {
            ArgumentNullException.ThrowIfNull(inputSchema);
            SchemaShape.Column[] columns = Array.ConvertAll(_inputs, name => inputSchema.Find(name));
            DataViewType itemType = columns[0].ItemType;
            foreach (SchemaShape.Column column in columns)
            {
                if (!column.ItemType.Equals(itemType))
                    throw new InvalidOperationException($"Concatenated columns should have the same type. Column '{column.Name}' has type of {column.ItemType}, but expected column type is {itemType}.");
            }

            if (columns is [{ Kind: not SchemaShape.Column.VectorKind.Scalar } single])
                return inputSchema.With(single.Renamed(_output));
            bool variable = columns.Any(c => c.Kind == SchemaShape.Column.VectorKind.VariableVector);
            var annotations = new List<SchemaShape.Column>();
            if (!variable && columns.Any(c => c.Kind == SchemaShape.Column.VectorKind.Scalar || c.Annotations.TryFindColumn(AnnotationKinds.SlotNames, out _)))
                annotations.Add(new(AnnotationKinds.SlotNames, new VectorDataViewType(TextDataViewType.Instance, 1)));
            if (!variable && columns.Any(c => c.Annotations.TryFindColumn(AnnotationKinds.CategoricalSlotRanges, out _)))
                annotations.Add(new(AnnotationKinds.CategoricalSlotRanges, new VectorDataViewType(NumberDataViewType.Int32, 1)));
            if (itemType is NumberDataViewType && columns.All(c => c.Annotations.TryFindColumn(AnnotationKinds.IsNormalized, out _)))
                annotations.Add(new(AnnotationKinds.IsNormalized, BooleanDataViewType.Instance));
            return inputSchema.With(new SchemaShape.Column(_output,
                variable ? SchemaShape.Column.VectorKind.VariableVector : SchemaShape.Column.VectorKind.Vector, itemType, columns.Any(c => c.IsKey), new(annotations)));
        }
    }
}

namespace Microsoft.ML.Data
{
    /// <summary>See <see cref="Transforms.ColumnConcatenatingEstimator"/>.</summary>
    public sealed class ColumnConcatenatingTransformer : RowToRowTransformerBase
    {
        private readonly string _output;
        private readonly string[] _inputs;

        internal ColumnConcatenatingTransformer(string output, string[] inputs)
        {
            _output = output;
            _inputs = inputs;
        }

        internal static ITransformer Load(ModelLoadContext ctx) => new ColumnConcatenatingTransformer(
            ctx.Reader.ReadString(), [.. ctx.Reader.ReadArray<ReadOnlyMemory<char>>().Select(name => name.ToString())]);

        private protected override void Save(ModelSaveContext ctx)
        {
            BinaryWriter writer = ctx.Begin(ModelLoaders.Concatenate);
            writer.Write(_output);
            writer.WriteArray(Array.ConvertAll(_inputs, name => name.AsMemory()));
        }

        private protected override RowMapper CreateMapper(DataViewSchema inputSchema)
        {
            DataViewSchema.Column[] inputs = Array.ConvertAll(_inputs, name => inputSchema.InputColumn(name));
            var itemType = (PrimitiveDataViewType)inputs[0].Type.ItemTypeOrSelf;
            int size = 0;
            foreach (DataViewSchema.Column input in inputs)
            {
                if (!input.Type.ItemTypeOrSelf.Equals(itemType))
                    throw Errors.SchemaMismatch(nameof(inputSchema), "input", input.Name, itemType.ToString(), input.Type.ToString());
                size += SizeOf(input);
            }

            bool isIdentity = inputs is [{ Type: VectorDataViewType }];
            bool variable = inputs.Any(c => SizeOf(c) == 0);
            DataViewSchema.DetachedColumn column = isIdentity
                ? new(_output, inputs[0].Type, inputs[0].Annotations)
                : new(_output, new VectorDataViewType(itemType, variable ? 0 : size), variable ? null : Annotate(inputs, itemType));
            return new RowMapper(inputSchema, [new AddedColumn(column, [.. inputs.Select(c => c.Index)],
                row => Generic.Call<Delegate>(CreateGetter<int>, itemType.RawType, row, inputs, variable ? 0 : size))]);
        }

        private static int SizeOf(DataViewSchema.Column column) => column.Type is VectorDataViewType vector ? vector.Size : 1;

        private static DataViewSchema.Annotations Annotate(DataViewSchema.Column[] inputs, DataViewType itemType)
        {
            var builder = new DataViewSchema.Annotations.Builder();
            if (itemType is NumberDataViewType && inputs.All(c => c.IsNormalized()))
                builder.AddPrimitiveValue(AnnotationKinds.IsNormalized, BooleanDataViewType.Instance, true);
            if (inputs.Any(c => c.Type is not VectorDataViewType || c.SlotNames().Length > 0))
                builder.AddVector(AnnotationKinds.SlotNames, TextDataViewType.Instance, [.. inputs.SelectMany(SlotNames)]);

            var ranges = new List<int>();
            int offset = 0;
            foreach (DataViewSchema.Column input in inputs)
            {
                ranges.AddRange(input.Values<int>(AnnotationKinds.CategoricalSlotRanges).Select(slot => slot + offset));
                offset += SizeOf(input);
            }

            if (ranges.Count > 0)
                builder.AddCategoricalSlotRanges([.. ranges]);
            return builder.ToAnnotations();
        }

        private static IEnumerable<ReadOnlyMemory<char>> SlotNames(DataViewSchema.Column column)
        {
            if (column.Type is not VectorDataViewType vector)
                return [column.Name.AsMemory()];
            ReadOnlyMemory<char>[] names = column.SlotNames();
            return names.Length == 0
                ? new ReadOnlyMemory<char>[vector.Size]
                : names.Select(name => name.IsEmpty ? default : $"{column.Name}.{name}".AsMemory());
        }

        private static ValueGetter<VBuffer<T>> CreateGetter<T>(DataViewRow row, DataViewSchema.Column[] inputs, int size)
        {
            ValueGetter<T>?[] scalars = Array.ConvertAll(inputs, c => c.Type is VectorDataViewType ? null : row.GetGetter<T>(c));
            ValueGetter<VBuffer<T>>?[] vectors = Array.ConvertAll(inputs, c => c.Type is VectorDataViewType ? row.GetGetter<VBuffer<T>>(c) : null);
            var buffers = new VBuffer<T>[inputs.Length];
            return (ref VBuffer<T> destination) =>
            {
                int length = 0;
                for (int i = 0; i < vectors.Length; i++)
                {
                    vectors[i]?.Invoke(ref buffers[i]);
                    length += vectors[i] is null ? 1 : buffers[i].Length;
                }

                if (size > 0 && length != size)
                    throw new InvalidOperationException($"Concatenated vectors have {length} slots instead of {size}.");
                VBufferEditor<T> editor = VBufferEditor.Create(ref destination, length);
                for (int i = 0, offset = 0; i < scalars.Length; i++)
                {
                    if (scalars[i] is { } scalar)
                    {
                        scalar(ref editor.Values[offset++]);
                        continue;
                    }

                    buffers[i].CopyTo(editor.Values, offset);
                    offset += buffers[i].Length;
                }

                destination = editor.Commit();
            };
        }
    }
}
