using System.Globalization;
using Microsoft.ML.ForwardSampling.RecordStress;

// The long versions of two tests. ./build.sh crashtest and ./build.sh fuzz run this program; both end with a line of counts.
const string Usage = """
    Usage: crashtest [--kills N] [--minutes N] [--seed N]   kill -9 of writing processes: N kills (default 60), and until N minutes have passed
           crashtest nats [--kills N] [--minutes N] [--seed N]   kill -9 and SIGSTOP of writers, joiners, workers and nodes of a cluster of three (default 100 kills)
           fuzz [--files N] [--seed N] [--keep DIR]         damaged log files, N of them (default 100,000); a file that breaks something is kept in DIR (default artifacts/fuzz)
    """;
Func<Task<int>> command;
try
{
    var options = new Options(args);
    int seed = options.Number("--seed", 1);
    command = options.Command switch
    {
        "crashtest nats" => NatsCrashes(options.Number("--kills", 100), options.Number("--minutes", 0), seed),
        "crashtest" => Crashes(options.Number("--kills", 60), options.Number("--minutes", 0), seed),
        "fuzz" => Damage(options.Number("--files", 100_000), seed, options.Text("--keep", Path.Combine("artifacts", "fuzz"))),
        _ => throw new ArgumentException($"There is no command '{options.Command}'."),
    };
    options.ThrowIfMore();
}
catch (ArgumentException e)
{
    Console.Error.WriteLine($"{e.Message}\n{Usage}");
    return 2;
}

return await command();

static Func<Task<int>> Crashes(int kills, int minutes, int seed) => () => CrashTest.Run(kills, minutes, seed, Console.Out);

static Func<Task<int>> NatsCrashes(int kills, int minutes, int seed) => () => NatsCrashTest.Run(kills, minutes, seed, Console.Out);

static Func<Task<int>> Damage(int files, int seed, string keep) => () => Task.FromResult(Fuzz.Run(files, seed, keep, Console.Out));

/// <summary>A command and options with values.</summary>
internal sealed class Options
{
    private readonly Dictionary<string, string> _values = [];

    public Options(string[] args)
    {
        int words = args.Length > 1 && !args[1].StartsWith('-') ? 2 : 1;
        Command = string.Join(' ', args.Take(words));
        for (int i = words; i < args.Length; i += 2)
            _values[args[i]] = i + 1 < args.Length ? args[i + 1] : throw new ArgumentException($"{args[i]} needs a value.");
    }

    public string Command { get; }

    public string Text(string name, string otherwise) => _values.Remove(name, out string? value) ? value : otherwise;

    public int Number(string name, int otherwise)
    {
        string text = Text(name, otherwise.ToString(CultureInfo.InvariantCulture));
        return int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out int number)
            ? number
            : throw new ArgumentException($"{name} must be a whole number, at least 0. Got '{text}'.");
    }

    /// <summary>To be called when all options were read.</summary>
    public void ThrowIfMore()
    {
        if (_values.Count > 0)
            throw new ArgumentException($"{Command} has no option {string.Join(", ", _values.Keys)}.");
    }
}
