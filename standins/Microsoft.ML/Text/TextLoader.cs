namespace Microsoft.ML.Data;

/// <summary>Reads lines of separated fields; a view reads its files anew each time it is read.</summary>
public sealed class TextLoader
{
    private const int SampledLines = 100;
    private readonly string _path;

    /// <param name="sampled">Whether the file's first lines tell the sizes of open ranges and the names of slots.</param>
    internal TextLoader(string path, Options options, bool sampled)
    {
        _path = path;
        Settings = options;
        Separators = [.. options.Separators.Distinct()];
        foreach (char separator in Separators)
            Errors.CheckArgument(separator is not '"' and not (>= '0' and <= '9') and (>= ' ' or '\t'), "Separator", $"Illegal separator: '{separator}'");
        Errors.CheckArgument(Separators.Length > 0, "Separator", "Must specify a separator");
        Errors.CheckArgument(options.DecimalMarker is '.' or ',', nameof(options.DecimalMarker),
            $"Decimal marker cannot be the '{options.DecimalMarker}' character. It must be '.' or ','.");
        Errors.CheckArgument(options.DecimalMarker == '.' || options.AllowQuoting || !Separators.Contains(','), nameof(options.AllowQuoting),
            "Quoting must be allowed if decimal marker and separator are the ',' character.");
        Errors.CheckArgument(!Separators.Contains(options.EscapeChar), nameof(options.EscapeChar),
            $"EscapeChar '{options.EscapeChar}' can't be used both as EscapeChar and separator");

        Column[] columns = options.Columns ?? [new Column("Label", DataKind.Single, 0), new Column("Features", DataKind.Single, [new Range(1, null)])];
        Errors.CheckArgument(columns.All(column => column.Source is { Length: > 0 }), nameof(Column.Source), "Must specify some source column indices");

        string[] sample = sampled ? [.. ReadLines(skipHeader: false).Take(SampledLines).Select(line => line.Text)] : [];
        Columns = [.. columns.Select(column => new TextColumn(column, () => WidthOf(sample)))];
        var header = new TextFields(this);
        header.Split(options.HasHeader && sample.Length > 0 ? sample[0] : "");
        var builder = new DataViewSchema.Builder();
        foreach (var column in Columns)
            builder.AddColumn(column.Name, column.Type, column.SlotNames(header));
        Schema = builder.ToSchema();
    }

    internal Options Settings { get; }
    internal char[] Separators { get; }
    internal TextColumn[] Columns { get; }
    internal DataViewSchema Schema { get; }

    // A range to the end of the line has a fixed size, which all sampled lines (the header too) must agree on.
    private int WidthOf(string[] sample)
    {
        var fields = new TextFields(this);
        int[] widths = [.. sample.Select(line => fields.Split(line)).Distinct()];
        Errors.CheckArgument(widths.Length > 0, nameof(Column.Source), "Can't determine the number of source columns without valid data");
        Errors.CheckArgument(widths.Length == 1, nameof(Column.Source), "The size of input lines is not consistent");
        return widths[0];
    }

    internal IDataView Load() => new View(this);

    /// <summary>The lines that hold data, with their numbers; blank lines, lines in // and leading lines in # hold none.</summary>
    internal IEnumerable<(long Number, string Text)> ReadLines(bool skipHeader)
    {
        using var reader = new StreamReader(_path);
        bool atStart = true;
        long number = 0;
        while (reader.ReadLine() is { } text)
        {
            number++;
            if (text.Length == 0 || text.StartsWith("//", StringComparison.Ordinal) || (atStart && text[0] == '#'))
                continue;
            if (!atStart || !skipHeader)
                yield return (number, text);
            atStart = false;
        }
    }

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

        public Range(int index)
        {
            Errors.CheckArgument(index >= 0, nameof(index), "Must be non-negative");
            Min = index;
            Max = index;
        }

        public Range(int min, int? max)
        {
            Errors.CheckArgument(min >= 0, nameof(min), "Must be non-negative");
            Errors.CheckArgument(!(max < min), nameof(max), "If specified, must be greater than or equal to min");
            Min = min;
            Max = max;
            ForceVector = true;
            AutoEnd = max is null;
        }
    }

    private sealed class View(TextLoader loader) : IDataView
    {
        public DataViewSchema Schema => loader.Schema;
        public bool CanShuffle => false;

        public long? GetRowCount() => null;

        public DataViewRowCursor GetRowCursor(IEnumerable<DataViewSchema.Column> columnsNeeded, Random? rand = null) =>
            new TextCursor(loader, columnsNeeded);

        public DataViewRowCursor[] GetRowCursorSet(IEnumerable<DataViewSchema.Column> columnsNeeded, int n, Random? rand = null) =>
            [GetRowCursor(columnsNeeded, rand)];
    }
}
