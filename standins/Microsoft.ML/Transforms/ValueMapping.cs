namespace Microsoft.ML.Transforms;

/// <summary>Looks values up in a table.</summary>
public class ValueMappingEstimator : TrivialEstimator<ValueMappingTransformer>
{
    private protected ValueMappingEstimator(ValueMappingTransformer transformer) : base(transformer) { }

    public sealed override SchemaShape GetOutputSchema(SchemaShape inputSchema) => inputSchema.With(
        new SchemaShape.Column(Transformer.Output, inputSchema.Find(Transformer.Input).Kind, Transformer.Table.ValueType, false));
}

/// <summary>See <see cref="ValueMappingEstimator"/>.</summary>
public sealed class ValueMappingEstimator<TKey, TValue> : ValueMappingEstimator
{
    internal ValueMappingEstimator(string output, string? input, IEnumerable<KeyValuePair<TKey, TValue>> pairs)
        : base(new ValueMappingTransformer(output, input, ValueTable.Create(
            TypeOf<TKey>(), TypeOf<TValue>(), ToColumn(pairs.Select(pair => pair.Key)), ToColumn(pairs.Select(pair => pair.Value)))))
    { }

    private static PrimitiveDataViewType TypeOf<T>() => PrimitiveDataViewType.FromRawType(typeof(T))
        ?? throw new NotSupportedException($"The stand-in for Microsoft.ML maps no values of type {typeof(T)}.");

    private static Array ToColumn<T>(IEnumerable<T> values) =>
        values is IEnumerable<string> texts ? texts.Select(text => text.AsMemory()).ToArray() : values.ToArray();
}

/// <summary>Keys and their values.</summary>
internal abstract class ValueTable(PrimitiveDataViewType keyType, PrimitiveDataViewType valueType)
{
    public PrimitiveDataViewType KeyType => keyType;
    public PrimitiveDataViewType ValueType => valueType;

    public static ValueTable Create(PrimitiveDataViewType keyType, PrimitiveDataViewType valueType, Array keys, Array values) =>
        (ValueTable)Activator.CreateInstance(typeof(ValueTable<,>).MakeGenericType(keyType.RawType, valueType.RawType), keyType, valueType, keys, values)!;

    public static ValueTable Load(BinaryReader reader)
    {
        (DataViewType keyType, DataViewType valueType) = (reader.ReadType(), reader.ReadType());
        return Create((PrimitiveDataViewType)keyType, (PrimitiveDataViewType)valueType,
            Generic.Call<Array>(ModelCodec.ReadArray<int>, keyType.RawType, reader), Generic.Call<Array>(ModelCodec.ReadArray<int>, valueType.RawType, reader));
    }

    public abstract Delegate CreateGetter(DataViewRow row, DataViewSchema.Column input);
    public abstract void Save(BinaryWriter writer);
}

/// <summary>The table; a key that is not in it gives the type's default value.</summary>
internal sealed class ValueTable<TKey, TValue>(PrimitiveDataViewType keyType, PrimitiveDataViewType valueType, TKey[] keys, TValue[] values)
    : ValueTable(keyType, valueType) where TKey : notnull
{
    private readonly Dictionary<TKey, TValue> _table = new(keys.Zip(values, KeyValuePair.Create), TermMap.Comparer<TKey>());

    public override Delegate CreateGetter(DataViewRow row, DataViewSchema.Column input) =>
        Elementwise.Getter<TKey, TValue>(row, input, (key, _) => _table.TryGetValue(key, out TValue? value) ? value : default!);

    public override void Save(BinaryWriter writer)
    {
        writer.WriteType(KeyType);
        writer.WriteType(ValueType);
        writer.WriteArray(keys);
        writer.WriteArray(values);
    }
}

/// <summary>See <see cref="ValueMappingEstimator"/>.</summary>
public class ValueMappingTransformer : OneToOneTransformerBase
{
    internal ValueMappingTransformer(string output, string? input, ValueTable table) : base(output, input) => Table = table;
    private ValueMappingTransformer(BinaryReader reader) : base(reader) => Table = ValueTable.Load(reader);
    internal ValueTable Table { get; }
    internal static ITransformer Load(ModelLoadContext ctx) => new ValueMappingTransformer(ctx.Reader);
    private protected override void Save(ModelSaveContext ctx) => Table.Save(Begin(ctx, ModelLoaders.MapValue));

    // As in ML.NET: vectors become vectors of any size, and a wrong type shows only in the getter.
    private protected override AddedColumn Map(DataViewSchema.Column input) =>
        Add(input, input.Type is VectorDataViewType ? new VectorDataViewType(Table.ValueType) : Table.ValueType, null, row => Table.CreateGetter(row, input));
}
