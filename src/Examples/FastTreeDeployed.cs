using Microsoft.ML.ForwardSampling.Selection;
using Microsoft.ML.Trainers.FastTree;

namespace Microsoft.ML.ForwardSampling.Examples;

/// <summary>Boosted trees are deployed and retrained: selection serves any ML.NET trainer that takes example weights.</summary>
/// <remarks>
/// Prints, with Microsoft.ML 5.0.1:
/// <code>
/// Deployed, trained on 20,000 old rows: log-loss 0.2338
/// Retrained, Uniform:              log-loss 0.2314 with 20,000 rows
/// Retrained, BalancedGradientNorm: log-loss 0.2208 with 20,000 rows
/// </code>
/// </remarks>
internal static class FastTreeDeployed
{
    /// <summary>Retrains FastTree on selected rows and on rows drawn evenly, equally many.</summary>
    public static Comparison Run(TextWriter output, int rows, int seed, CancellationToken cancellation = default)
    {
        var mlContext = new MLContext(seed);
        ForwardSamplingCatalog fs = mlContext.ForwardSampling();
        IDataView old = mlContext.Data.LoadFromEnumerable(Visits.Rows(rows / 10, seed + 1_000_000));
        IDataView served = mlContext.Data.LoadFromEnumerable(Visits.Rows(rows, seed));
        IDataView test = mlContext.Data.LoadFromEnumerable(Visits.Rows(50_000, seed + 2_000_000));

        // 1. The deployed model.
        ITransformer deployed = Trees(exampleWeight: null).Fit(old);
        output.WriteLine($"Deployed, trained on {rows / 10:N0} old rows: log-loss {LogLoss(deployed):F4}");

        // 2. Record: it scores what it serves. Only the statistics are kept beside the rows; Cache, because two trainings read them.
        IDataView scored = fs.RecordForwardPass(deployed, PredictionTask.Binary).Fit(served).Transform(served);
        IDataView recorded = mlContext.Data.Cache(mlContext.Transforms.DropColumns("Score", "Probability", "PredictedLabel").Fit(scored)
            .Transform(scored));

        // 3. Select one row in ten and train. SelectThen is an estimator: it goes into pipelines and CrossValidate as the trainer itself
        // would.
        (double uniform, long uniformRows) = Retrain(new UniformPolicy());
        output.WriteLine($"Retrained, Uniform:              log-loss {uniform:F4} with {uniformRows:N0} rows");
        (double selected, long selectedRows) = Retrain(new BalancedGradientNormPolicy());
        output.WriteLine($"Retrained, BalancedGradientNorm: log-loss {selected:F4} with {selectedRows:N0} rows");
        return new Comparison("log-loss (bits) of rare clicks", uniform, selected, uniformRows, selectedRows);

        (double LogLoss, long Rows) Retrain(IRowSelectionPolicy policy)
        {
            cancellation.ThrowIfCancellationRequested(); // ML.NET's own trainers cannot be stopped
            var trainer = fs.SelectThen(policy, Trees(exampleWeight: ForwardColumns.Weight), new SelectionOptions { Seed = seed });
            ITransformer model = trainer.Fit(recorded);
            return (LogLoss(model), trainer.LastReport!.RowsSelected);
        }

        FastTreeBinaryTrainer Trees(string? exampleWeight) => mlContext.BinaryClassification.Trainers.FastTree(
            new FastTreeBinaryTrainer.Options
            {
                ExampleWeightColumnName = exampleWeight,
                NumberOfTrees = 100,
                MinimumExampleCountPerLeaf = 20,
                NumberOfThreads = 1
            });

        double LogLoss(ITransformer model) => mlContext.BinaryClassification.Evaluate(model.Transform(test)).LogLoss;
    }
}
