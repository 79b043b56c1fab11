namespace Microsoft.ML.Transforms;

/// <summary>Repeats a column under another name.</summary>
public sealed class ColumnCopyingEstimator : TrivialEstimator<ColumnCopyingTransformer>
{
    internal ColumnCopyingEstimator(ColumnCopyingTransformer transformer) : base(transformer) { }

    public override SchemaShape GetOutputSchema(SchemaShape inputSchema) =>
        inputSchema.With(inputSchema.Find(Transformer.Input).Renamed(Transformer.Output));
}

/// <summary>See <see cref="ColumnCopyingEstimator"/>.</summary>
public sealed class ColumnCopyingTransformer : OneToOneTransformerBase
{
    internal ColumnCopyingTransformer(string output, string input) : base(output, input) { }
    private ColumnCopyingTransformer(BinaryReader reader) : base(reader) { }
    internal static ITransformer Load(ModelLoadContext ctx) => new ColumnCopyingTransformer(ctx.Reader);
    private protected override void Save(ModelSaveContext ctx) => Begin(ctx, ModelLoaders.CopyColumns);

    private protected override AddedColumn Map(DataViewSchema.Column input) =>
        Add(input, input.Type, input.Annotations, row => Generic.GetterOf(row, input));
}
