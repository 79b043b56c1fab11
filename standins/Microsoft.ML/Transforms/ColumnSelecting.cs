namespace Microsoft.ML.Transforms;

/// <summary>Keeps or drops columns by name.</summary>
public sealed class ColumnSelectingEstimator : TrivialEstimator<ColumnSelectingTransformer>
{
    internal ColumnSelectingEstimator(IHostEnvironment env, string[] names, bool keep, bool keepHidden)
        : base(new ColumnSelectingTransformer(names, keep, keepHidden)) => env.Register("Estimator");

    public override SchemaShape GetOutputSchema(SchemaShape inputSchema)
    {
        ArgumentNullException.ThrowIfNull(inputSchema);
        foreach (string name in Transformer.Names)
            inputSchema.Find(name);
        return new SchemaShape(inputSchema.Where(c => Transformer.Names.Contains(c.Name) == Transformer.Keep));
    }
}

/// <summary>See <see cref="ColumnSelectingEstimator"/>.</summary>
public sealed class ColumnSelectingTransformer : ITransformer
{
    private readonly bool _keepHidden;

    internal ColumnSelectingTransformer(string[] names, bool keep, bool keepHidden)
    {
        ArgumentNullException.ThrowIfNull(names);
        Names = names;
        Keep = keep;
        _keepHidden = keepHidden;
    }

    internal string[] Names { get; }
    internal bool Keep { get; }

    bool ITransformer.IsRowToRowMapper => true;

    public DataViewSchema GetOutputSchema(DataViewSchema inputSchema) => CreateMapper(inputSchema).OutputSchema;

    public IDataView Transform(IDataView input)
    {
        ArgumentNullException.ThrowIfNull(input);
        return new RowMapperView(input, CreateMapper(input.Schema));
    }

    IRowToRowMapper ITransformer.GetRowToRowMapper(DataViewSchema inputSchema) => CreateMapper(inputSchema);

    void ICanSaveModel.Save(ModelSaveContext ctx)
    {
        BinaryWriter writer = ctx.Begin(ModelLoaders.SelectColumns);
        writer.Write(Keep);
        writer.Write(_keepHidden);
        writer.WriteArray(Array.ConvertAll(Names, name => name.AsMemory()));
    }

    internal static ITransformer Load(ModelLoadContext ctx)
    {
        (bool keep, bool keepHidden) = (ctx.Reader.ReadBoolean(), ctx.Reader.ReadBoolean());
        return new ColumnSelectingTransformer([.. ctx.Reader.ReadArray<ReadOnlyMemory<char>>().Select(name => name.ToString())], keep, keepHidden);
    }

    private RowMapper CreateMapper(DataViewSchema schema)
    {
        ArgumentNullException.ThrowIfNull(schema);
        foreach (string name in Names)
            schema.InputColumn(name);
        IEnumerable<DataViewSchema.Column> wanted = Keep
            ? Names.SelectMany(name => schema.Where(c => c.Name == name && (_keepHidden || !c.IsHidden)))
            : schema.Where(c => !Names.Contains(c.Name));
        return new RowMapper(schema, [.. wanted.Select(c => c.Index)]);
    }
}
