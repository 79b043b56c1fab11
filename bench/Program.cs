using BenchmarkDotNet.Running;
using Microsoft.ML.ForwardSampling.Benchmarks;

// training-steps, scoring, records and join print one table each and compare within one run; anything else goes to BenchmarkDotNet.
// training-steps, scoring, records and postgres print one table each and compare within one run; anything else goes to BenchmarkDotNet.
return args switch
{
    ["training-steps", .. var rest] => TrainingSteps.Run(rest),
    ["scoring", .. var rest] => ScoringRate.Run(rest),
    ["records", .. var rest] => RecordsBench.Run(rest),
    ["optimum", .. var rest] => OptimumBench.Run(rest),
    ["join", .. var rest] => JoinBench.Run(rest),
    ["postgres", .. var rest] => PostgresBench.Run(rest).GetAwaiter().GetResult(),
    _ => BenchmarkSwitcher.FromAssembly(typeof(ScoringRate).Assembly).Run(args).Any() ? 0 : 1,
};
