namespace Microsoft.ML.Transforms;

/// <summary>Makes a vector with a 1 in the slot of the key: one run of slots for each key, or one run for all (a bag).</summary>
public sealed class KeyToVectorMappingEstimator : TrivialEstimator<KeyToVectorMappingTransformer>
{
    internal KeyToVectorMappingEstimator(KeyToVectorMappingTransformer transformer) : base(transformer) { }

    public override SchemaShape GetOutputSchema(SchemaShape inputSchema)
    {
        SchemaShape.Column column = inputSchema.FindKey(Transformer.Input);
        bool bag = Transformer.Bag, scalar = column.Kind == SchemaShape.Column.VectorKind.Scalar;
        var annotations = new List<SchemaShape.Column>();
        if (column.Annotations.TryFindColumn(AnnotationKinds.KeyValues, out SchemaShape.Column values) && values.ItemType is TextDataViewType)
            annotations.Add(values.Renamed(AnnotationKinds.SlotNames));
        if (!bag)
            annotations.Add(new(AnnotationKinds.CategoricalSlotRanges, new VectorDataViewType(NumberDataViewType.Int32, 1)));
        if (!bag || scalar)
            annotations.Add(new(AnnotationKinds.IsNormalized, BooleanDataViewType.Instance));
        return inputSchema.With(new SchemaShape.Column(Transformer.Output,
            bag || scalar ? SchemaShape.Column.VectorKind.Vector : column.Kind, NumberDataViewType.Single, false, new(annotations)));
    }
}

/// <summary>See <see cref="KeyToVectorMappingEstimator"/>.</summary>
public sealed class KeyToVectorMappingTransformer : OneToOneTransformerBase
{
    internal KeyToVectorMappingTransformer(string output, string? input, bool bag) : base(output, input) => Bag = bag;
    private KeyToVectorMappingTransformer(BinaryReader reader) : base(reader) => Bag = reader.ReadBoolean();
    internal bool Bag { get; }
    internal static ITransformer Load(ModelLoadContext ctx) => new KeyToVectorMappingTransformer(ctx.Reader);
    private protected override void Save(ModelSaveContext ctx) => Begin(ctx, ModelLoaders.KeyToVector).Write(Bag);

    private protected override AddedColumn Map(DataViewSchema.Column input)
    {
        if (input.Type.ItemTypeOrSelf is not KeyDataViewType key || key.RawType != typeof(uint))
            throw Errors.SchemaMismatch("inputSchema", "input", input.Name, "Key<UInt32>", input.Type.ToString());
        int count = (int)key.Count;
        bool inRuns = !Bag && input.Type is VectorDataViewType;
        int runs = inRuns ? ((VectorDataViewType)input.Type).Size : 1;
        VectorDataViewType type = inRuns ? new(NumberDataViewType.Single, runs, count) : new(NumberDataViewType.Single, count);

        var annotations = new DataViewSchema.Annotations.Builder();
        if (input.HasKeyValues() && runs > 0)
        {
            VBuffer<ReadOnlyMemory<char>> keyValues = default;
            input.GetKeyValues(ref keyValues);
            ReadOnlyMemory<char>[] names = [.. Enumerable.Range(0, runs).SelectMany(run =>
                keyValues.DenseValues().Select(name => inRuns ? $"[{run}].{name}".AsMemory() : name))];
            annotations.Add(AnnotationKinds.SlotNames, Elementwise.TypeFor(type, TextDataViewType.Instance),
                (ref VBuffer<ReadOnlyMemory<char>> value) => new VBuffer<ReadOnlyMemory<char>>(names.Length, names).CopyTo(ref value));
        }

        if (!Bag && runs > 0)
            annotations.AddCategoricalSlotRanges([.. Enumerable.Range(0, runs).SelectMany(run => new[] { run * count, (run + 1) * count - 1 })]);
        if (!Bag || input.Type is KeyDataViewType)
            annotations.AddPrimitiveValue(AnnotationKinds.IsNormalized, BooleanDataViewType.Instance, true);
        return Add(input, type, annotations.ToAnnotations(), row => input.Type is VectorDataViewType
            ? VectorGetter(row.GetGetter<VBuffer<uint>>(input), count)
            : ScalarGetter(row.GetGetter<uint>(input), count));
    }

    private static ValueGetter<VBuffer<float>> ScalarGetter(ValueGetter<uint> getter, int count)
    {
        uint key = 0;
        return (ref VBuffer<float> value) =>
        {
            getter(ref key);
            bool known = key > 0 && key <= count;
            VBufferEditor<float> editor = VBufferEditor.Create(ref value, count, known ? 1 : 0, requireIndicesOnDense: true);
            editor.Values.Fill(1);
            editor.Indices.Fill((int)key - 1);
            value = editor.Commit();
        };
    }

    private ValueGetter<VBuffer<float>> VectorGetter(ValueGetter<VBuffer<uint>> getter, int count)
    {
        VBuffer<uint> keys = default, dense = default;
        return (ref VBuffer<float> value) =>
        {
            getter(ref keys);
            keys.CopyToDense(ref dense);
            VBufferEditor<float> editor = VBufferEditor.Create(ref value, Bag ? count : dense.Length * count);
            editor.Values.Clear();
            for (int i = 0; i < dense.Length; i++)
            {
                uint key = dense.GetValues()[i];
                if (key > 0 && key <= count)
                    editor.Values[(Bag ? 0 : i * count) + (int)key - 1]++;
            }

            value = editor.Commit();
        };
    }
}
