using System.Globalization;

namespace Microsoft.ML.ForwardSampling.Tool.Compare;

/// <summary>What a first reading says about a file: every column, and what becomes of it.</summary>
internal sealed class CsvReading
{
    private readonly List<(string Note, bool IsDoubt)> _notes = [];

    private CsvReading(CsvFile file) => File = file;

    /// <summary>The file.</summary>
    public CsvFile File { get; }

    /// <summary>Rows that were read, and all rows.</summary>
    public (long Read, long All) Rows { get; private set; }

    /// <summary>The label; null where none is asked for.</summary>
    public CsvLabel? Label { get; private set; }

    /// <summary>The place of the label, or -1.</summary>
    public int LabelIndex { get; private set; } = -1;

    /// <summary>Every column in the order of the file, with what it is taken for.</summary>
    public IReadOnlyList<(int Index, CsvVerdict Verdict)> Columns { get; private set; } = [];

    /// <summary>What the user should know.</summary>
    public IEnumerable<string> Notes => _notes.Select(note => note.Note);

    /// <summary>What could be meant otherwise.</summary>
    public IEnumerable<string> Doubts => _notes.Where(note => note.IsDoubt).Select(note => note.Note);

    /// <summary>Columns that become features.</summary>
    public IReadOnlyList<CsvFeature> Features => [.. Columns.Select(column => column.Verdict.Feature).OfType<CsvFeature>()];

    /// <summary>Reads a file once.</summary>
    /// <param name="file">The file.</param>
    /// <param name="options">How.</param>
    /// <param name="isTest">Which rows are not looked at.</param>
    /// <param name="missing">What stands where there is no value.</param>
    /// <param name="cancellation">Stops it.</param>
    /// <exception cref="InvalidDataException">The file or an option is wrong; a column's own problem is in its verdict.</exception>
    public static CsvReading Of(CsvFile file, CsvOptions options, Func<long, bool> isTest, MissingWords missing,
        CancellationToken cancellation)
    {
        CsvColumns columns = file.Columns;
        var reading = new CsvReading(file);
        int label = reading.LabelIndex = options.Label is null ? -1 : columns.Find("--label", options.Label);
        HashSet<int> ignored = [.. columns.FindAll("--ignore", options.Ignore)],
            categories = [.. columns.FindAll("--categories", options.Categories)],
            numbers = [.. columns.FindAll("--numbers", options.Numbers)],
            chosen = [.. columns.FindAll("--features", options.Features)];
        if (categories.Intersect(numbers).Any())
            throw new InvalidDataException(
                $"--categories and --numbers both name {columns.Quoted(categories.Intersect(numbers).First())}.");
        CsvProfile?[] profiles = [.. Enumerable.Range(0, columns.Count).Select(i => i == label || Why(i) is not null ? null
            : new CsvProfile(i, columns, categories.Contains(i), numbers.Contains(i), missing))];
        CsvLabel? target = reading.Label = label < 0 ? null : new CsvLabel(label, columns, options.Task, missing);
        CsvProfile[] used = [.. profiles.OfType<CsvProfile>()];
        if (used.Length == 0)
            throw new InvalidDataException(label < 0 ? $"{file.Path}: every column is left out."
                : $"{file.Path} has no column to learn from besides the label '{columns.Titles[label]}'.");

        long rows = 0, read = 0;
        foreach (CsvRow row in file.ReadRows(file.Names))
        {
            cancellation.ThrowIfCancellationRequested();
            if (isTest(rows++) || target?.Add(row) == false)
                continue;
            read++;
            foreach (CsvProfile profile in used)
                profile.Add(row);
        }

        if (rows == 0)
            throw new InvalidDataException($"{file.Path} has no row below its column names.");
        reading.Rows = (read, rows);
        reading._notes.AddRange(file.Notes.Select(note => (note, true)));

        // A file is written in one place: where a column's numbers leave it open, the others decide.
        char?[] evidence = [.. used.Select(profile => profile.Evidence).Append(target?.Evidence).Where(one => one is not null).Distinct()];
        char? elsewhere = evidence.Length == 1 ? evidence[0] : null;
        CsvVerdict[] verdicts = [.. profiles.Select((profile, i) => profile?.Judge(options.Decimal, elsewhere, file.Separator)
            ?? new CsvVerdict { Kind = i == label ? "the label" : Why(i)!, Becomes = i == label ? "the label" : "left out" })];
        if (verdicts.All(verdict => verdict.Feature is null && verdict.Problem is null))
        {
            // Better than nothing: a column that counts may be all there is.
            for (int i = 0; i < verdicts.Length; i++)
            {
                if (verdicts[i].Spare is { } spare)
                    verdicts[i] = verdicts[i] with
                    {
                        Becomes = "1 feature",
                        Feature = spare,
                        Notes = [$"Column {columns.Titles[i]} counts the rows; it is kept because no other column is left."],
                    };
            }
        }

        for (int i = 0; i < verdicts.Length; i++)
        {
            if (profiles[i] is null && i != label && !columns.IsNamed(i) && !ignored.Contains(i) && chosen.Count == 0)
                verdicts[i] = verdicts[i] with
                {
                    Otherwise = $"--features {columns.Quoted(i)}",
                    Notes = [$"Column {columns.Titles[i]} is left out: it has no name (--features {columns.Quoted(i)} takes it)."],
                    IsDoubt = true,
                };
            reading._notes.AddRange(verdicts[i].Notes.Select(note => (note, verdicts[i].IsDoubt)));
        }

        reading.Columns = [.. verdicts.Select((verdict, i) => (i, verdict))];
        if (target is not null)
            reading._notes.AddRange(target.Finish(file.Path, options.Decimal, elsewhere, file.Separator));
        return reading;

        string? Why(int column) => ignored.Contains(column) ? "--ignore"
            : chosen.Count > 0 && !chosen.Contains(column) ? "not in --features"
            : chosen.Count == 0 && !columns.IsNamed(column) && !numbers.Contains(column) && !categories.Contains(column)
                ? "without a name" : null;
    }

    /// <summary>Stops where a column cannot be used.</summary>
    /// <exception cref="InvalidDataException">One cannot; the message names its line.</exception>
    public void ThrowProblem()
    {
        foreach ((_, CsvVerdict verdict) in Columns)
        {
            if (verdict.Problem is { } problem)
                throw new InvalidDataException($"{File.Path}, {problem.Message}");
        }
    }

    /// <summary>Stops where anything could be meant otherwise.</summary>
    /// <exception cref="InvalidDataException">--strict, and something could.</exception>
    public static void ThrowDoubts(string path, IReadOnlyCollection<string> doubts)
    {
        if (doubts.Count > 0)
            throw new InvalidDataException(string.Create(CultureInfo.InvariantCulture,
                $"{path}: --strict stops at {doubts.Count} {(doubts.Count == 1 ? "doubt" : "doubts")}. {string.Join(' ', doubts)}"));
    }
}
