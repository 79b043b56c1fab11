using BenchmarkDotNet.Running;
using Microsoft.ML.ForwardSampling.Benchmarks;

// Each named one prints a table and compares within one run; anything else goes to BenchmarkDotNet.
return args switch
{
    ["training", .. var rest] => TrainingSteps.Run(rest),
    ["scoring", .. var rest] => ScoringRate.Run(rest),
    ["records", .. var rest] => RecordsBench.Run(rest),
    ["selection", .. var rest] => SelectionBench.Run(rest),
    ["defaults", ..] => DefaultsBench.Run(),
    ["filter", ..] => FilterBench.Run(),
    ["largewindow", .. var rest] => LargeWindowBench.Run(rest),
    ["optimum", .. var rest] => OptimumBench.Run(rest),
    ["grouptesting", .. var rest] => GroupTestingBench.Run(rest),
    ["optimizers", ..] => OptimizersBench.Run(),
    ["wide", .. var rest] => WideNetworksBench.Run(rest),
    ["lowmemory", .. var rest] => LowMemoryBench.Run(rest),
    ["service", .. var rest] => ServiceBench.Run(rest),
    ["join", .. var rest] => JoinBench.Run(rest),
    ["postgres", .. var rest] => PostgresBench.Run(rest).GetAwaiter().GetResult(),
    ["nats", .. var rest] => NatsBench.Run(rest).GetAwaiter().GetResult(),
    _ => BenchmarkSwitcher.FromAssembly(typeof(ScoringRate).Assembly).Run(args).Any() ? 0 : 1,
};
