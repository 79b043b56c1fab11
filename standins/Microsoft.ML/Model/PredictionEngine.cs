namespace Microsoft.ML;

/// <summary>What a prediction engine may be told.</summary>
public sealed class PredictionEngineOptions
{
    public bool IgnoreMissingColumns = true;
    public SchemaDefinition? InputSchemaDefinition;
    public SchemaDefinition? OutputSchemaDefinition;
    public bool OwnsTransformer = true;
}

/// <summary>Applies a transformer to one object at a time.</summary>
public abstract class PredictionEngineBase<TSrc, TDst> : IDisposable
    where TSrc : class
    where TDst : class, new()
{
    private readonly ITransformer? _owned;
    private readonly InputRow _inputRow;
    private readonly Action<TDst> _write;
    private bool _disposed;

    private protected PredictionEngineBase(ITransformer transformer, bool ignoreMissingColumns, SchemaDefinition? inputDefinition,
        SchemaDefinition? outputDefinition, bool ownsTransformer)
    {
        ArgumentNullException.ThrowIfNull(transformer);
        if (!transformer.IsRowToRowMapper)
            throw new ArgumentOutOfRangeException(nameof(transformer), "Must be a row to row mapper");
        _inputRow = new InputRow(TypedSchema.Columns(typeof(TSrc), inputDefinition, SchemaDefinition.Direction.Read));
        IRowToRowMapper mapper = transformer.GetRowToRowMapper(_inputRow.Schema);
        OutputSchema = transformer.GetOutputSchema(_inputRow.Schema);
        TypedColumn[] columns = TypedSchema.Columns(typeof(TDst), outputDefinition, SchemaDefinition.Direction.Write);
        DataViewSchema.Column?[] sources = TypedSchema.Match(columns, mapper.OutputSchema, ignoreMissingColumns);
        _write = TypedRow<TDst>.CreateWriter(columns, sources, mapper.GetRow(_inputRow, mapper.OutputSchema));
        _owned = ownsTransformer ? transformer : null;
    }

    public DataViewSchema OutputSchema { get; }

    public TDst Predict(TSrc example)
    {
        TDst prediction = new();
        Predict(example, ref prediction);
        return prediction;
    }

    public abstract void Predict(TSrc example, ref TDst prediction);

    public void Dispose()
    {
        if (_disposed)
            return;
        _disposed = true;
        _inputRow.Dispose(); // as in ML.NET, rows made from it are not
        (_owned as IDisposable)?.Dispose();
        GC.SuppressFinalize(this);
    }

    private protected void PredictCore(TSrc example, ref TDst prediction)
    {
        ArgumentNullException.ThrowIfNull(example);
        _inputRow.Show(example);
        prediction ??= new TDst();
        _write(prediction);
    }

    private sealed class InputRow(TypedColumn[] columns) : DataViewRow
    {
        private readonly TypedRow<TSrc>.Holder _row = new();
        private long _position = -1;
        public override long Position => _position;
        public override long Batch => 0;
        public override DataViewSchema Schema { get; } = TypedSchema.SchemaOf(columns);

        public void Show(TSrc example)
        {
            _row.Row = example;
            _position++;
        }

        public override bool IsColumnActive(DataViewSchema.Column column) => true;
        public override ValueGetter<DataViewRowId> GetIdGetter() => (ref DataViewRowId id) => id = new DataViewRowId((ulong)_position, 0);

        public override ValueGetter<TValue> GetGetter<TValue>(DataViewSchema.Column column)
        {
            Delegate getter = TypedRow<TSrc>.CreateGetter(columns[column.Index], _row);
            return getter as ValueGetter<TValue> ?? throw Errors.WrongGetterType(typeof(TValue), getter);
        }
    }
}

/// <summary>The engine that <see cref="ModelOperationsCatalog"/> makes; not for several threads.</summary>
public sealed class PredictionEngine<TSrc, TDst> : PredictionEngineBase<TSrc, TDst>
    where TSrc : class
    where TDst : class, new()
{
    internal PredictionEngine(ITransformer transformer, bool ignoreMissingColumns, SchemaDefinition? inputDefinition,
        SchemaDefinition? outputDefinition, bool ownsTransformer)
        : base(transformer, ignoreMissingColumns, inputDefinition, outputDefinition, ownsTransformer) { }

    public override void Predict(TSrc example, ref TDst prediction) => PredictCore(example, ref prediction);
}
