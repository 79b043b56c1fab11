using System.Globalization;
using BenchmarkDotNet.Running;
using Microsoft.ML.ForwardSampling.Benchmarks;

CultureInfo.DefaultThreadCurrentCulture = CultureInfo.CurrentCulture = CultureInfo.InvariantCulture;
Bench[] benches =
[
    new("training", "NetworkTrainer against a plain TorchSharp loop, on one thread and on two", TrainingSteps.Run),
    new("scoring", "the look-ahead cursor and the prediction engine against calls of torch", ScoringRate.Run),
    new("records", "the record log against a plain file, and what recording adds to scoring", RecordsBench.Run),
    new("join", "records joined with labels in memory", JoinBench.Run),
    new("postgres", "the record store against psql", args => PostgresBench.Run(args).GetAwaiter().GetResult()),
    new("nats", "a fleet over JetStream against PostgreSQL", args => NatsBench.Run(args).GetAwaiter().GetResult()),
    new("selection", "every policy against NumPy and against one read of memory", SelectionBench.Run),
    new("filter", "SelectRows against cursors that read alone", FilterBench.Run),
    new("largewindow", "SelectRowsStreamed over 100 million rows as one window", LargeWindowBench.Run),
    new("optimum", "MeanMatching against a mixed-integer solver", OptimumBench.Run),
    new("grouptesting", "group-tested scoring against one test a row", GroupTestingBench.Run),
    new("optimizers", "optimizers and averaged weights against Adam", OptimizersBench.Run),
    new("lowmemory", "wide sparse rows: low-memory trainers against ML.NET's linear ones", LowMemoryBench.Run),
    new("wide", "networks on wide sparse rows against torch's EmbeddingBag", WideNetworksBench.Run),
    new("defaults", "the default trainers against Sdca and LightGBM on 50 shapes of data", DefaultsBench.Run),
    new("service", "the example service with and without recording", ServiceBench.Run),
];

switch (args)
{
    case [] or ["all"]:
        return benches.Max(bench => bench.RunHere([]));
    case ["list"]:
        foreach (Bench bench in benches)
            Console.WriteLine($"{bench.Name,-14}{bench.Summary}");
        return 0;
    case [var name, .. var rest] when benches.FirstOrDefault(bench => bench.Name == name) is { } bench:
        return bench.RunHere(rest);
    case [['-', ..], ..]:
        return BenchmarkSwitcher.FromAssembly(typeof(Bench).Assembly).Run(args).Any() ? 0 : 1;
    default:
        Console.Error.WriteLine($"There is no benchmark '{args[0]}'. There are {string.Join(", ", benches.Select(bench => bench.Name))}; "
            + "all runs them one after another, list says what they are.");
        return 2;
}
