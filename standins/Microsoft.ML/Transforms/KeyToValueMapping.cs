namespace Microsoft.ML.Transforms;

/// <summary>Puts the values back in the place of keys, from the keys' KeyValues annotation.</summary>
public sealed class KeyToValueMappingEstimator : TrivialEstimator<KeyToValueMappingTransformer>
{
    internal KeyToValueMappingEstimator(KeyToValueMappingTransformer transformer) : base(transformer) { }

    public override SchemaShape GetOutputSchema(SchemaShape inputSchema)
    {
        SchemaShape.Column column = inputSchema.FindKey(Transformer.Input);
        if (!column.Annotations.TryFindColumn(AnnotationKinds.KeyValues, out SchemaShape.Column values))
            throw new ArgumentOutOfRangeException(nameof(inputSchema), $"Input column '{column.Name}' doesn't contain key values metadata");
        return inputSchema.With(new SchemaShape.Column(Transformer.Output, column.Kind, values.ItemType, values.IsKey, column.SlotNames()));
    }
}

/// <summary>See <see cref="KeyToValueMappingEstimator"/>.</summary>
public sealed class KeyToValueMappingTransformer : OneToOneTransformerBase
{
    internal KeyToValueMappingTransformer(string output, string? input) : base(output, input) { }
    private KeyToValueMappingTransformer(BinaryReader reader) : base(reader) { }
    internal static ITransformer Load(ModelLoadContext ctx) => new KeyToValueMappingTransformer(ctx.Reader);
    private protected override void Save(ModelSaveContext ctx) => Begin(ctx, ModelLoaders.KeyToValue);

    private protected override AddedColumn Map(DataViewSchema.Column input)
    {
        if (input.Annotations.Schema.GetColumnOrNull(AnnotationKinds.KeyValues)?.Type is not VectorDataViewType values)
            throw new InvalidOperationException("Metadata KeyValues does not exist");
        return Add(input, Elementwise.TypeFor(input.Type, values.ItemType), input.Annotations.Only(AnnotationKinds.SlotNames),
            Generic.Call<Func<DataViewRow, Delegate>>(GetterFactory<int>, values.ItemType.RawType, input));
    }

    private static Func<DataViewRow, Delegate> GetterFactory<T>(DataViewSchema.Column input)
    {
        T[] values = [TermMap.Missing<T>(), .. input.Values<T>(AnnotationKinds.KeyValues)];
        return input.Type.ItemTypeOrSelf.RawType == typeof(uint)
            ? row => Elementwise.Getter<uint, T>(row, input, (key, _) => values[key < values.Length ? key : 0])
            : throw new NotSupportedException("The stand-in for Microsoft.ML maps keys of type UInt32 only.");
    }
}
