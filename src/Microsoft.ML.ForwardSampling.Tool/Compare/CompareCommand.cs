using System.CommandLine;
using System.Globalization;
using Microsoft.ML.ForwardSampling.Tool.Arguments;
using Microsoft.ML.ForwardSampling.Tool.Files;
using Microsoft.ML.ForwardSampling.Tool.Pages;

namespace Microsoft.ML.ForwardSampling.Tool.Compare;

/// <summary>The command line of the comparison.</summary>
internal static class CompareCommand
{
    private const int MostUnits = 65_536;

    private static readonly CompareOptions Defaults = new();
    private static readonly CsvOptions CsvDefaults = new();

    /// <summary>The command.</summary>
    /// <param name="run">What to do with the options.</param>
    /// <param name="write">What to do with tables of results files.</param>
    public static System.CommandLine.Command Create(
        Func<CompareOptions, CancellationToken, Task<int>> run, Func<Action<TextWriter>, CancellationToken, Task<int>> write)
    {
        Option<string> data = TextOption.Path("--data",
            $"CSV file with column names in its first line (also .gz, a pipe, or - for standard input), or one of "
            + $"{string.Join(", ", BuiltInData.All.Keys)} (default {Defaults.Data}).");
        var csv = new CsvArguments();
        Option<PredictionTask?> task = OneOf<PredictionTask>("--task", "What is predicted from the file:");
        Option<double?> testShare = NumberOption.Create("--test-share",
            $"Share of the file's rows to test on (default {CsvDefaults.TestShare}).", 0.001, 0.9);
        Option<string> testFile = TextOption.Path("--test", "File with the rows to test on, instead of a share.");
        Option<string> rareClass = new("--rare-class")
        {
            Description = "Class to thin out in the training rows; its recall is told.",
            HelpName = "CLASS"
        };
        Option<double?> rareShare = NumberOption.Create("--rare-share", $"Its share of the training rows (default {Defaults.RareShare}).",
            0.0001, 0.5);
        Option<int?> recordAge = NumberOption.Create("--record-age",
            $"Refreshes of the deployed network between recording and training; 0: recorded at selection, at the price of a forward pass "
            + $"(default {Defaults.RecordAge}).", 0, 1000);
        Option<CompareOrder?> order = OneOf<CompareOrder>("--order",
            "In what order rows arrive, another at each pass by default; given: the data's own, for rows that are sorted by time:");
        Option<string[]> hidden = TextOption.Words("--hidden",
            "Units of each hidden layer (default 256,128 for fashion-mnist, else 64,64); \"\": none, a linear model.",
            units => UnitsOf(units) is >= 1 and <= MostUnits, $"numbers between 1 and {MostUnits}");
        Option<double?> learningRate = NumberOption.Create("--learning-rate",
            "Adam's step size at the start (default 0.003; of the built-in data sets fashion-mnist has 0.002, the others 0.01). Give the "
            + "one that suits Uniform best: with a lower one, policies that take larger steps win for that alone.", 1e-6, 1.0);
        Option<CompareSchedule?> schedule = OneOf<CompareSchedule>("--schedule",
            "How it changes over each run's own backward rows, to 0 by default:");
        Option<CompareLoss?> loss = OneOf<CompareLoss>("--loss", "What a regression minimises, squared by default:");
        Option<string[]> table = TextOption.Paths("--table", "Only writes the tables of these results files, in Markdown.");
        Option<string[]> across = TextOption.Paths("--across",
            "Only writes one table of these results files side by side, in Markdown: the first figure, with what differs from Uniform "
            + "marked.");

        var command = new System.CommandLine.Command("compare",
            "Does it pay on your data? Every policy against an even draw, early-stopped and full training, with intervals, tests, page "
            + "and JSON.")
        {
            data, task,
        };
        var arguments = new CompareArguments(Defaults);
        foreach (Option option in (Option[])[.. csv.All, testShare, testFile, .. arguments.All, rareClass, rareShare, recordAge, order,
            hidden, learningRate, schedule, loss, table, across])
            command.Add(option);
        Option[] ofFiles = [task, .. csv.All, testShare, testFile];
        command.Validators.Add(result =>
        {
            string name = result.GetResult(data)?.Tokens.FirstOrDefault()?.Value ?? Defaults.Data;
            if (!TextOption.IsPath(name))
                return; // the option's own check says so
            Option[] given = [.. ofFiles.Where(option => result.GetResult(option) is { Implicit: false })];
            if (BuiltInData.All.ContainsKey(name))
            {
                if (given.Length > 0)
                    result.AddError($"{given[0].Name} is for a file of yours, and --data is {name}.");
            }
            else if (name == InputFile.StandardInput && result.GetValue(testFile) == name)
            {
                result.AddError("--data and --test are both -, and standard input can be read once.");
            }
            else if (!given.Contains(csv.Label) || !given.Contains(task))
            {
                result.AddError($"--data {name} needs --label, the column to predict, and --task regression, binary or multiclass. "
                    + $"Built-in data sets are {string.Join(", ", BuiltInData.All.Keys)}.");
            }
        });
        command.SetAction((parsed, cancellation) =>
        {
            string name = parsed.GetValue(data) ?? Defaults.Data;
            if (parsed.GetValue(table) is { Length: > 0 } files)
                return write(output => WriteTables(output, files), cancellation);
            if (parsed.GetValue(across) is { Length: > 0 } columns)
                return write(output => CompareConsole.WriteAcross(output,
                    [.. columns.Select(file => (Path.GetFileNameWithoutExtension(file), CompareResults.FromFile(file)))]), cancellation);
            CompareOptions options = arguments.Read(parsed, Defaults) with
            {
                Data = name,
                Csv = BuiltInData.All.ContainsKey(name) ? null : csv.Read(parsed) with
                {
                    Task = parsed.GetValue(task)!.Value,
                    TestShare = parsed.GetValue(testShare) ?? CsvDefaults.TestShare,
                    TestFile = parsed.GetValue(testFile),
                },
                RareClass = parsed.GetValue(rareClass),
                RareShare = parsed.GetValue(rareShare) ?? Defaults.RareShare,
                RecordAge = parsed.GetValue(recordAge) ?? Defaults.RecordAge,
                Order = parsed.GetValue(order) ?? Defaults.Order,
                HiddenLayers = parsed.GetResult(hidden) is null ? null
                    : [.. NameList.Split(parsed.GetValue(hidden)).Select(units => UnitsOf(units)!.Value)],
                LearningRate = parsed.GetValue(learningRate),
                Schedule = parsed.GetValue(schedule) ?? Defaults.Schedule,
                Loss = parsed.GetValue(loss) ?? Defaults.Loss,
            };
            return run(options, cancellation);
        });
        return command;
    }

    /// <summary>Writes the tables of results files, each under its name.</summary>
    /// <exception cref="InvalidDataException">A file is not of this program.</exception>
    private static void WriteTables(TextWriter output, IReadOnlyList<string> files)
    {
        foreach (string file in files)
        {
            var results = CompareResults.FromFile(file);
            output.WriteLine($"### {ShownText.Markdown(Path.GetFileNameWithoutExtension(file))}");
            output.WriteLine();
            output.WriteLine(ShownText.Markdown(results.Protocol()));
            output.WriteLine();
            CompareConsole.WriteMarkdown(output, results);
        }
    }

    private static Option<T?> OneOf<T>(string name, string description)
        where T : struct, Enum
    {
        string[] names = [.. Enum.GetNames<T>().Select(value => value.ToLowerInvariant())];
        return new Option<T?>(name)
        {
            Description = $"{description} {string.Join(", ", names)}.",
            HelpName = "NAME",
            CustomParser = result =>
            {
                string text = result.Tokens[0].Value;
                if (names.Contains(text))
                    return Enum.Parse<T>(text, ignoreCase: true);
                result.AddError($"{name} must be one of {string.Join(", ", names)}. Got '{text}'.");
                return null;
            },
        };
    }

    private static int? UnitsOf(string text)
        => int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out int units) ? units : null;
}
