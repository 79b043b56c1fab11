using Microsoft.ML.Data;
using Microsoft.ML.ForwardSampling.Networks;
using Microsoft.ML.ForwardSampling.Shared;
using Microsoft.ML.ForwardSampling.Tool.Compare;

namespace Microsoft.ML.ForwardSampling.Benchmarks;

/// <summary>Optimizers and averaged weights: accuracy and log-loss on Fashion-MNIST (20,000 rows, three passes, five seeds) and what a step
/// costs, against Adam in the same run.</summary>
internal static class OptimizersBench
{
    private const int Rows = 20_000;
    private const int Seeds = 5;
    private const int Rounds = 5;

    private static readonly NetworkTrainerOptions s_options = new()
    {
        HiddenLayers = [256, 128],
        BatchSize = 64,
        Epochs = 3,
        Threads = 1,
        NormalizeFeatures = FeatureNormalization.None,
    };

    public static int Run(string[] _)
    {
        var context = new MLContext(seed: 1);
        FashionMnist images = FashionMnist.Load(FashionMnist.DebianFolder);
        IDataView training = context.Data.LoadFromEnumerable(images.Training.Take(Rows).ToArray());
        IDataView test = context.Data.LoadFromEnumerable(images.Test);
        (string Name, NetworkTrainerOptions Options)[] ways =
        [
            ("Adam, rate 0.001", s_options),
            ("AdaMod, rate 0.001", s_options with { Optimizer = new AdaModOptions() }),
            ("Adam, rate 0.001, averaged weights", s_options with { WeightAveraging = new WeightAveraging() }),
            ("Adam, rate 0.001, Anderson mixing after each pass", s_options with { AndersonMixing = new AndersonMixing() }),
            ("Adam, rate 0.001, Anderson mixing every 100 steps",
                s_options with { AndersonMixing = new AndersonMixing { EveryNSteps = 100 } }),
            ("SGD, rate 0.01, momentum 0.9", s_options with { Optimizer = new SgdOptions() }),
            ("SGD, rate 0.01, momentum 0.9, Anderson mixing after each pass",
                s_options with { Optimizer = new SgdOptions(), AndersonMixing = new AndersonMixing() }),
            ("SGD, rate 0.01, momentum 0.9, Anderson mixing every 100 steps",
                s_options with { Optimizer = new SgdOptions(), AndersonMixing = new AndersonMixing { EveryNSteps = 100 } }),
            ("Adam, rate falling to 0, Anderson mixing after each pass",
                s_options with { LearningRateSchedule = new CosineSchedule(), AndersonMixing = new AndersonMixing() }),
            ("Adam, rate falling to 0", s_options with { LearningRateSchedule = new CosineSchedule() }),
            ("Adam, rate falling to 0, averaged weights",
                s_options with { LearningRateSchedule = new CosineSchedule(), WeightAveraging = new WeightAveraging() }),
            ("Adam, rate 0.03", s_options with { Optimizer = new AdamOptions { LearningRate = 0.03 } }),
            ("AdaMod, rate 0.03", s_options with { Optimizer = new AdaModOptions { LearningRate = 0.03 } }),
        ];
        var table = new Table($"{Rows:N0} rows of Fashion-MNIST, 784-256-128-10, batch 64, 3 passes", "accuracy %",
            $"s.d. over {Seeds} seeds", "log-loss");
        foreach ((string name, NetworkTrainerOptions options) in ways)
        {
            var accuracies = new double[Seeds];
            double logLoss = 0;
            for (int seed = 0; seed < Seeds; seed++)
            {
                using NetworkPredictionTransformer model = Fit(context, training, options with { Seed = seed });
                MulticlassClassificationMetrics metrics = context.MulticlassClassification.Evaluate(model.Transform(test));
                accuracies[seed] = 100 * metrics.MicroAccuracy;
                logLoss += metrics.LogLoss / Seeds;
            }

            table.Add(name, $"{accuracies.Average():F2}", $"{Statistics.StandardDeviation(accuracies):F2}", $"{logLoss:F4}");
        }

        table.Print();
        var steps = new Table($"a step, best of {Rounds} runs that take turns", "Adam, us", "AdaMod", "averaged weights",
            "Anderson mixing");
        foreach (int batch in (int[])[16, 64])
        {
            NetworkTrainerOptions once = s_options with { BatchSize = batch, Epochs = 1, Seed = 1 };
            Taken[] taken = Turns.Run(Rounds, [.. new[]
            {
                once, once with { Optimizer = new AdaModOptions() }, once with { WeightAveraging = new WeightAveraging() },
                once with { AndersonMixing = new AndersonMixing() },
            }.Select(options => new Way("", () =>
            {
                using NetworkPredictionTransformer model = Fit(context, training, options);
                return model.Model.Report!.StepSeconds / model.Model.Report.Steps;
            }))], warmUps: 0);
            steps.Add($"batch {batch}", $"{1e6 * taken[0].Best:F0}", $"x {taken[1].Best / taken[0].Best:F2}",
                $"x {taken[2].Best / taken[0].Best:F2}", $"x {taken[3].Best / taken[0].Best:F2}");
        }

        steps.Print();
        return 0;
    }

    private static NetworkPredictionTransformer Fit(MLContext context, IDataView rows, NetworkTrainerOptions options) =>
        context.ForwardSampling().Trainers.MulticlassClassification(options).Fit(rows);
}
