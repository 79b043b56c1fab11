namespace Microsoft.ML.Data;

/// <summary>A column that a transformer adds: what it reads of the input and how its getter is made over an input row.</summary>
/// <param name="Column">Name, type and annotations.</param>
/// <param name="Inputs">Indices of the input columns it reads.</param>
/// <param name="CreateGetter">From an input row on which those columns are active to a ValueGetter of the column's raw type.</param>
internal sealed record AddedColumn(DataViewSchema.DetachedColumn Column, int[] Inputs, Func<DataViewRow, Delegate> CreateGetter);

/// <summary>
/// What a row-to-row transformer is to one input schema; it is its own <see cref="IRowToRowMapper"/>.
/// A transformer makes one from an input schema (throwing there if the schema does not fit) and derives everything else from it:
/// <c>Transform(v) = new RowMapperView(v, mapper)</c>, <c>GetOutputSchema(s) = mapper.OutputSchema</c>, <c>GetRowToRowMapper(s) = mapper</c>.
/// See <see cref="RowToRowTransformerBase"/> for transformers that may have that base class.
/// </summary>
internal class RowMapper : IRowToRowMapper
{
    private readonly AddedColumn[] _added;

    // For each output column: the index of an input column, or the complement of the index of an added one.
    private readonly int[] _sourceOf;

    /// <param name="atEnd">Added columns go behind all others; else a column that replaces another stands right behind it.</param>
    public RowMapper(DataViewSchema inputSchema, AddedColumn[] added, bool atEnd = false)
    {
        InputSchema = inputSchema;
        _added = added;
        var sources = new List<int>();
        foreach (DataViewSchema.Column column in inputSchema)
        {
            sources.Add(column.Index);
            if (!atEnd && !column.IsHidden)
                sources.AddRange(Enumerable.Range(0, added.Length).Where(i => added[i].Column.Name == column.Name).Select(i => ~i));
        }

        sources.AddRange(Enumerable.Range(0, added.Length).Select(i => ~i).Except(sources).ToArray());
        _sourceOf = [.. sources];
        OutputSchema = CreateSchema();
    }

    /// <summary>Adds nothing and passes on only the given input columns, in that order.</summary>
    public RowMapper(DataViewSchema inputSchema, int[] kept)
    {
        InputSchema = inputSchema;
        _added = [];
        _sourceOf = kept;
        OutputSchema = CreateSchema();
    }

    public DataViewSchema InputSchema { get; }
    public DataViewSchema OutputSchema { get; }
    public bool AddsAnyOf(bool[] activeOutput) => _sourceOf.Where((source, i) => source < 0 && activeOutput[i]).Any();

    /// <summary>The input columns that the given output columns read.</summary>
    public IEnumerable<DataViewSchema.Column> GetDependencies(bool[] activeOutput)
    {
        var active = new bool[InputSchema.Count];
        for (int i = 0; i < activeOutput.Length; i++)
        {
            if (!activeOutput[i])
                continue;
            foreach (int input in _sourceOf[i] >= 0 ? [_sourceOf[i]] : _added[~_sourceOf[i]].Inputs)
                active[input] = true;
        }

        return InputSchema.Where(active);
    }

    /// <summary>The getters of the active added columns over one input row. Override it to share work between columns.</summary>
    protected virtual Delegate?[] CreateGetters(DataViewRow input, Func<int, bool> isActive) =>
        [.. _added.Select((added, i) => isActive(i) ? added.CreateGetter(input) : null)];

    public DataViewRowCursor Bind(DataViewRowCursor input, bool[] activeOutput) => new MappedCursor(new MappedRow(this, input, activeOutput), input);

    IEnumerable<DataViewSchema.Column> IRowToRowMapper.GetDependencies(IEnumerable<DataViewSchema.Column> dependingColumns) =>
        GetDependencies(OutputSchema.ActiveFlags(dependingColumns));

    DataViewRow IRowToRowMapper.GetRow(DataViewRow input, IEnumerable<DataViewSchema.Column> activeColumns)
    {
        ArgumentNullException.ThrowIfNull(input);
        if (input.Schema != InputSchema)
            throw new InvalidOperationException("Schema of input row must be the same as the schema the mapper is bound to");
        return new MappedRow(this, input, OutputSchema.ActiveFlags(activeColumns));
    }

    private DataViewSchema CreateSchema()
    {
        var builder = new DataViewSchema.Builder();
        builder.AddColumns(_sourceOf.Select(s => s >= 0 ? new DataViewSchema.DetachedColumn(InputSchema[s]) : _added[~s].Column));
        return builder.ToSchema();
    }

    /// <summary>The mapper over one input row.</summary>
    private sealed class MappedRow : DataViewRow
    {
        private readonly RowMapper _mapper;
        private readonly DataViewRow _input;
        private readonly bool[] _active;
        private readonly Delegate?[] _getters;

        public MappedRow(RowMapper mapper, DataViewRow input, bool[] active)
        {
            _mapper = mapper;
            _input = input;
            _active = active;
            var addedActive = new bool[mapper._added.Length];
            for (int i = 0; i < active.Length; i++)
            {
                if (active[i] && mapper._sourceOf[i] < 0)
                    addedActive[~mapper._sourceOf[i]] = true;
            }

            _getters = mapper.CreateGetters(input, i => addedActive[i]);
        }

        public override long Position => _input.Position;
        public override long Batch => _input.Batch;
        public override DataViewSchema Schema => _mapper.OutputSchema;
        public override ValueGetter<DataViewRowId> GetIdGetter() => _input.GetIdGetter();
        public override bool IsColumnActive(DataViewSchema.Column column) => column.Index < _active.Length && _active[column.Index];

        public override ValueGetter<TValue> GetGetter<TValue>(DataViewSchema.Column column)
        {
            if (!IsColumnActive(column))
                throw Errors.Inactive();
            int source = _mapper._sourceOf[column.Index];
            if (source >= 0)
                return _input.GetGetter<TValue>(_input.Schema[source]);
            return _getters[~source] as ValueGetter<TValue> ?? throw Errors.WrongGetterType(typeof(TValue), _getters[~source]!);
        }

        protected override void Dispose(bool disposing)
        {
            if (disposing)
                _input.Dispose();
        }
    }

    /// <summary>The mapper over a cursor, with which it moves.</summary>
    private sealed class MappedCursor(MappedRow row, DataViewRowCursor input) : DataViewRowCursor
    {
        public override long Position => input.Position;
        public override long Batch => input.Batch;
        public override DataViewSchema Schema => row.Schema;
        public override bool MoveNext() => input.MoveNext();
        public override ValueGetter<DataViewRowId> GetIdGetter() => input.GetIdGetter();
        public override bool IsColumnActive(DataViewSchema.Column column) => row.IsColumnActive(column);
        public override ValueGetter<TValue> GetGetter<TValue>(DataViewSchema.Column column) => row.GetGetter<TValue>(column);

        protected override void Dispose(bool disposing)
        {
            if (disposing)
                input.Dispose();
        }
    }
}

/// <summary>A view with a mapper's columns. Its single cursor is eager, the cursors of its sets are lazy (see <see cref="ParallelCursors"/>).</summary>
internal sealed class RowMapperView(IDataView source, RowMapper mapper) : IDataView
{
    public bool CanShuffle => source.CanShuffle;
    public DataViewSchema Schema => mapper.OutputSchema;
    public long? GetRowCount() => source.GetRowCount();

    public DataViewRowCursor GetRowCursor(IEnumerable<DataViewSchema.Column> columnsNeeded, Random? rand = null)
    {
        DataViewSchema.Column[] columns = [.. columnsNeeded];
        if (ParallelCursors.CanBuffer(columns))
            return ParallelCursors.Consolidated(this, columns, CanShuffle ? rand : null);
        bool[] active = Schema.ActiveFlags(columns);
        return mapper.Bind(source.GetRowCursor(mapper.GetDependencies(active), rand), active);
    }

    public DataViewRowCursor[] GetRowCursorSet(IEnumerable<DataViewSchema.Column> columnsNeeded, int n, Random? rand = null)
    {
        bool[] active = Schema.ActiveFlags(columnsNeeded);
        DataViewRowCursor[] inputs = source.GetRowCursorSet(mapper.GetDependencies(active), n, rand);
        if (inputs.Length == 1 && mapper.AddsAnyOf(active))
            inputs = ParallelCursors.Split(inputs[0], n);
        try
        {
            return Array.ConvertAll(inputs, input => mapper.Bind(input, active));
        }
        catch
        {
            foreach (DataViewRowCursor input in inputs)
                input.Dispose(); // ends the threads of a split
            throw;
        }
    }
}

/// <summary>Base of transformers that only add columns: they say how they map a schema, and how they are saved.</summary>
public abstract class RowToRowTransformerBase : ITransformer
{
    private protected RowToRowTransformerBase() { }

    bool ITransformer.IsRowToRowMapper => true;

    public DataViewSchema GetOutputSchema(DataViewSchema inputSchema) => MapperFor(inputSchema).OutputSchema;

    public IDataView Transform(IDataView input)
    {
        ArgumentNullException.ThrowIfNull(input);
        return new RowMapperView(input, MapperFor(input.Schema));
    }

    IRowToRowMapper ITransformer.GetRowToRowMapper(DataViewSchema inputSchema) => MapperFor(inputSchema);

    void ICanSaveModel.Save(ModelSaveContext ctx) => Save(ctx);

    /// <summary>Binds to a schema; throws if it does not fit.</summary>
    private protected abstract RowMapper CreateMapper(DataViewSchema inputSchema);

    /// <summary>Writes <c>ctx.Begin(name)</c> and its state; the loader of that name stands in <see cref="ModelLoaders"/>.</summary>
    private protected abstract void Save(ModelSaveContext ctx);

    private RowMapper MapperFor(DataViewSchema inputSchema)
    {
        ArgumentNullException.ThrowIfNull(inputSchema);
        return CreateMapper(inputSchema);
    }
}

/// <summary>Base of transformers that make one column from one other.</summary>
public abstract class OneToOneTransformerBase : RowToRowTransformerBase
{
    private protected OneToOneTransformerBase(string output, string? input) => (Output, Input) = (output, input ?? output);
    private protected OneToOneTransformerBase(BinaryReader reader) : this(reader.ReadString(), reader.ReadString()) { }
    internal string Output { get; }
    internal string Input { get; }
    private protected override RowMapper CreateMapper(DataViewSchema inputSchema) => new(inputSchema, [Map(inputSchema.InputColumn(Input))]);
    private protected abstract AddedColumn Map(DataViewSchema.Column input);

    /// <summary>An added column of this transformer's name.</summary>
    private protected AddedColumn Add(DataViewSchema.Column input, DataViewType type, DataViewSchema.Annotations? annotations, Func<DataViewRow, Delegate> createGetter) =>
        new(new(Output, type, annotations), [input.Index], createGetter);

    /// <summary>Begins the saved state with the names, as the constructor from a reader expects.</summary>
    private protected BinaryWriter Begin(ModelSaveContext ctx, string loaderName)
    {
        BinaryWriter writer = ctx.Begin(loaderName);
        writer.Write(Output);
        writer.Write(Input);
        return writer;
    }
}
