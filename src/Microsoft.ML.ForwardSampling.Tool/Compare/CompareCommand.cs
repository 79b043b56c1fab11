using System.CommandLine;
using System.CommandLine.Parsing;
using Microsoft.ML.ForwardSampling.Networks;

namespace Microsoft.ML.ForwardSampling.Tool.Compare;

/// <summary>The command line of the comparison.</summary>
internal static class CompareCommand
{
    private static readonly CompareOptions Defaults = new();
    private static readonly CsvOptions CsvDefaults = new() { Label = "y", Task = PredictionTask.Regression };

    /// <summary>The command.</summary>
    /// <param name="run">What to do with the options.</param>
    /// <param name="write">What to do with tables of results files.</param>
    public static System.CommandLine.Command Create(
        Func<CompareOptions, CancellationToken, Task<int>> run, Func<Action<TextWriter>, CancellationToken, Task<int>> write)
    {
        Option<string> data = new("--data")
        {
            Description = $"CSV file with column names in its first line (also .gz), or one of "
            + $"{string.Join(", ", BuiltInData.All.Keys)} (default {Defaults.Data}).",
            HelpName = "FILE"
        };
        Option<string> label = new("--label") { Description = "Column of the file to predict.", HelpName = "COLUMN" };
        Option<PredictionTask?> task = OneOf<PredictionTask>("--task", "What is predicted from the file:");
        Option<string> features = new("--features")
        {
            Description = "Columns to learn from (default all but the label).",
            HelpName = "LIST"
        };
        Option<string> ignore = new("--ignore") { Description = "Columns to leave out.", HelpName = "LIST" };
        Option<string> categories = new("--categories")
        {
            Description = "Columns whose numbers are names, such as codes.",
            HelpName = "LIST"
        };
        Option<string> separator = new("--separator")
        { Description = "Between fields: one character, or tab (default: found in the first line).", HelpName = "CHARACTER" };
        Option<double?> testShare = NumberOption.Create("--test-share",
            $"Share of the file's rows to test on (default {CsvDefaults.TestShare}).", 0.001, 0.9);
        Option<string> testFile = new("--test") { Description = "File with the rows to test on, instead of a share.", HelpName = "FILE" };
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
        Option<string> hidden = new("--hidden")
        { Description = "Units of each hidden layer (default 256,128 for fashion-mnist, else 64,64).", HelpName = "LIST" };
        Option<double?> learningRate = NumberOption.Create("--learning-rate",
            "Adam's step size at the start (default 0.003; of the built-in data sets fashion-mnist has 0.002, the others 0.01). Give the "
            + "one that suits Uniform best: with a lower one, policies that take larger steps win for that alone.", 1e-6, 1.0);
        Option<CompareSchedule?> schedule = OneOf<CompareSchedule>("--schedule",
            "How it changes over each run's own backward rows, to 0 by default:");
        Option<CompareLoss?> loss = OneOf<CompareLoss>("--loss", "What a regression minimises, squared by default:");
        Option<string[]> table = new("--table")
        {
            Description = "Only writes the tables of these results files, in Markdown.",
            HelpName = "FILE",
            AllowMultipleArgumentsPerToken = true
        };
        Option<string[]> across = new("--across")
        {
            Description = "Only writes one table of these results files side by side, in Markdown: the first figure, with what differs "
            + "from Uniform marked.",
            HelpName = "FILE",
            AllowMultipleArgumentsPerToken = true
        };

        separator.Validators.Add(result =>
        {
            if (SeparatorOf(result.Tokens[0].Value) is null)
                result.AddError($"--separator must be one character, or tab. Got '{result.Tokens[0].Value}'.");
        });
        hidden.Validators.Add(result =>
        {
            if (CompareArguments.NamesIn(result.Tokens[0].Value)
                .Any(units => !int.TryParse(units, out int count) || count is < 1 or > 65_536))
                result.AddError($"--hidden must be a comma list of numbers between 1 and 65536. Got '{result.Tokens[0].Value}'.");
        });

        var command = new System.CommandLine.Command("compare",
            "Does it pay on your data? Every policy against an even draw, early-stopped and full training, with intervals, tests, page "
            + "and JSON.")
        {
            data, label, task, features, ignore, categories, separator, testShare, testFile,
        };
        var arguments = new CompareArguments(Defaults);
        foreach (Option option in (Option[])[.. arguments.All, rareClass, rareShare, recordAge, hidden, learningRate, schedule, loss,
            table, across])
            command.Add(option);
        Option[] ofFiles = [label, task, features, ignore, categories, separator, testShare, testFile];
        command.Validators.Add(result =>
        {
            string name = result.GetValue(data) ?? Defaults.Data;
            Option[] given = [.. ofFiles.Where(option => result.GetResult(option) is not null)];
            if (BuiltInData.All.ContainsKey(name))
            {
                if (given.Length > 0)
                    result.AddError($"{given[0].Name} is for a file of yours, and --data is {name}.");
            }
            else if (!given.Contains(label) || !given.Contains(task))
            {
                result.AddError($"--data {name} needs --label, the column to predict, and --task regression, binary or multiclass. "
                    + $"Built-in data sets are {string.Join(", ", BuiltInData.All.Keys)}.");
            }
        });
        command.SetAction((parsed, cancellation) =>
        {
            if (parsed.GetValue(table) is { Length: > 0 } files)
                return write(output => WriteTables(output, files), cancellation);
            if (parsed.GetValue(across) is { Length: > 0 } columns)
                return write(output => CompareConsole.WriteAcross(output,
                    [.. columns.Select(file => (Path.GetFileNameWithoutExtension(file), CompareResults.FromFile(file)))]), cancellation);
            string name = parsed.GetValue(data) ?? Defaults.Data;
            CompareOptions options = arguments.Read(parsed, Defaults) with
            {
                Data = name,
                Csv = BuiltInData.All.ContainsKey(name) ? null : new CsvOptions
                {
                    Label = parsed.GetValue(label)!,
                    Task = parsed.GetValue(task)!.Value,
                    Features = [.. CompareArguments.NamesIn(parsed.GetValue(features))],
                    Ignore = [.. CompareArguments.NamesIn(parsed.GetValue(ignore))],
                    Categories = [.. CompareArguments.NamesIn(parsed.GetValue(categories))],
                    Separator = SeparatorOf(parsed.GetValue(separator)),
                    TestShare = parsed.GetValue(testShare) ?? CsvDefaults.TestShare,
                    TestFile = parsed.GetValue(testFile),
                },
                RareClass = parsed.GetValue(rareClass),
                RareShare = parsed.GetValue(rareShare) ?? Defaults.RareShare,
                RecordAge = parsed.GetValue(recordAge) ?? Defaults.RecordAge,
                HiddenLayers = parsed.GetValue(hidden) is { } layers ? [.. CompareArguments.NamesIn(layers).Select(int.Parse)] : null,
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
            output.WriteLine($"### {Path.GetFileNameWithoutExtension(file)}");
            output.WriteLine();
            output.WriteLine(results.Protocol());
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

    private static char? SeparatorOf(string? text) => text switch
    {
        "tab" or "\\t" => '\t',
        { Length: 1 } => text[0],
        _ => null,
    };
}
