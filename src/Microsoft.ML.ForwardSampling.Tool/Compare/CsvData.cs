using System.Globalization;
using Microsoft.ML.ForwardSampling.Tool.Files;

namespace Microsoft.ML.ForwardSampling.Tool.Compare;

/// <summary>The user's file as a data set: read twice, once to learn what its columns hold, once to featurise; only the features stay in
/// memory.</summary>
internal static class CsvData
{
    /// <summary>Reads, splits and featurises.</summary>
    /// <exception cref="FileNotFoundException">A file is missing.</exception>
    /// <exception cref="InvalidDataException">A file or an option is wrong; the message names line and column.</exception>
    public static TabularData Load(string path, CsvOptions options, CancellationToken cancellation = default)
    {
        using InputFile input = InputFile.Open("--data", path, cancellation,
            orElse: $", or one of {string.Join(", ", BuiltInData.All.Keys)}");
        using InputFile? testInput = options.TestFile is null ? null : InputFile.Open("--test", options.TestFile, cancellation);
        path = input.Name;
        var file = new CsvFile(input, options.Separator);
        string[] names = file.ReadHeader();
        var columns = new CsvColumns(path, names);
        int label = columns.Find("--label", options.Label);
        HashSet<int> ignored = [.. columns.FindAll("--ignore", options.Ignore)],
            categories = [.. columns.FindAll("--categories", options.Categories)];
        IReadOnlyList<int> chosen = columns.FindAll("--features", options.Features);
        List<string> notes = [];
        int[] used = [.. (chosen.Count > 0 ? chosen : Enumerable.Range(0, columns.Count).Where(i => !LeaveOutNameless(i)))
            .Where(i => i != label && !ignored.Contains(i))];
        if (used.Length == 0)
            throw new InvalidDataException($"{path} has no column to learn from besides the label '{options.Label}'.");

        // 1. What the training rows say about each column.
        CsvProfile[] profiles = [.. used.Select(i => new CsvProfile(i, columns.Titles[i], categories.Contains(i)))];
        var labels = new CsvLabel(label, options.Task);
        long rows = 0;
        foreach (CsvRow row in file.ReadRows(names))
        {
            if (IsTest(rows++, options))
                continue;
            if (!labels.Add(row))
                continue;
            foreach (CsvProfile profile in profiles)
                profile.Add(row);
        }

        if (rows == 0)
            throw new InvalidDataException($"{path} has no row below its column names.");
        labels.Finish(path, options.Label);

        List<CsvFeature> features = [];
        foreach (CsvProfile profile in profiles)
        {
            if (profile.ToFeature(out string? note) is { } feature)
                features.Add(feature);
            if (note is not null)
                notes.Add(note);
        }

        if (features.Count == 0)
            throw new InvalidDataException($"{path} has no column to learn from: {string.Join(' ', notes)}");
        CheckMemory(path, rows, features.Sum(feature => feature.Size));

        // 2. Featurise.
        List<TabularRow> training = [], test = [];
        long read = 0, unusable = 0;
        foreach (CsvRow row in file.ReadRows(names))
            unusable += Add(row, IsTest(read++, options) ? test : training);
        if (testInput is not null)
        {
            foreach (CsvRow row in new CsvFile(testInput, options.Separator).ReadRows(names))
                unusable += Add(row, test);
        }

        if (test.Count == 0 || training.Count < 20)
            throw new InvalidDataException(
                $"{path} gives {training.Count} training and {test.Count} test rows: at least 20 and 1 are needed.");
        if (options.Task == PredictionTask.Binary && test.All(row => row.Flag == test[0].Flag))
            throw new InvalidDataException(
                $"{options.TestFile ?? path}: all {test.Count} test rows are '{labels.Classes[test[0].ClassIndex]}', so nothing can be "
                + $"compared on them.");
        if (unusable > 0)
            notes.Add($"{unusable} rows are left out: their label is missing, or a class that no training row has.");
        long unknown = features.Sum(feature => feature.Unknown);
        if (unknown > 0)
            notes.Add($"{unknown} texts of test rows are in no training row: their features are all zero.");
        if (options.Task == PredictionTask.Binary)
            notes.Add($"'{labels.Classes[1]}' is the positive class, '{labels.Classes[0]}' the negative one.");
        return new TabularData
        {
            Name = input.ShortName,
            Task = options.Task,
            Training = training,
            Test = test,
            Classes = labels.Classes,
            LabelScale = labels.Scale,
            Notes = notes,
        };

        int Add(in CsvRow row, List<TabularRow> rows)
        {
            var target = new TabularRow();
            if (!labels.TrySet(row, target))
                return 1;
            target.Features = new float[features.Sum(feature => feature.Size)];
            int at = 0;
            foreach (CsvFeature feature in features)
            {
                feature.Write(row, target.Features.AsSpan(at, feature.Size));
                at += feature.Size;
            }

            rows.Add(target);
            return 0;
        }

        // pandas and R write the row's number into a column without a name.
        bool LeaveOutNameless(int column)
        {
            if (columns.IsNamed(column) || ignored.Contains(column) || column == label)
                return false;
            notes.Add($"Column {columns.Titles[column]} is left out: it has no name (--features {columns.Quoted(column)} takes it).");
            return true;
        }
    }

    /// <summary>Whether a row is tested on: by its number alone, so that both readings and every run agree.</summary>
    private static bool IsTest(long row, CsvOptions options)
    {
        if (options.TestFile is not null)
            return false;

        // splitmix64: consecutive numbers become independent ones.
        ulong z = (ulong)(row + 1) * 0x9E3779B97F4A7C15;
        z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9;
        z = (z ^ (z >> 27)) * 0x94D049BB133111EB;
        return ((z ^ (z >> 31)) >> 11) / (double)(1L << 53) < options.TestShare;
    }

    /// <summary>Rows come in random order many times, so their features must fit in memory.</summary>
    private static void CheckMemory(string path, long rows, int features)
    {
        double needed = rows * (4.0 * features + 96), available = GC.GetGCMemoryInfo().TotalAvailableMemoryBytes;
        if (needed > 0.7 * available)
            throw new InvalidDataException(
                string.Create(CultureInfo.InvariantCulture,
                    $"{path}: {rows:N0} rows of {features:N0} features need {needed / (1 << 30):0.0} GiB, and "
                + $"{available / (1 << 30):0.0} GiB are there. Give a part of the rows, or fewer columns with --features or --ignore."));
    }
}
