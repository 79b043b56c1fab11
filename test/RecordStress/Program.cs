using Microsoft.ML.ForwardSampling.PostgreSql.Tests;
using Microsoft.ML.ForwardSampling.RecordStress;
using Microsoft.ML.ForwardSampling.Tests.Shared;

// The long versions of two tests. ./build.sh crashtest and ./build.sh fuzz run this program; both end with a line of counts.
const string Files = "files", Postgres = "postgres", Nats = "nats";
const string Usage = """
    Usage: crashtest [--kills N] [--minutes N] [--seed N]   kill -9 of the processes of three stores, a third of the kills for each: files, PostgreSQL, JetStream (on Windows files alone). N kills (default 60), and until N minutes have passed
           crashtest files|postgres|nats [--kills N] ...    one of them: writers of a record log; writers, joiners, workers and the server of a fleet; kill -9 and SIGSTOP of writers, joiners, workers and nodes of a cluster of three (default 100 kills)
           fuzz [--files N] [--seed N] [--keep DIR]         damaged log files, N of them (default 100,000); a file that breaks something is kept in DIR (default artifacts/fuzz)
    """;
Func<Task<int>> command;
try
{
    var options = new Options(args);
    int seed = options.Number("--seed", 1);
    command = options.Command switch
    {
        "crashtest nats" => Crashes([Nats], options.Number("--kills", 100), options.Number("--minutes", 0), seed),
        "crashtest postgres" => Crashes([Postgres], options.Number("--kills", 60), options.Number("--minutes", 0), seed),
        "crashtest files" => Crashes([Files], options.Number("--kills", 60), options.Number("--minutes", 0), seed),
        "crashtest" => Crashes(OperatingSystem.IsWindows() ? [Files] : [Files, Postgres, Nats], options.Number("--kills", 60),
            options.Number("--minutes", 0), seed),
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

// Each store's part ends with a line of counts, and all of them with one for all.
static Func<Task<int>> Crashes(string[] stores, int kills, int minutes, int seed)
{
    // Before the first kill: a night is not for finding out in its last third.
    if (stores.Contains(Postgres) && PostgreSqlServer.FindPrograms() is null)
        throw new ArgumentException("PostgreSQL is not installed: apt-get install postgresql.");
    if (stores.Contains(Nats) && NatsCluster.FindProgram() is null)
        throw new ArgumentException("nats-server is not installed: apt-get install nats-server.");
    return async () =>
    {
        var outcomes = new List<CrashOutcome>();
        for (int i = 0; i < stores.Length; i++)
        {
            int share = (kills / stores.Length) + (i < kills % stores.Length ? 1 : 0);
            double time = (double)minutes / stores.Length;
            if (stores.Length > 1)
                Console.WriteLine($"{stores[i]}:");
            outcomes.Add(stores[i] switch
            {
                Files => await CrashTest.Run(share, time, seed, Console.Out),
                Postgres => await PostgresCrashTest.Run(share, time, seed, Console.Out),
                _ => await NatsCrashTest.Run(share, time, seed, Console.Out),
            });
        }

        bool isGood = outcomes.All(o => o.IsGood);
        if (stores.Length > 1)
            Console.WriteLine($"{(isGood ? "OK" : "FAILED")}: {outcomes.Sum(o => o.Kills)} kills over {string.Join(", ", stores)} (seed "
                + $"{seed}): {outcomes.Aggregate(default(CrashCounts), (all, o) => all + o.Counts)}");
        return isGood ? 0 : 1;
    };
}

// One in five is the state of a join.
static Func<Task<int>> Damage(int files, int seed, string keep) => () =>
{
    using var logs = new LogFuzzer(seed);
    using var states = new StateFuzzer(seed);
    return Task.FromResult(Fuzz.Run([logs, logs, logs, logs, states], files, seed, keep, Console.Out));
};
