namespace Microsoft.ML.Transforms;

/// <summary>Learns the values of a column and numbers them.</summary>
public sealed class ValueToKeyMappingEstimator : IEstimator<ValueToKeyMappingTransformer>
{
    private readonly string _output, _input;
    private readonly int _maximumNumberOfKeys;
    private readonly KeyOrdinality _ordinality;
    private readonly bool _asText;
    private readonly IDataView? _keyData;

    internal ValueToKeyMappingEstimator(string output, string? input, int maximumNumberOfKeys, KeyOrdinality ordinality, bool asText, IDataView? keyData)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(maximumNumberOfKeys);
        if (keyData is not null && keyData.Schema.Count(c => !c.IsHidden) != 1)
            throw new ArgumentOutOfRangeException(nameof(keyData), "If specified, this data should contain only a single column.");
        (_output, _input) = (output, input ?? output);
        (_maximumNumberOfKeys, _ordinality, _asText, _keyData) = (maximumNumberOfKeys, ordinality, asText, keyData);
    }

    public ValueToKeyMappingTransformer Fit(IDataView input)
    {
        ArgumentNullException.ThrowIfNull(input);
        DataViewSchema.Column column = input.Schema.InputColumn(_input);
        TermMap terms = _keyData is null ? Learn(input, column) : Learn(_keyData, _keyData.Schema.First(c => !c.IsHidden));
        if (_keyData is null && _ordinality == KeyOrdinality.ByValue)
            terms.Sort();
        return new(_output, _input, terms, _asText);
    }

    public SchemaShape GetOutputSchema(SchemaShape inputSchema)
    {
        SchemaShape.Column column = inputSchema.Find(_input);
        var keyValues = new SchemaShape.Column(AnnotationKinds.KeyValues, SchemaShape.Column.VectorKind.Vector,
            _asText ? TextDataViewType.Instance : column.ItemType, !_asText && column.IsKey);
        return inputSchema.With(new SchemaShape.Column(_output, column.Kind, NumberDataViewType.UInt32, true, new([keyValues, .. column.SlotNames()])));
    }

    private TermMap Learn(IDataView data, DataViewSchema.Column column)
    {
        TermMap terms = TermMap.Create((PrimitiveDataViewType)column.Type.ItemTypeOrSelf, _maximumNumberOfKeys);
        using DataViewRowCursor cursor = data.GetRowCursor([column]);
        Action add = terms.CreateCollector(cursor, column);
        while (cursor.MoveNext())
            add();
        return terms;
    }

    /// <summary>Keys in the order of first sight or in the order of the values.</summary>
    public enum KeyOrdinality : byte
    {
        ByOccurrence = 0,
        ByValue = 1,
    }
}

/// <summary>See <see cref="ValueToKeyMappingEstimator"/>; values it does not know become missing keys.</summary>
public sealed class ValueToKeyMappingTransformer : OneToOneTransformerBase
{
    private readonly TermMap _terms;
    private readonly bool _asText;
    internal ValueToKeyMappingTransformer(string output, string input, TermMap terms, bool asText) : base(output, input) => (_terms, _asText) = (terms, asText);
    private ValueToKeyMappingTransformer(BinaryReader reader) : base(reader) => (_asText, _terms) = (reader.ReadBoolean(), TermMap.Load(reader));
    internal static ITransformer Load(ModelLoadContext ctx) => new ValueToKeyMappingTransformer(ctx.Reader);

    private protected override void Save(ModelSaveContext ctx)
    {
        BinaryWriter writer = Begin(ctx, ModelLoaders.ValueToKey);
        writer.Write(_asText);
        _terms.Save(writer);
    }

    private protected override AddedColumn Map(DataViewSchema.Column input)
    {
        if (!input.Type.ItemTypeOrSelf.Equals(_terms.ItemType))
            throw new InvalidOperationException($"Could not apply a map over type '{_terms.ItemType}' to column '{Output}' since it has type '{input.Type}'");
        var annotations = new DataViewSchema.Annotations.Builder();
        annotations.Add(input.Annotations, kind => kind == AnnotationKinds.SlotNames);
        _terms.AddKeyValues(annotations, _asText);
        return Add(input, Elementwise.TypeFor(input.Type, _terms.KeyType), annotations.ToAnnotations(), row => _terms.CreateKeyGetter(row, input));
    }
}
