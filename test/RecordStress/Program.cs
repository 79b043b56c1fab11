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

// One in five is the state of a join.
static Func<Task<int>> Damage(int files, int seed, string keep) => () =>
{
    using var logs = new LogFuzzer(seed);
    using var states = new StateFuzzer(seed);
    return Task.FromResult(Fuzz.Run([logs, logs, logs, logs, states], files, seed, keep, Console.Out));
};
