using System.Globalization;
using Microsoft.ML.ForwardSampling.Tool.Files;

namespace Microsoft.ML.ForwardSampling.Tool.Compare;

/// <summary>The user's file as a data set: read twice, once to learn what its columns hold, once to featurise; only the features stay in
/// memory.</summary>
internal static class CsvData
{
    private const int RowsShown = 4000, ColumnsShown = 8, RowsForLeaks = 20_000;

    /// <summary>Reads, splits and featurises.</summary>
    /// <param name="path">The file, or - for standard input.</param>
    /// <param name="options">How it is read.</param>
    /// <param name="cancellation">Stops it.</param>
    /// <param name="show">Is shown what the first reading says.</param>
    /// <exception cref="FileNotFoundException">A file is missing.</exception>
    /// <exception cref="InvalidDataException">A file or an option is wrong; the message names line and column.</exception>
    public static TabularData Load(string path, CsvOptions options, CancellationToken cancellation = default,
        Action<CsvReading>? show = null)
    {
        using InputFile input = InputFile.Open("--data", path, cancellation,
            orElse: $", or one of {string.Join(", ", BuiltInData.All.Keys)}");
        using InputFile? testInput = options.TestFile is null ? null : InputFile.Open("--test", options.TestFile, cancellation);
        return Load(input, testInput, options, cancellation, show);
    }

    /// <summary>What a profile says of columns that give the label away.</summary>
    /// <param name="input">The file.</param>
    /// <param name="options">How it is read: a label, and a task that suits it.</param>
    /// <param name="cancellation">Stops it.</param>
    /// <returns>Nothing where the file gives too few rows to tell.</returns>
    public static IReadOnlyList<string> Leaks(InputFile input, CsvOptions options, CancellationToken cancellation)
    {
        try
        {
            return Load(input, null, options with { Rows = Math.Min(options.Rows ?? RowsForLeaks, RowsForLeaks), IsStrict = false },
                cancellation, null).Leaks;
        }
        catch (InvalidDataException)
        {
            return [];      // what is wrong with the file the profile has said, or a comparison will
        }
    }

    private static TabularData Load(InputFile input, InputFile? testInput, CsvOptions options, CancellationToken cancellation,
        Action<CsvReading>? show)
    {
        var file = new CsvFile(input, options);
        var missing = new MissingWords(options.Missing);

        // 1. What the training rows say about each column.
        var reading = CsvReading.Of(file, options, row => IsTest(row, options), missing, cancellation);
        show?.Invoke(reading);
        reading.ThrowProblem();
        CsvLabel labels = reading.Label!;
        List<string> notes = [.. reading.Notes], doubts = [.. reading.Doubts];
        IReadOnlyList<CsvFeature> features = reading.Features;
        if (features.Count == 0)
            throw new InvalidDataException($"{input.Name} has no column to learn from: {string.Join(' ', notes)}");
        int size = features.Sum(feature => feature.Size);
        CheckMemory(input.Name, reading.Rows.All, size, options);

        // 2. Featurise.
        List<TabularRow> training = [], test = [];
        int[] shown = [.. features.Select(feature => feature.Index).Distinct().Take(ColumnsShown)];
        long read = 0, unusable = 0;
        foreach (CsvRow row in file.ReadRows(file.Names))
            unusable += Add(row, IsTest(read++, options) ? test : training);
        if (testInput is not null)
        {
            var testFile = new CsvFile(testInput, options);
            foreach (CsvRow row in testFile.ReadRows(file.Names))
                unusable += Add(row, test);
            foreach (string note in testFile.Notes)
                Doubt($"{testInput.ShortName}: {note}");
        }

        if (test.Count == 0 || training.Count < 20)
            throw new InvalidDataException(
                $"{input.Name} gives {training.Count} training and {test.Count} test rows: at least 20 and 1 are needed.");
        if (options.Task == PredictionTask.Binary && test.All(row => row.Flag == test[0].Flag))
            throw new InvalidDataException(
                $"{options.TestFile ?? input.Name}: all {test.Count} test rows are '{labels.Classes[test[0].ClassIndex]}', so nothing can "
                + $"be compared on them.");
        if (unusable > 0)
            Doubt($"{unusable} rows are left out: their label is missing, or a class that no training row has.");
        if (labels.Unknown.Count > 0)
            Doubt($"No training row is {List(labels.Unknown.Select(one => $"'{one.Key}' ({one.Value} test rows)"))}.");
        int[] untested = [.. Enumerable.Range(0, labels.Classes.Count).Except(test.Select(row => row.ClassIndex))];
        if (untested.Length > 0)
            Doubt($"No test row is {List(untested.Select(i => $"'{labels.Classes[i]}'"))}: no figure tells how well it is predicted.");
        long unknown = features.Sum(feature => feature.Unknown);
        if (unknown > 0)
            notes.Add($"{unknown} texts of test rows are in no training row: their features are all zero.");
        var data = new TabularData
        {
            Name = input.ShortName,
            Task = options.Task,
            Training = training,
            Test = test,
            Classes = labels.Classes,
            LabelScale = labels.Scale,
            CellNames = Array.ConvertAll(shown, column => file.Columns.Titles[column]),
        };
        string[] leaks = [.. Leaks(data, features, file.Columns)];
        foreach (string note in leaks)
            Doubt(note);
        if (options.IsStrict)
            CsvReading.ThrowDoubts(input.Name, doubts);
        if (options.Task == PredictionTask.Binary)
            notes.Add($"'{labels.Classes[1]}' is the positive class, '{labels.Classes[0]}' the negative one.");
        return data with { Notes = notes, Leaks = leaks };

        void Doubt(string note)
        {
            notes.Add(note);
            doubts.Add(note);
        }

        int Add(in CsvRow row, List<TabularRow> rows)
        {
            CsvRow cells = row;
            var target = new TabularRow();
            if (!labels.TrySet(row, target))
                return 1;
            target.Features = new float[size];
            int at = 0;
            foreach (CsvFeature feature in features)
            {
                feature.Write(row, target.Features.AsSpan(at, feature.Size));
                at += feature.Size;
            }

            // Enough to show some of each tenth of a chunk's losses, and few enough to keep as text.
            if (rows == training && rows.Count < RowsShown)
                target.Cells = Array.ConvertAll(shown, column => CsvFile.Short(cells[column]));
            rows.Add(target);
            return 0;
        }
    }

    private static string List(IEnumerable<string> names)
    {
        string[] all = [.. names];
        return all.Length <= 5 ? string.Join(", ", all) : $"{string.Join(", ", all[..5])} and {all.Length - 5} more";
    }

    private static IEnumerable<string> Leaks(TabularData data, IReadOnlyList<CsvFeature> features, CsvColumns columns)
    {
        List<(int, int, int)> slices = [];
        int at = 0;
        foreach (CsvFeature feature in features)
        {
            slices.Add((feature.Index, at, feature.Size));
            at += feature.Size;
        }

        return LeakCheck.Find(data, slices)
            .Select(leak => LeakCheck.Note(columns.Titles[leak.Index], columns.Quoted(leak.Index), leak.Share, data.Task));
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
    private static void CheckMemory(string path, long rows, int features, CsvOptions options)
    {
        double bytesARow = (4.0 * features) + 96, needed = rows * bytesARow,
            limit = options.MemoryLimit ?? (0.7 * GC.GetGCMemoryInfo().TotalAvailableMemoryBytes);
        if (needed > limit)
            throw new InvalidDataException(
                string.Create(CultureInfo.InvariantCulture,
                    $"{path}: {rows:N0} rows of {features:N0} features need {needed / (1 << 30):0.000} GiB of memory, and the limit is "
                + $"{limit / (1 << 30):0.000} GiB, 70 % of what is there. Take a sample with --rows {Math.Floor(limit / bytesARow):0}, or "
                + $"fewer columns with --features or --ignore."));
    }
}
