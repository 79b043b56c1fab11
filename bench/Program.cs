using BenchmarkDotNet.Running;
using Microsoft.ML.ForwardSampling.Benchmarks;

// training-steps and scoring print one table each and compare within one run; anything else goes to BenchmarkDotNet.
return args switch
{
    ["training-steps", .. var rest] => TrainingSteps.Run(rest),
    ["scoring", .. var rest] => ScoringRate.Run(rest),
    _ => BenchmarkSwitcher.FromAssembly(typeof(ScoringRate).Assembly).Run(args).Any() ? 0 : 1,
};
