namespace Microsoft.ML.Data;

/// <summary>Reads lines of separated fields; a view reads its files anew each time it is read.</summary>
public sealed class TextLoader
{
    private const int SampledLines = 100;
    private readonly DataViewSchema _schema;

    internal TextLoader(Options options, IMultiStreamSource? dataSample)
    {
        Settings = options;
        Separators = [.. options.Separators.Distinct()];
        foreach (char separator in Separators)
            Check.Argument(separator is not '"' and not (>= '0' and <= '9') and (>= ' ' or '\t'), "Separator", $"Illegal separator: '{separator}'");
        Check.Argument(Separators.Length > 0, "Separator", "Must specify a separator");
        Check.Argument(options.DecimalMarker is '.' or ',', nameof(options.DecimalMarker),
            $"Decimal marker cannot be the '{options.DecimalMarker}' character. It must be '.' or ','.");
        Check.Argument(options.DecimalMarker == '.' || options.AllowQuoting || !Separators.Contains(','), nameof(options.AllowQuoting),
            "Quoting must be allowed if decimal marker and separator are the ',' character.");
        Check.Argument(!Separators.Contains(options.EscapeChar), nameof(options.EscapeChar),
            $"EscapeChar '{options.EscapeChar}' can't be used both as EscapeChar and separator");

        Column[] columns = options.Columns ?? [new Column("Label", DataKind.Single, 0), new Column("Features", DataKind.Single, [new Range(1, null)])];
        Check.Argument(columns.All(column => column.Source is { Length: > 0 }), nameof(Column.Source), "Must specify some source column indices");

        string[] sample = dataSample is null ? [] : [.. TextLines.Read(dataSample, skipHeader: false).Take(SampledLines).Select(line => line.Text)];
        Columns = [.. columns.Select(column => new TextColumn(column, () => WidthOf(sample)))];
        var header = new TextFields(this);
        header.Split(options.HasHeader && sample.Length > 0 ? sample[0] : "");
        var builder = new DataViewSchema.Builder();
        foreach (var column in Columns)
            builder.AddColumn(column.Name, column.Type, column.SlotNames(header));
        _schema = builder.ToSchema();
    }

    internal Options Settings { get; }
    internal char[] Separators { get; }
    internal TextColumn[] Columns { get; }

    // A range to the end of the line has a fixed size, which all sampled lines (the header too) must agree on.
    private int WidthOf(string[] sample)
    {
        var fields = new TextFields(this);
        int[] widths = [.. sample.Select(line => fields.Split(line)).Distinct()];
        Check.Argument(widths.Length > 0, nameof(Column.Source), "Can't determine the number of source columns without valid data");
        Check.Argument(widths.Length == 1, nameof(Column.Source), "The size of input lines is not consistent");
        return widths[0];
    }

    public DataViewSchema GetOutputSchema() => _schema;

    public IDataView Load(IMultiStreamSource source) => new View(this, source);

    /// <summary>What to read.</summary>
    public class Options
    {
        public bool AllowQuoting;
        public Column[]? Columns;
        public char DecimalMarker = '.';
        public char EscapeChar = '"';
        public bool HasHeader;
        public long? MaxRows;
        public bool MissingRealsAsNaNs;
        public char[] Separators = ['\t'];
        public bool TrimWhitespace;
        public bool UseThreads = true;
    }

    /// <summary>One column and the fields it is made of.</summary>
    public sealed class Column
    {
        public string Name = "";
        public Range[]? Source;
        public KeyCount? KeyCount;

        public Column() { }

        public Column(string name, DataKind dataKind, int index) : this(name, dataKind, [new Range(index)]) { }

        public Column(string name, DataKind dataKind, int minIndex, int maxIndex) : this(name, dataKind, [new Range(minIndex, maxIndex)]) { }

        public Column(string name, DataKind dataKind, Range[] source, KeyCount? keyCount = null)
        {
            ArgumentNullException.ThrowIfNull(name);
            ArgumentNullException.ThrowIfNull(source);
            Name = name;
            DataKind = dataKind;
            Source = source;
            KeyCount = keyCount;
        }

        public DataKind DataKind { get; set; } = DataKind.Single;
    }

    /// <summary>Consecutive fields of a line.</summary>
    public sealed class Range
    {
        public int Min;
        public int? Max;
        public bool AutoEnd;
        public bool VariableEnd;
        public bool ForceVector;

        public Range() { }

        public Range(int index)
        {
            Check.Argument(index >= 0, nameof(index), "Must be non-negative");
            Min = index;
            Max = index;
        }

        public Range(int min, int? max)
        {
            Check.Argument(min >= 0, nameof(min), "Must be non-negative");
            Check.Argument(!(max < min), nameof(max), "If specified, must be greater than or equal to min");
            Min = min;
            Max = max;
            ForceVector = true;
            AutoEnd = max is null;
        }
    }

    private sealed class View(TextLoader loader, IMultiStreamSource source) : IDataView
    {
        public DataViewSchema Schema => loader._schema;
        public bool CanShuffle => false;

        public long? GetRowCount() => null;

        public DataViewRowCursor GetRowCursor(IEnumerable<DataViewSchema.Column> columnsNeeded, Random? rand = null) =>
            new TextCursor(loader, source, columnsNeeded);

        public DataViewRowCursor[] GetRowCursorSet(IEnumerable<DataViewSchema.Column> columnsNeeded, int n, Random? rand = null) =>
            [GetRowCursor(columnsNeeded, rand)];
    }
}
