namespace Microsoft.ML.Data;

/// <summary>Parses every active column of a line while moving to it, as ML.NET does.</summary>
internal sealed class TextCursor : CursorBase
{
    private readonly TextLoader _loader;
    private readonly IEnumerator<(long Number, string Text)> _lines;
    private readonly TextFields _fields;
    private readonly Pipe?[] _pipes;

    public TextCursor(TextLoader loader, IEnumerable<DataViewSchema.Column> columnsNeeded)
    {
        _loader = loader;
        var lines = loader.ReadLines(loader.Settings.HasHeader);
        _lines = (loader.Settings.MaxRows is { } most ? lines.TakeWhile((_, i) => i < most) : lines).GetEnumerator();
        _fields = new TextFields(loader);
        _pipes = new Pipe?[Schema.Count];
        foreach (var column in columnsNeeded.Where(column => column.Index < _pipes.Length))
            _pipes[column.Index] ??= CreatePipe(loader.Columns[column.Index]);
    }

    /// <summary>Parses a column of the current line, given the line's number, and hands out the value.</summary>
    private sealed record Pipe(Action<long> Parse, Delegate Getter);

    public override DataViewSchema Schema => _loader.Schema;

    public override long Batch => Position;

    public override bool IsColumnActive(DataViewSchema.Column column) => _pipes[column.Index] is not null;

    public override ValueGetter<TValue> GetGetter<TValue>(DataViewSchema.Column column)
    {
        if (column.Index >= _pipes.Length)
            throw new ArgumentOutOfRangeException(nameof(column), "requested column not valid.");
        var getter = (_pipes[column.Index] ?? throw new InvalidOperationException()).Getter;
        return getter as ValueGetter<TValue> ?? throw Errors.WrongGetterType(typeof(TValue), getter);
    }

    public override ValueGetter<DataViewRowId> GetIdGetter() =>
        (ref DataViewRowId value) => value = Position >= 0 ? new DataViewRowId((ulong)Position, 0) : throw Errors.NotOnARow();

    protected override bool MoveNextCore()
    {
        if (!_lines.MoveNext())
            return false;
        _fields.Split(_lines.Current.Text);
        foreach (var pipe in _pipes)
            pipe?.Parse(_lines.Current.Number);
        return true;
    }

    protected override void Dispose(bool disposing)
    {
        _lines.Dispose();
        base.Dispose(disposing);
    }

    private Pipe CreatePipe(TextColumn column) =>
        Generic.Call<Pipe>(column.IsVector ? Vector<int> : Scalar<int>, column.ItemType.RawType, column, TextParser.For(column.ItemType, _loader.Settings));

    private Pipe Scalar<T>(TextColumn column, TextParser<T> parse)
    {
        T current = default!;
        return new(
            line =>
            {
                if (!parse(_fields[column.FirstField], out current) && !_fields[column.FirstField].IsEmpty)
                    throw Failure(column.FirstField, $"line {line}, column {column.Name}");
            },
            new ValueGetter<T>((ref T value) => value = Position >= 0 ? current : throw new InvalidOperationException()));
    }

    private Pipe Vector<T>(TextColumn column, TextParser<T> parse)
    {
        T[] current = [];
        return new(
            line =>
            {
                current = new T[column.Size(_fields.Count)];
                int slot = 0;
                foreach (int field in column.Fields(_fields.Count))
                {
                    if (!parse(_fields[field], out current[slot++]) && !_fields[field].IsEmpty)
                        throw Failure(field, $"slot {slot - 1} of column {column.Name} in line {line}");
                }
            },
            new ValueGetter<VBuffer<T>>((ref VBuffer<T> value) =>
                new VBuffer<T>(current.Length, Position >= 0 ? current : throw new InvalidOperationException()).CopyTo(ref value)));
    }

    private FormatException Failure(int field, string place)
    {
        string message = $"Could not parse value {_fields[field]} in {place}";
        return new FormatException("Parsing failed with an exception: " + message, new InvalidOperationException(message));
    }
}
