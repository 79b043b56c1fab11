using Microsoft.ML.Data;
using Microsoft.ML.ForwardSampling.Selection;
using Microsoft.ML.Trainers.FastTree;

namespace Microsoft.ML.ForwardSampling.Examples;

/// <summary>Boosted trees are deployed and retrained: selection serves any ML.NET trainer that takes example weights.</summary>
internal static class FastTreeDeployed
{
    /// <summary>Retrains FastTree on selected rows and on rows drawn evenly, equally many.</summary>
    public static Comparison Run(TextWriter output, int rows, int seed, CancellationToken cancellation = default)
    {
        var mlContext = new MLContext(seed);
        ForwardSamplingCatalog fs = mlContext.ForwardSampling();
        IDataView old = mlContext.Data.LoadFromEnumerable(Friedman1.Rows(rows / 10, Friedman1Noise.Normal, seed + 1_000_000));
        IDataView served = mlContext.Data.LoadFromEnumerable(Friedman1.Rows(rows, Friedman1Noise.Normal, seed));
        IDataView test = mlContext.Data.LoadFromEnumerable(Friedman1.Rows(5000, Friedman1Noise.None, seed + 2_000_000));

        // 1. The deployed model.
        ITransformer deployed = Trees(exampleWeight: null).Fit(old);
        output.WriteLine($"Deployed, on {rows / 10:N0} old rows:        RMSE {Rmse(deployed):F3}");

        // 2. Record: it scores what it serves. Its own columns (Score) would be in the new model's way, so only the statistics stay.
        IDataView scored = fs.RecordForwardPass(deployed, PredictionTask.Regression).Fit(served).Transform(served);
        IDataView recorded = mlContext.Data.Cache(mlContext.Transforms.DropColumns("Score").Fit(scored).Transform(scored));

        // 3. Select one row in ten and train. SelectThen is an estimator: it goes into pipelines and CrossValidate as the trainer would.
        cancellation.ThrowIfCancellationRequested();
        (double uniform, long uniformRows) = Retrain(new UniformPolicy());
        output.WriteLine($"Uniform, {uniformRows:N0} rows:              RMSE {uniform:F3}");
        (double selected, long selectedRows) = Retrain(new BalancedGradientNormPolicy());
        output.WriteLine($"BalancedGradientNorm, {selectedRows:N0} rows: RMSE {selected:F3}");
        return new Comparison("RMSE against the noiseless target", uniform, selected, uniformRows, selectedRows);

        (double Rmse, long Rows) Retrain(IRowSelectionPolicy policy)
        {
            var trainer = fs.SelectThen(policy, Trees(exampleWeight: ForwardColumns.Weight), new SelectionOptions { Seed = seed });
            ITransformer model = trainer.Fit(recorded);
            return (Rmse(model), trainer.LastReport!.RowsSelected);
        }

        FastTreeRegressionTrainer Trees(string? exampleWeight) => mlContext.Regression.Trainers.FastTree(
            new FastTreeRegressionTrainer.Options { ExampleWeightColumnName = exampleWeight, NumberOfTrees = 200, NumberOfThreads = 1 });

        double Rmse(ITransformer model)
            => mlContext.Regression.Evaluate(model.Transform(test), nameof(Friedman1Row.Target)).RootMeanSquaredError;
    }
}

internal sealed partial record Example
{
    static partial void AddFastTree(List<Example> examples)
        => examples.Add(new Example(FastTreeName, "Boosted trees, deployed and retrained on selected rows: SelectThen with an ML.NET trainer.", 64_000, FastTreeDeployed.Run));
}
