using System.Globalization;
using System.Text.RegularExpressions;

namespace Microsoft.ML.ForwardSampling.Tool.Compare;

/// <summary>How the label column becomes a label; everything it knows comes from training rows.</summary>
/// <param name="index">Its place in the file.</param>
/// <param name="columns">The columns.</param>
/// <param name="task">What is predicted.</param>
/// <param name="missing">What stands where there is no value.</param>
internal sealed partial class CsvLabel(int index, CsvColumns columns, PredictionTask task, MissingWords missing)
{
    private const int MostClasses = 1000;

    private static readonly HashSet<string> s_positive = new(["1", "true", "yes", "y", "t", "positive", "pos", "on"],
        StringComparer.OrdinalIgnoreCase);

    private static readonly HashSet<string> s_negative = new(["false", "no", "n", "f", "negative", "neg", "off"],
        StringComparer.OrdinalIgnoreCase);

    private readonly CsvProfile _numbers = new(index, columns, isCategory: false, isNumber: false, missing);
    private readonly Dictionary<string, SortedSet<string>> _spellings = [];
    private readonly Dictionary<string, string> _names = [];
    private readonly Dictionary<string, InvalidDataException> _firstMaybe = [];
    private readonly SortedDictionary<string, long> _unknown = new(StringComparer.Ordinal);
    private Dictionary<string, uint> _classes = [];
    private double _mean;
    private char _point = '.';

    /// <summary>Names of the classes, in order; empty for a regression.</summary>
    public IReadOnlyList<string> Classes { get; private set; } = [];

    /// <summary>Standard deviation of a regression's label; 1 for classes.</summary>
    public double Scale { get; private set; } = 1;

    /// <summary>What a regression's numbers say stands before decimals.</summary>
    public char? Evidence => task == PredictionTask.Regression ? _numbers.Evidence : null;

    /// <summary>Classes that no training row has, with their rows.</summary>
    public IReadOnlyDictionary<string, long> Unknown => _unknown;

    /// <summary>Adds a training row.</summary>
    /// <returns>False where the label is missing: the row cannot be used.</returns>
    /// <exception cref="InvalidDataException">There are too many classes; the message names the line.</exception>
    public bool Add(in CsvRow row)
    {
        string field = row[index];
        if (missing.IsMissing(field))
            return false;
        if (task == PredictionTask.Regression)
        {
            _numbers.Add(row);
            return true;
        }

        string key = KeyOf(field);
        if (!_spellings.TryGetValue(key, out SortedSet<string>? spellings))
        {
            _spellings.Add(key, spellings = new SortedSet<string>(StringComparer.Ordinal));
            _names.Add(key, field);
            if (missing.IsMissingAmongNumbers(field))
                _firstMaybe.Add(key, TooMany(row));
            else if (_names.Count - _firstMaybe.Count > (task == PredictionTask.Binary ? 2 : MostClasses))
                throw TooMany(row);
        }

        spellings.Add(field);
        return true;
    }

    /// <summary>Ends the training rows.</summary>
    /// <param name="path">The file.</param>
    /// <param name="given">What the user says stands before decimals, or null.</param>
    /// <param name="elsewhere">What other columns say, or null.</param>
    /// <param name="separator">Between fields.</param>
    /// <returns>What the user should know, and whether it could be meant otherwise.</returns>
    /// <exception cref="InvalidDataException">The label is the same in every row, or a regression's is not a number.</exception>
    public IEnumerable<(string Note, bool IsDoubt)> Finish(string path, char? given, char? elsewhere, char separator)
        => task == PredictionTask.Regression ? FinishNumbers(path, given, elsewhere, separator) : FinishClasses(path);

    /// <summary>Sets a row's label.</summary>
    /// <returns>False where it is missing, or a class that no training row has: the row cannot be used.</returns>
    /// <exception cref="InvalidDataException">A regression's label is not a number, or too far from the others; the message names the
    /// line.</exception>
    public bool TrySet(in CsvRow row, TabularRow target)
    {
        string field = row[index];
        if (missing.IsMissing(field))
            return false;
        if (task == PredictionTask.Regression)
        {
            if (!CsvNumber.TryRead(field, _point, out double value, out _, out _))
                return missing.IsMissingAmongNumbers(field) ? false : throw row.Error(index, NoNumber);
            target.Number = (float)((value - _mean) / Scale);
            return float.IsFinite(target.Number) ? true : throw row.Error(index, CsvFile.TooFar);
        }

        if (!_classes.TryGetValue(KeyOf(field), out uint known))
        {
            if (!missing.IsMissingAmongNumbers(field))
                _unknown[field] = _unknown.GetValueOrDefault(field) + 1;
            return false;
        }

        if (task == PredictionTask.Binary)
            target.Flag = known == 1;
        else
            target.Class = known;
        return true;
    }

    private const string NoNumber =
        "the label of a regression must be a number (of at most 3.4e38); --task multiclass predicts names, --missing LIST says which words "
        + "stand for no value";

    private IEnumerable<(string Note, bool IsDoubt)> FinishNumbers(string path, char? given, char? elsewhere, char separator)
    {
        CsvVerdict verdict = _numbers.Judge(given, elsewhere, separator);
        char point = given ?? _numbers.Evidence ?? elsewhere ?? '.';
        CsvProfile.NumberTally numbers = _numbers.Numbers(point);
        if (numbers.Misfits.Count > 0)
            throw new InvalidDataException(string.Create(CultureInfo.InvariantCulture,
                $"{path}, line {numbers.Misfits[0].Line}, column {index + 1} ('{columns.Titles[index]}'): {NoNumber}. Got "
                + $"'{CsvFile.Short(numbers.Misfits[0].Text)}'."));
        if (verdict.Problem is { } problem)
            throw new InvalidDataException($"{path}, {problem.Message}");
        (_point, _mean, Scale) = (point, numbers.Mean, Math.Sqrt(numbers.Squares / Math.Max(1, numbers.Count)));
        if (!(Scale > 0))
            throw new InvalidDataException(
                $"{path}: label column '{columns.Titles[index]}' has the same value in all of its {numbers.Count} training rows, so there "
                + "is nothing to learn.");
        return verdict.Feature is null ? [] : verdict.Notes.Select(note => (note, true));
    }

    private List<(string Note, bool IsDoubt)> FinishClasses(string path)
    {
        List<(string, bool)> notes = [];
        string title = columns.Titles[index];

        // None among numbers or true and false is no class; among names it may be one.
        string[] sure = [.. _names.Keys.Where(key => !_firstMaybe.ContainsKey(key))];
        if (_firstMaybe.Count > 0)
        {
            string words = string.Join(", ", _firstMaybe.Keys.Select(key => $"'{_names[key]}'"));
            if (sure.Length > 0 && sure.All(key => s_positive.Contains(key) || s_negative.Contains(key) || Whole().IsMatch(key)))
            {
                foreach (string key in _firstMaybe.Keys)
                    _names.Remove(key);
                notes.Add(($"Label {title}: {words} is taken as missing (--missing LIST says otherwise).", true));
            }
            else if (task == PredictionTask.Binary && _names.Count > 2)
            {
                throw _firstMaybe.Values.First();
            }
            else
            {
                notes.Add(
                    ($"Label {title}: {words} is a class (--missing {_names[_firstMaybe.Keys.First()]} takes it for missing).", true));
            }
        }

        if (_names.Count < 2)
            throw new InvalidDataException(
                $"{path}: label column '{title}' has {(_names.Count == 0 ? "no value" : $"only '{_names.Values.Single()}'")} in the "
                + $"training rows, so there is nothing to learn.");
        foreach ((string key, SortedSet<string> spellings) in _spellings.Where(one => one.Value.Count > 1 && _names.ContainsKey(one.Key)))
            notes.Add(($"Label {title}: {string.Join(", ", spellings.Select(one => $"'{one}'"))} are one class, '{_names[key]}'.", false));
        foreach (string[] alike in _names.Values.GroupBy(name => name, StringComparer.OrdinalIgnoreCase).Select(group => group.ToArray())
            .Where(group => group.Length > 1))
            notes.Add(($"Label {title}: {string.Join(", ", alike.Select(one => $"'{one}'"))} are different classes, though they differ in "
                + "capitals alone.", true));
        string[] classes = [.. CsvProfile.Sorted([.. _names.Values])];
        if (task == PredictionTask.Binary && s_positive.Contains(KeyOf(classes[0])) && !s_positive.Contains(KeyOf(classes[1])))
            Array.Reverse(classes);
        Classes = classes;
        _classes = classes.Index().ToDictionary(c => KeyOf(c.Item), c => (uint)c.Index);
        return notes;
    }

    private InvalidDataException TooMany(in CsvRow row) => row.Error(index, task == PredictionTask.Binary
        ? $"a third value of a binary label, after {string.Join(" and ", _names.Values.Take(2).Select(name => $"'{name}'"))}; --task "
            + $"multiclass takes more"
        : $"class number {MostClasses + 1} of at most {MostClasses}; --task regression predicts numbers");

    /// <summary>One for all spellings of a class: true and TRUE, 1 and 1.0. Other names stay as different as they are.</summary>
    private static string KeyOf(string field)
    {
        if (s_positive.Contains(field) || s_negative.Contains(field))
            return field.ToLowerInvariant();
        // By its digits: as numbers, long ones would fall together, and 007 is not 7.
        Match number = Whole().Match(field);
        if (!number.Success)
            return field;
        string decimals = number.Groups["decimals"].Value.TrimEnd('0'), whole = number.Groups["whole"].Value;
        string sign = number.Groups["sign"].Value == "-" && (whole + decimals).Trim('0').Length > 0 ? "-" : "";
        return decimals.Length > 0 ? $"{sign}{whole}.{decimals}" : sign + whole;
    }

    [GeneratedRegex(@"^(?<sign>[+-]?)(?<whole>\d+)(\.(?<decimals>\d*))?$")]
    private static partial Regex Whole();
}
