using System.Globalization;
using Microsoft.ML.ForwardSampling.Records;

namespace Microsoft.ML.ForwardSampling.Tool.Compare;

/// <summary>A text that did not fit, and where.</summary>
/// <param name="Line">Its line.</param>
/// <param name="Text">The text.</param>
internal sealed record CsvExample(long Line, string Text);

/// <summary>What a column is taken for.</summary>
internal sealed record CsvVerdict
{
    /// <summary>In a word or two.</summary>
    public required string Kind { get; init; }

    /// <summary>Different texts, as far as they were counted.</summary>
    public int Different { get; init; }

    /// <summary>What becomes of it.</summary>
    public required string Becomes { get; init; }

    /// <summary>How to say otherwise, or empty.</summary>
    public string Otherwise { get; init; } = "";

    /// <summary>How it becomes features; null: it does not.</summary>
    public CsvFeature? Feature { get; init; }

    /// <summary>The feature of a column that is left out, for where nothing else is left; null: it has none.</summary>
    public CsvFeature? Spare { get; init; }

    /// <summary>What the user should know.</summary>
    public IReadOnlyList<string> Notes { get; init; } = [];

    /// <summary>Whether the file could mean something else.</summary>
    public bool IsDoubt { get; init; }

    /// <summary>Values that do not fit.</summary>
    public long Misfits { get; init; }

    /// <summary>Values that are not there.</summary>
    public long Missing { get; init; }

    /// <summary>The first of those that do not fit.</summary>
    public IReadOnlyList<CsvExample> Examples { get; init; } = [];

    /// <summary>Why it cannot be used as it is; null: it can.</summary>
    public InvalidDataException? Problem { get; init; }
}

/// <summary>What the training rows say about a column.</summary>
/// <param name="index">Its place in the file.</param>
/// <param name="columns">The columns.</param>
/// <param name="isCategory">Whether its numbers are names.</param>
/// <param name="isNumber">Whether it is numbers, whatever else stands there.</param>
/// <param name="missing">What stands where there is no value.</param>
internal sealed class CsvProfile(int index, CsvColumns columns, bool isCategory, bool isNumber, MissingWords missing)
{
    /// <summary>Names that get a slot each; with more, they share slots.</summary>
    public const int MostCategories = 64;

    private const int MostCounted = 1 << 17; // beyond this many different texts only "many" matters
    private const int MostExamples = 3;
    private const double NumbersOfANumberColumn = 0.9;
    private const double NamesOfAKey = 0.95;
    private const int FewestRowsOfACount = 20;
    private const int FewestOfNumbers = 20;

    private readonly NumberTally _points = new('.');
    private readonly NumberTally _commas = new(',');
    private readonly HashSet<string> _categories = [];
    private readonly HashSet<ulong> _different = [];
    private readonly Dictionary<string, long> _words = new(StringComparer.Ordinal);
    private readonly Dictionary<string, long> _maybe = new(StringComparer.Ordinal);
    private readonly RowCount _count = new();
    private long _rows;
    private long _missing;
    private long _dates;
    private long _either;
    private long _withUnit;
    private long _beginWithDigits;
    private CsvExample? _firstWithDigits;
    private long _withZeros;
    private long _compactDates;
    private long _differ;
    private CsvExample? _firstDiffering;

    /// <summary>Its place in the file.</summary>
    public int Index => index;

    /// <summary>What it is called.</summary>
    public string Name => columns.Titles[index];

    /// <summary>What its numbers say stands before decimals; null: nothing.</summary>
    public char? Evidence => isCategory || Math.Max(_points.Count, _commas.Count) < 0.5 * Present || _points.Count == _commas.Count ? null
        : _points.Count > _commas.Count ? '.' : ',';

    private long Present => _rows - _missing - _maybe.Values.Sum();

    /// <summary>Adds a training row.</summary>
    public void Add(in CsvRow row)
    {
        string field = row[index];
        _rows++;
        if (missing.IsMissing(field))
        {
            _missing++;
            if (field.Length > 0)
                _words[field] = _words.GetValueOrDefault(field) + 1;
            return;
        }

        if (_categories.Count <= MostCategories)
            _categories.Add(field);
        if (_different.Count < MostCounted)
            _different.Add(RecordKey.FromString(field));
        if (isCategory)
            return;
        if (missing.IsMissingAmongNumbers(field))
        {
            _maybe[field] = _maybe.GetValueOrDefault(field) + 1;
            return;
        }

        bool isPoint = _points.Add(row, index, out double value), isComma = _commas.Add(row, index, out double other);
        if (isPoint && isComma && value != other)
        {
            _differ++;
            if (_firstDiffering is null && field.Contains(','))
                _firstDiffering = new CsvExample(row.Line, field);
        }

        _count.Add(row.Number, isPoint ? value : double.NaN);
        if (isPoint || isComma)
        {
            _either++;
            _withZeros += field.Length > 1 && field[0] == '0' && char.IsAsciiDigit(field[1]) ? 1 : 0;
            _compactDates += CsvDate.IsCompact(field) ? 1 : 0;
        }
        else if (CsvDate.Is(field))
        {
            _dates++;
        }
        else if (char.IsAsciiDigit(field[0]) || (field.Length > 1 && char.IsAsciiDigit(field[1]) && !char.IsLetter(field[0])))
        {
            _beginWithDigits++;
            _firstWithDigits ??= new CsvExample(row.Line, field);
        }

        if (isPoint || isComma)
            return;
        if (field.AsSpan().TrimEnd("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZµ°²³/%").TrimEnd() is { Length: > 0 } bare
            && bare.Length < field.Length && CsvNumber.TryRead(bare.ToString(), '.', out _, out _, out _))
        {
            _withUnit++;
        }
    }

    /// <summary>The numbers, as they are read with a point or a comma before decimals.</summary>
    public NumberTally Numbers(char point) => point == ',' ? _commas : _points;

    /// <summary>What the column is taken for.</summary>
    /// <param name="given">What the user says stands before decimals, or null.</param>
    /// <param name="elsewhere">What other columns say, or null.</param>
    /// <param name="separator">Between fields.</param>
    public CsvVerdict Judge(char? given, char? elsewhere, char separator)
        => Decide(given, elsewhere, separator) with { Different = _different.Count };

    private CsvVerdict Decide(char? given, char? elsewhere, char separator)
    {
        long present = Present;
        char point = given ?? Evidence ?? elsewhere ?? '.';
        NumberTally numbers = Numbers(point);
        string name = columns.Quoted(index);
        if (isNumber && numbers.Count == 0)
            return Stopped(numbers, $"--numbers {name}, and none of its values is one");
        if (!isCategory && !isNumber && given is null && numbers.Count < _either && _either >= NumbersOfANumberColumn * present)
            return Stopped(numbers, Text($"{_either - _commas.Count:N0} numbers have a decimal point and {_either - _points.Count:N0} a ")
                + $"comma: write all alike, or give --ignore {name}");
        if (!isCategory && (isNumber || (numbers.Count > 0 && numbers.Count >= NumbersOfANumberColumn * present)))
            return JudgeNumbers(numbers, present, given is null && Evidence is null && elsewhere is null && separator != ',');
        if (!isCategory && _withUnit >= NumbersOfANumberColumn * present && _categories.Count > MostCategories)
            return Stopped(numbers, "numbers with a unit behind. Write the numbers alone, in one unit; --categories "
                + $"{name} takes the column as names, --ignore {name} leaves it out");
        if (!isCategory && numbers.Count > 0.5 * present && _categories.Count > MostCategories)
            return Stopped(numbers, Advice(numbers));
        present = _rows - _missing;                         // among names, None may be one
        if (present == 0)
            return LeftOut("empty", "it is empty");
        if (_different.Count == 1 && _missing == 0)
            return LeftOut("one value", "it has the same value in every training row");
        if (!isCategory && _dates >= NumbersOfANumberColumn * (present - numbers.Count) && _dates >= 0.5 * present)
            return LeftOut("dates", $"it holds dates or times, of which no network learns much as they stand. Write what matters (weekday, "
                + "age) as numbers", $"--categories {name} takes them as names", isDoubt: true);
        List<string> notes = [.. WordNotes(_words)];
        bool isMixed = numbers.Count > 0 && numbers.Count >= 0.5 * present;
        if (isMixed)
            notes.Add(Text($"Column {Name} is taken for names: {present - numbers.Count:N0} of its {present:N0} values are no numbers, ")
                + $"{numbers.FirstMisfits()} (--numbers {name} takes it for numbers, and those for missing).");
        if (_maybe.Count > 0)
            notes.Add($"Column {Name} holds names, and {string.Join(", ", _maybe.Select(word => $"'{word.Key}' ({word.Value})"))} is one "
                + $"of them (--missing {_maybe.First().Key} takes it for missing).");
        if (!isMixed && _different.Count >= FewestOfNumbers && _firstWithDigits is { } first
            && _beginWithDigits + _either >= NumbersOfANumberColumn * present)
            notes.Add($"Column {Name} is taken for names, though its texts begin with numbers, the first that is none on line "
                + Text($"{first.Line} ('{CsvFile.Short(first.Text)}'). If they are numbers, write them alone; ")
                + $"--categories {name} says that they are names.");
        if (_categories.Count <= MostCategories)
            return new CsvVerdict
            {
                Kind = "names",
                Becomes = Text($"{_categories.Count} features, one for each"),
                Otherwise = numbers.Count > 0 || isCategory ? $"--numbers {name}" : $"--ignore {name}",
                Feature = new CategoryFeature(index, [.. Sorted(_categories)], missing),
                Notes = notes,
                IsDoubt = notes.Count > 0,
                Missing = _missing,
            };
        if (!isCategory && _different.Count >= Math.Min(NamesOfAKey * present, MostCounted))
            return LeftOut("names of rows", "its texts differ in nearly every row, so it names rows rather than describes them",
                $"--categories {name} keeps it", isDoubt: true);
        notes.Add($"Column {Name} has {(_different.Count < MostCounted ? $"{_different.Count}" : $"more than {MostCounted}")} different "
            + $"texts, which share {HashedFeature.Slots} slots by their hash.");
        return new CsvVerdict
        {
            Kind = "many names",
            Becomes = $"{HashedFeature.Slots} features, by hash",
            Otherwise = $"--ignore {name}",
            Feature = new HashedFeature(index, missing),
            Notes = notes,
            IsDoubt = notes.Count > 1,
            Missing = _missing,
        };
    }

    /// <summary>In the order of their numbers where all are numbers, else of their characters.</summary>
    public static IEnumerable<string> Sorted(IReadOnlyCollection<string> names)
        => names.All(name => CsvNumber.TryRead(name, '.', out _, out _, out _))
            ? names.OrderBy(NumberOf).ThenBy(name => name, StringComparer.Ordinal)
            : names.Order(StringComparer.Ordinal);

    private static double NumberOf(string name) => CsvNumber.TryRead(name, '.', out double value, out _, out _) ? value : 0;

    private static string Text(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);

    private CsvVerdict JudgeNumbers(NumberTally numbers, long present, bool isOpen)
    {
        string name = columns.Quoted(index);
        long misfits = present - numbers.Count, gone = _missing + _maybe.Values.Sum() + misfits;
        if (misfits > 0 && !isNumber)
            return Stopped(numbers, Advice(numbers));
        if (isOpen && _firstDiffering is { } open)
            return Stopped(numbers, $"'{open.Text}' on line {open.Line} can be read in two ways: give --decimal . if the comma groups "
                + "thousands, or --decimal , if decimals follow it");
        if (numbers.Currencies.Count > 1)
            return Stopped(numbers, $"the column mixes {string.Join(" and ", numbers.Currencies.Select(one => $"'{one}'"))}, and their "
                + $"numbers cannot be compared: bring them to one, or give --ignore {name}");
        if (numbers.Percents is > 0 && numbers.Percents < numbers.Count)
            return Stopped(numbers, Text($"{numbers.Percents:N0} of {numbers.Count:N0} numbers have a percent sign: write all with one, ")
                + $"or none, or give --ignore {name}");
        if (numbers.Low == numbers.High && gone == 0)
            return LeftOut("one value", "it has the same value in every training row");
        if (!isNumber && gone == 0 && _count.Step is { } step && _rows >= FewestRowsOfACount)
            return LeftOut("a count of rows", Text($"it counts the rows, by {step:G6}, so it says where a row stands in this file and ")
                + "nothing about others", $"--numbers {name} keeps it", isDoubt: true) with
            {
                Spare = new NumberFeature(index, numbers.Mean, Math.Sqrt(numbers.Squares / numbers.Count), hasMissing: false, numbers.Point,
                    isForced: false, missing),
            };
        List<string> notes = [.. WordNotes(_words.Concat(_maybe))];
        if (misfits > 0)
            notes.Add(Text($"Column {Name}: {misfits:N0} values that are no numbers are taken as missing, {numbers.FirstMisfits()}."));
        if (numbers.Example is { } example)
            notes.Add($"Column {Name} is written with {CsvNumber.Describe(numbers.Traits)}: '{example.Text}' on line {example.Line} is "
                + Text($"read as {numbers.ExampleValue:G9}")
                + (_differ > 0 ? $" (--decimal {(numbers.Point == ',' ? '.' : ',')} reads it otherwise)." : "."));
        if (_withZeros > 0)
            notes.Add(Text($"Column {Name}: {_withZeros:N0} values begin with a zero, as codes do. They are read as numbers, 007 as 7 ")
                + $"(--categories {name} takes them as names).");
        if (_compactDates == _rows)
            notes.Add($"Column {Name} seems to hold dates, as 20240131: between two months is a gap that is none. Write what matters "
                + $"as numbers, or give --ignore {name}.");
        else if (gone == 0 && _count.IsRising && _rows >= FewestRowsOfACount && !isNumber)
            notes.Add($"Column {Name} rises, or falls, from every row to the next, as times and ids do: it says where a row stands "
                + $"in the file. If that is all, leave it out with --ignore {name}.");
        if (_count.IsId && gone == 0 && _rows >= 5 * FewestRowsOfACount)
            notes.Add($"Column {Name} has another whole number in every row, with hardly a gap: if it numbers the rows, leave it out with "
                + $"--ignore {name}.");
        return new CsvVerdict
        {
            Kind = "numbers",
            Becomes = gone > 0 ? "2 features: the number, and whether it is missing" : "1 feature",
            Otherwise = $"--categories {name}",
            Feature = new NumberFeature(index, numbers.Mean, Math.Sqrt(numbers.Squares / numbers.Count), gone > 0, numbers.Point, isNumber,
                missing),
            Notes = notes,
            IsDoubt = notes.Count > 0,
            Missing = _missing + _maybe.Values.Sum(),
            Misfits = misfits,
            Examples = numbers.Misfits,
        };
    }

    private IEnumerable<string> WordNotes(IEnumerable<KeyValuePair<string, long>> words)
    {
        string[] told = [.. words.OrderByDescending(word => word.Value).Take(5).Select(word => $"'{word.Key}' ({word.Value})")];
        if (told.Length > 0)
            yield return $"Column {Name}: {string.Join(", ", told)} {(told.Length == 1 ? "is" : "are")} taken as missing (--missing LIST "
                + "says otherwise).";
    }

    private string Advice(NumberTally numbers)
    {
        string name = columns.Quoted(index), word = numbers.Misfits.Count > 0 ? numbers.Misfits[0].Text : "";
        return $"{CsvFile.NoNumber}. Leave the field empty where there is no value or give --missing '{CsvFile.Short(word)}'; --numbers "
            + $"{name} takes all such texts as missing, --categories {name} the column as names";
    }

    private CsvVerdict Stopped(NumberTally numbers, string problem)
    {
        long misfits = Present - numbers.Count;
        CsvExample? first = numbers.Misfits.Count > 0 ? numbers.Misfits[0] : numbers.Example ?? _firstDiffering;
        string more = numbers.Misfits.Count > 1 ? Text($" ({misfits:N0} such, {numbers.FirstMisfits()})") : "";
        return new CsvVerdict
        {
            Kind = "numbers?",
            Becomes = "stops",
            Otherwise = isNumber ? "" : $"--categories {columns.Quoted(index)}",
            Problem = new InvalidDataException(Text(
                $"line {first?.Line ?? 0}, column {index + 1} ('{Name}'): {problem}. Got '{CsvFile.Short(first?.Text ?? "")}'{more}.")),
            IsDoubt = true,
            Missing = _missing + _maybe.Values.Sum(),
            Misfits = misfits,
            Examples = numbers.Misfits,
        };
    }

    private CsvVerdict LeftOut(string kind, string why, string otherwise = "", bool isDoubt = false) => new()
    {
        Kind = kind,
        Becomes = "left out",
        Otherwise = otherwise,
        Notes = [$"Column {Name} is left out: {why}{(otherwise.Length > 0 ? $" ({otherwise})" : "")}."],
        IsDoubt = isDoubt,
        Missing = _missing,
    };

    /// <summary>The numbers of a column, as they are read with one kind of decimals.</summary>
    /// <param name="point">What stands before decimals.</param>
    internal sealed class NumberTally(char point)
    {
        private readonly List<CsvExample> _misfits = [];

        public char Point => point;

        public long Count { get; private set; }

        public double Mean { get; private set; }

        /// <summary>Sum of squared differences from the mean.</summary>
        public double Squares { get; private set; }

        public double Low { get; private set; } = double.PositiveInfinity;

        public double High { get; private set; } = double.NegativeInfinity;

        public NumberTraits Traits { get; private set; }

        public long Percents { get; private set; }

        public SortedSet<string> Currencies { get; } = new(StringComparer.Ordinal);

        /// <summary>The first that is written with more than digits and a point.</summary>
        public CsvExample? Example { get; private set; }

        public double ExampleValue { get; private set; }

        public IReadOnlyList<CsvExample> Misfits => _misfits;

        public string FirstMisfits()
            => $"the first on {string.Join(", ", _misfits.Select(misfit => Text($"line {misfit.Line} ('{CsvFile.Short(misfit.Text)}')")))}";

        public bool Add(in CsvRow row, int index, out double value)
        {
            string field = row[index];
            if (!CsvNumber.TryRead(field, point, out value, out NumberTraits traits, out string currency))
            {
                if (_misfits.Count < MostExamples)
                    _misfits.Add(new CsvExample(row.Line, field));
                return false;
            }

            // Welford, Technometrics 4, 1962.
            Count++;
            double delta = value - Mean;
            Mean += delta / Count;
            Squares += delta * (value - Mean);
            (Low, High) = (Math.Min(Low, value), Math.Max(High, value));
            if (traits != NumberTraits.None)
            {
                if ((traits & ~Traits) != 0 && (Example is null || traits > Traits))
                    (Example, ExampleValue) = (new CsvExample(row.Line, field), value);
                Traits |= traits;
                Percents += traits.HasFlag(NumberTraits.Percent) ? 1 : 0;
                if (currency.Length > 0)
                    Currencies.Add(currency);
            }

            return true;
        }
    }

    /// <summary>Whether whole numbers count the rows.</summary>
    private sealed class RowCount
    {
        private readonly HashSet<double> _seen = [];
        private long _first;
        private long _rows;
        private double _start;
        private double _step = double.NaN;
        private bool _isCount = true;
        private bool _isWhole = true;
        private double _last = double.NaN;
        private int _ups;
        private int _downs;
        private double _low = double.PositiveInfinity;
        private double _high = double.NegativeInfinity;

        /// <summary>By how much each row is more than the one before; null: they do not count.</summary>
        public double? Step => _isCount && _rows > 1 && _step != 0 ? _step : null;

        /// <summary>Whether every row has another number, and nearly all between the ends are there.</summary>
        public bool IsId => _isWhole && _seen.Count == _rows && _rows < MostCounted && _high - _low < 1.5 * _rows && Step is null;

        /// <summary>Whether each number is above the one before, or each below.</summary>
        public bool IsRising => _rows > 1 && (_ups == _rows - 1 || _downs == _rows - 1);

        public void Add(long row, double value)
        {
            (_ups, _downs, _last) = (_ups + (value > _last ? 1 : 0), _downs + (value < _last ? 1 : 0), value);
            if (_rows++ == 0)
                (_first, _start) = (row, value);
            else if (_rows == 2)
                _step = (value - _start) / (row - _first);
            _isWhole &= value == Math.Floor(value);
            _isCount &= _isWhole && (_rows < 2 || value == _start + _step * (row - _first));
            if (!_isWhole)
                return;
            (_low, _high) = (Math.Min(_low, value), Math.Max(_high, value));
            if (_seen.Count < MostCounted)
                _seen.Add(value);
        }
    }
}
