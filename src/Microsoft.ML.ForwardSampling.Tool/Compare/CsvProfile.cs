using Microsoft.ML.ForwardSampling.Records;

namespace Microsoft.ML.ForwardSampling.Tool.Compare;

/// <summary>What the training rows say about a column.</summary>
/// <param name="index">Its place in the file.</param>
/// <param name="name">Its name.</param>
/// <param name="isCategory">Whether its numbers are names.</param>
internal sealed class CsvProfile(int index, string name, bool isCategory)
{
    /// <summary>Names that get a slot each; with more, they share slots.</summary>
    public const int MostCategories = 64;

    private const int MostCounted = 1 << 17; // beyond this many different texts only "many" matters
    private const double NumbersOfANumberColumn = 0.9;
    private const double NamesOfAKey = 0.95;

    private readonly HashSet<string> _categories = [];
    private readonly HashSet<ulong> _different = [];
    private long _rows;
    private long _missing;
    private long _numbers;
    private double _mean;
    private double _squares;
    private double _low = double.PositiveInfinity;
    private double _high = double.NegativeInfinity;
    private long _commas;
    private InvalidDataException? _firstText;
    private InvalidDataException? _firstComma;

    /// <summary>Its name.</summary>
    public string Name => name;

    /// <summary>Adds a training row.</summary>
    public void Add(in CsvRow row)
    {
        string field = row[index];
        _rows++;
        if (CsvFile.IsMissing(field))
        {
            _missing++;
            return;
        }

        if (!isCategory && CsvFile.Number(field) is { } value)
        {
            // Welford, Technometrics 4, 1962.
            _numbers++;
            double delta = value - _mean;
            _mean += delta / _numbers;
            _squares += delta * (value - _mean);
            (_low, _high) = (Math.Min(_low, value), Math.Max(_high, value));
        }
        else
        {
            _firstText ??= row.Error(index,
                $"{CsvFile.NoNumber}. Leave the field empty where there is no value, or give --categories {name} if it holds names");
            if (!isCategory && CsvFile.HasDecimalComma(field))
            {
                _commas++;
                _firstComma ??= row.Error(index, $"{CsvFile.DecimalComma}, or --categories {name} if they are names");
            }
        }

        if (_categories.Count <= MostCategories)
            _categories.Add(field);
        if (_different.Count < MostCounted)
            _different.Add(RecordKey.FromString(field));
    }

    /// <summary>How the column becomes features; null when it says nothing.</summary>
    /// <param name="note">What was decided, where the user should know.</param>
    /// <exception cref="InvalidDataException">A text stands among numbers, or numbers have decimal commas; the message names the first
    /// one's line.</exception>
    public CsvFeature? ToFeature(out string? note)
    {
        long present = _rows - _missing;
        note = null;
        if (present == 0 || (_different.Count == 1 && _missing == 0) || (_numbers == present && _low == _high && _missing == 0))
        {
            note = $"Column {name} is left out: {(present == 0 ? "it is empty" : "it has the same value in every training row")}.";
            return null;
        }

        if (_numbers == present)
            return new NumberFeature(index, _mean, Math.Sqrt(_squares / _numbers), hasMissing: _missing > 0);
        if (_firstComma is not null && _numbers + _commas >= NumbersOfANumberColumn * present)
            throw _firstComma;
        if (!isCategory && _numbers >= NumbersOfANumberColumn * present)
            throw _firstText!;
        if (_categories.Count <= MostCategories)
            return new CategoryFeature(index, [.. Sorted(_categories)]);
        if (!isCategory && _different.Count >= Math.Min(NamesOfAKey * present, MostCounted))
        {
            note = $"Column {name} is left out: its texts differ in nearly every row, so it names rows rather than describes them "
                + $"(--categories {name} keeps it).";
            return null;
        }

        note = $"Column {name} has {(_different.Count < MostCounted ? $"{_different.Count}" : $"more than {MostCounted}")} different "
            + $"texts, which share {HashedFeature.Slots} slots by their hash.";
        return new HashedFeature(index);
    }

    /// <summary>In the order of their numbers where all are numbers, else of their characters.</summary>
    public static IEnumerable<string> Sorted(IReadOnlyCollection<string> names) => names.All(name => CsvFile.Number(name) is not null)
        ? names.OrderBy(name => CsvFile.Number(name)).ThenBy(name => name, StringComparer.Ordinal)
        : names.Order(StringComparer.Ordinal);
}
