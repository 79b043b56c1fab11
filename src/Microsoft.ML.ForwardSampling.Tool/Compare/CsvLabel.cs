namespace Microsoft.ML.ForwardSampling.Tool.Compare;

/// <summary>How the label column becomes a label; everything it knows comes from training rows.</summary>
internal sealed class CsvLabel
{
    private const int MostClasses = 1000;

    private static readonly HashSet<string> Positive = new(["1", "true", "yes", "y", "t", "positive", "pos"],
        StringComparer.OrdinalIgnoreCase);

    private readonly int _index;
    private readonly PredictionTask _task;
    private readonly HashSet<string> _names = [];
    private Dictionary<string, uint> _classes = [];
    private double _mean;
    private double _squares;
    private long _count;

    public CsvLabel(int index, PredictionTask task) => (_index, _task) = (index, task);

    /// <summary>Names of the classes, in order; empty for a regression.</summary>
    public IReadOnlyList<string> Classes { get; private set; } = [];

    /// <summary>Standard deviation of a regression's label; 1 for classes.</summary>
    public double Scale { get; private set; } = 1;

    /// <summary>Adds a training row.</summary>
    /// <returns>False where the label is missing: the row cannot be used.</returns>
    /// <exception cref="InvalidDataException">A regression's label is not a number, or there are too many classes; the message names the
    /// line.</exception>
    public bool Add(in CsvRow row)
    {
        string field = row[_index];
        if (CsvFile.IsMissing(field))
            return false;
        if (_task == PredictionTask.Regression)
        {
            double value = NumberOf(row, field);
            _count++;
            double delta = value - _mean;
            _mean += delta / _count;
            _squares += delta * (value - _mean);
        }
        else if (_names.Add(field) && _names.Count > (_task == PredictionTask.Binary ? 2 : MostClasses))
        {
            throw row.Error(_index, _task == PredictionTask.Binary
                ? $"a third value of a binary label, after {string.Join(" and ", _names.Take(2).Select(name => $"'{name}'"))}; --task "
                    + $"multiclass takes more"
                : $"class number {MostClasses + 1} of at most {MostClasses}; --task regression predicts numbers");
        }

        return true;
    }

    /// <summary>Ends the training rows.</summary>
    /// <exception cref="InvalidDataException">The label is the same in every row.</exception>
    public void Finish(string path, string name)
    {
        if (_task == PredictionTask.Regression)
        {
            Scale = Math.Sqrt(_squares / Math.Max(1, _count));
            if (!(Scale > 0))
                throw new InvalidDataException(
                    $"{path}: label column '{name}' has the same value in all of its {_count} training rows, so there is nothing to "
                    + $"learn.");
            return;
        }

        if (_names.Count < 2)
            throw new InvalidDataException(
                $"{path}: label column '{name}' has {(_names.Count == 0 ? "no value" : $"only '{_names.Single()}'")} in the training "
                + $"rows, so there is nothing to learn.");
        string[] classes = [.. CsvProfile.Sorted(_names)];
        if (_task == PredictionTask.Binary && Positive.Contains(classes[0]) && !Positive.Contains(classes[1]))
            Array.Reverse(classes);
        Classes = classes;
        _classes = classes.Index().ToDictionary(c => c.Item, c => (uint)c.Index);
    }

    /// <summary>Sets a row's label.</summary>
    /// <returns>False where it is missing, or a class that no training row has: the row cannot be used.</returns>
    /// <exception cref="InvalidDataException">A regression's label is not a number, or too far from the others; the message names the
    /// line.</exception>
    public bool TrySet(in CsvRow row, TabularRow target)
    {
        string field = row[_index];
        if (CsvFile.IsMissing(field))
            return false;
        if (_task == PredictionTask.Regression)
        {
            target.Number = (float)((NumberOf(row, field) - _mean) / Scale);
            return float.IsFinite(target.Number) ? true : throw row.Error(_index, CsvFile.TooFar);
        }

        if (!_classes.TryGetValue(field, out uint known))
            return false;
        if (_task == PredictionTask.Binary)
            target.Flag = known == 1;
        else
            target.Class = known;
        return true;
    }

    private double NumberOf(in CsvRow row, string field)
        => CsvFile.Number(field) ?? throw row.Error(_index, CsvFile.HasDecimalComma(field) ? CsvFile.DecimalComma
            : "the label of a regression must be a number (of at most 3.4e38); --task multiclass predicts names");
}
