namespace Microsoft.ML.Transforms;

/// <summary>Makes a vector with a 1 in the slot of the key: one run of slots for each key.</summary>
internal sealed class KeyToVectorMappingEstimator(KeyToVectorMappingTransformer transformer) : TrivialEstimator<KeyToVectorMappingTransformer>(transformer)
{
    public override SchemaShape GetOutputSchema(SchemaShape inputSchema)
    {
        SchemaShape.Column column = inputSchema.FindKey(Transformer.Input);
        var annotations = new List<SchemaShape.Column>();
        if (column.Annotations.TryFindColumn(AnnotationKinds.KeyValues, out SchemaShape.Column values) && values.ItemType is TextDataViewType)
            annotations.Add(values.Renamed(AnnotationKinds.SlotNames));
        annotations.Add(new(AnnotationKinds.CategoricalSlotRanges, new VectorDataViewType(NumberDataViewType.Int32, 1)));
        annotations.Add(new(AnnotationKinds.IsNormalized, BooleanDataViewType.Instance));
        SchemaShape.Column.VectorKind kind = column.Kind == SchemaShape.Column.VectorKind.Scalar ? SchemaShape.Column.VectorKind.Vector : column.Kind;
        return inputSchema.With(new SchemaShape.Column(Transformer.Output, kind, NumberDataViewType.Single, false, new(annotations)));
    }
}

/// <summary>See <see cref="KeyToVectorMappingEstimator"/>.</summary>
internal sealed class KeyToVectorMappingTransformer : OneToOneTransformerBase
{
    internal KeyToVectorMappingTransformer(string output, string? input) : base(output, input) { }
    private KeyToVectorMappingTransformer(BinaryReader reader) : base(reader) { }
    internal static ITransformer Load(ModelLoadContext ctx) => new KeyToVectorMappingTransformer(ctx.Reader);
    private protected override void Save(ModelSaveContext ctx) => Begin(ctx, ModelLoaders.KeyToVector);

    private protected override AddedColumn Map(DataViewSchema.Column input)
    {
        if (input.Type.ItemTypeOrSelf is not KeyDataViewType key || key.RawType != typeof(uint))
            throw Errors.SchemaMismatch("inputSchema", "input", input.Name, "Key<UInt32>", input.Type.ToString());
        int count = (int)key.Count;
        int runs = input.Type is VectorDataViewType vector ? vector.Size : 1;
        VectorDataViewType type = input.Type is VectorDataViewType ? new(NumberDataViewType.Single, runs, count) : new(NumberDataViewType.Single, count);

        var annotations = new DataViewSchema.Annotations.Builder();
        ReadOnlyMemory<char>[] keyValues = input.Values<ReadOnlyMemory<char>>(AnnotationKinds.KeyValues);
        if (keyValues.Length == count && runs > 0)
        {
            ReadOnlyMemory<char>[] names = [.. Enumerable.Range(0, runs).SelectMany(run =>
                keyValues.Select(name => input.Type is VectorDataViewType ? $"[{run}].{name}".AsMemory() : name))];
            annotations.Add(AnnotationKinds.SlotNames, Elementwise.TypeFor(type, TextDataViewType.Instance),
                (ref VBuffer<ReadOnlyMemory<char>> value) => new VBuffer<ReadOnlyMemory<char>>(names.Length, names).CopyTo(ref value));
        }

        if (runs > 0)
            annotations.AddCategoricalSlotRanges([.. Enumerable.Range(0, runs).SelectMany(run => new[] { run * count, (run + 1) * count - 1 })]);
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

    private static ValueGetter<VBuffer<float>> VectorGetter(ValueGetter<VBuffer<uint>> getter, int count)
    {
        VBuffer<uint> keys = default;
        return (ref VBuffer<float> value) =>
        {
            getter(ref keys);
            VBufferEditor<float> editor = VBufferEditor.Create(ref value, keys.Length * count);
            editor.Values.Clear();
            int start = 0;
            foreach (uint key in keys.DenseValues())
            {
                if (key > 0 && key <= count)
                    editor.Values[start + (int)key - 1] = 1;
                start += count;
            }

            value = editor.Commit();
        };
    }
}
