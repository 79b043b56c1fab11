using System.CommandLine;
using System.Globalization;
using Microsoft.ML.ForwardSampling.Networks;
using Microsoft.ML.ForwardSampling.Tool.Arguments;

namespace Microsoft.ML.ForwardSampling.Tool.Compare;

/// <summary>The options that a comparison takes whatever its data are, for compare and for its presets.</summary>
internal sealed class CompareArguments
{
    private const string EveryPolicy = "all";
    private const int MostBatchRows = 65_536;

    private static readonly string[] CompositionNames =
        [.. Enum.GetNames<BatchComposition>().Select(name => name.ToLowerInvariant())];

    private readonly Option<string[]> _policies;
    private readonly Option<double?> _budget;
    private readonly Option<int?> _seeds;
    private readonly Option<int?> _fullSeeds;
    private readonly Option<double?> _noise;
    private readonly Option<int?> _passes;
    private readonly Option<int?> _chunk;
    private readonly Option<int?> _window;
    private readonly Option<int?> _statisticBits;
    private readonly Option<int?> _validation;
    private readonly Option<string[]> _batch;
    private readonly Option<string[]> _batches;
    private readonly Option<bool> _tune;
    private readonly Option<string> _json;
    private readonly Option<string> _html;
    private readonly Option<string> _resume;

    /// <summary>Makes them.</summary>
    /// <param name="defaults">What holds where nothing is given.</param>
    /// <param name="quick">What holds with <c>--quick</c>; null: there is no such option.</param>
    public CompareArguments(CompareOptions defaults, CompareOptions? quick = null)
    {
        _policies = TextOption.Words("--policies",
            $"Comma list of {string.Join(", ", PolicyTable.Keys)}; or all (default {string.Join(',', defaults.Policies)}; uniform is "
            + "always there).",
            word => word == EveryPolicy || PolicyTable.Keys.Contains(word), $"{string.Join(", ", PolicyTable.Keys)}, or {EveryPolicy}");
        _budget = NumberOption.Create("--budget", $"Share of a window that gets a backward pass (default {defaults.Budget}).", 0.001, 1.0);
        _seeds = NumberOption.Create("--seeds", $"Repetitions (default {Default(options => $"{options.Seeds}")}).", 1, 1000);
        _fullSeeds = NumberOption.Create("--full-seeds",
            $"Repetitions of full training, 0 leaves it out (default "
            + $"{Default(options => options.FullSeeds < options.Seeds ? $"{options.FullSeeds}" : "as --seeds")}).", 0, 1000);
        _noise = NumberOption.Create("--noise",
            $"Share of training labels replaced by a random class, or by another row's number (default {defaults.Noise}).", 0.0, 1.0);
        _passes = NumberOption.Create("--passes",
            $"Times the stream brings every row (default "
            + $"{Default(options => options.Passes is { } passes ? $"{passes}" : "by the number of rows")}).", 1, 10_000);
        _chunk = NumberOption.Create("--chunk", "Rows between two deployments (default 2560; 640 below 25600 rows).", 1, 10_000_000);
        _window = NumberOption.Create("--window", "Rows that compete with each other (default 640).", 1, 10_000_000);
        _statisticBits = new("--statistic-bits")
        {
            Description = "Keeps recorded loss and gradient norm in 8, 12 or 16 bits each, rounded at random (default: as 32-bit floats; "
                + "not for regression).",
            HelpName = "N",
            CustomParser = result =>
            {
                if (result.Tokens[0].Value is "8" or "12" or "16")
                    return int.Parse(result.Tokens[0].Value);
                result.AddError($"--statistic-bits must be 8, 12 or 16. Got '{result.Tokens[0].Value}'.");
                return null;
            },
        };
        _validation = NumberOption.Create("--validation",
            "Training rows held out of the stream, for policies that learn from a validation loss (default 0: they are told the loss on "
            + "the rows that arrive).", 0, 10_000_000);
        _batch = TextOption.Words("--batch",
            $"Rows of a step (default {defaults.Batch[0]}). A list: the first is the usual one, Uniform's and full training's, and "
            + "policies are trained at the others too.",
            rows => RowsOf(rows) is >= 1 and <= MostBatchRows, $"numbers between 1 and {MostBatchRows}");
        _batches = TextOption.Words("--batches",
            $"How rows are put into batches: a list of {string.Join(", ", CompositionNames)} (default {CompositionNames[0]}, which is "
            + "always there; with one --batch or none, Uniform and the default policy are also shown as the trainer does by itself with "
            + "selected rows: batches of 16, stratified). Stratified: a row of each stratum of label and recorded loss, or residual, in "
            + "each batch.",
            CompositionNames.Contains, string.Join(", ", CompositionNames));
        _tune = new("--tune")
        {
            Description = "Shows each training also at its own best of a grid (batch, step size, shuffled or stratified), chosen on "
                + "training rows that are held out (--validation, else a tenth, at most 5000).",
        };
        _json = TextOption.Path("--json", $"Writes all figures to this file (default {defaults.Json}, or the file of --resume).");
        _html = TextOption.Path("--html", $"Writes the page with the plots to this file (default {defaults.Html}, or beside --json).");
        _resume = TextOption.Path("--resume",
            "Results file to go on from: what is finished in it is not run again. More policies and more seeds may be asked for.");

        string Default(Func<CompareOptions, string> text) => quick is null || text(quick) == text(defaults) ? text(defaults)
            : $"{text(defaults)}; --quick {text(quick)}";
    }

    /// <summary>All of them, in the order of the help.</summary>
    public IEnumerable<Option> All => [_policies, _budget, _seeds, _fullSeeds, _noise, _passes, _chunk, _window, _statisticBits,
        _validation, _batch, _batches, _tune, _json, _html, _resume];

    /// <summary>What the command line asks for.</summary>
    /// <param name="parsed">The command line.</param>
    /// <param name="start">What holds where it says nothing.</param>
    public CompareOptions Read(ParseResult parsed, CompareOptions start)
    {
        int seeds = parsed.GetValue(_seeds) ?? start.Seeds;
        string? written = parsed.GetValue(_json) ?? parsed.GetValue(_resume);
        return start with
        {
            Policies = parsed.GetValue(_policies) is { Length: > 0 } list ? [.. PoliciesIn(list)] : start.Policies,
            Budget = parsed.GetValue(_budget) ?? start.Budget,
            Seeds = seeds,
            FullSeeds = parsed.GetValue(_fullSeeds) ?? (start.FullSeeds < start.Seeds ? Math.Min(start.FullSeeds, seeds) : seeds),
            Noise = parsed.GetValue(_noise) ?? start.Noise,
            Passes = parsed.GetValue(_passes) ?? start.Passes,
            Chunk = parsed.GetValue(_chunk) ?? start.Chunk,
            Window = parsed.GetValue(_window) ?? start.Window,
            StatisticBits = parsed.GetValue(_statisticBits) ?? start.StatisticBits,
            ValidationRows = parsed.GetValue(_validation) ?? start.ValidationRows,
            Batch = parsed.GetValue(_batch) is { Length: > 0 } rows ? [.. NameList.Split(rows).Select(text => RowsOf(text)!.Value)]
                : start.Batch,
            Batches = parsed.GetValue(_batches) is { Length: > 0 } names
                ? [.. NameList.Split(names).Select(name => Enum.Parse<BatchComposition>(name, ignoreCase: true))] : start.Batches,
            Tune = parsed.GetValue(_tune) || start.Tune,
            Resume = parsed.GetValue(_resume),
            Json = written ?? start.Json,
            Html = parsed.GetValue(_html) ?? (written is null ? start.Html : Path.ChangeExtension(written, ".html")),
        };
    }

    private static int? RowsOf(string text)
        => int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out int rows) ? rows : null;

    private static IEnumerable<string> PoliciesIn(string[] lists)
        => NameList.Split(lists).Contains(EveryPolicy) ? PolicyTable.Keys : NameList.Split(lists);
}
