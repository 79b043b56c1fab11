using Microsoft.ML.ForwardSampling.Networks;
using Microsoft.ML.ForwardSampling.Selection;

namespace Microsoft.ML.ForwardSampling.Examples;

/// <summary>A regression whose noise has heavy tails, trained continuously on one row in ten.</summary>
/// <remarks>
/// Prints, with Microsoft.ML 5.0.1 and TorchSharp 0.107.0 (other versions differ in the last digits or the draw):
/// <code>
/// Uniform:              RMSE 0.362 after 25,600 backward rows
/// BalancedGradientNorm: RMSE 0.316 after 25,600 backward rows
/// </code>
/// </remarks>
internal static class HeavyTailedRegression
{
    private const int ChunkRows = 2560;
    private const int Passes = 4;

    /// <summary>Trains by selection and by an even draw, on equally many rows, and compares them with the noiseless target.</summary>
    public static Comparison Run(TextWriter output, int rows, int seed, CancellationToken cancellation = default)
    {
        // What is served, in the order it comes, and a test set that knows the truth.
        Friedman1Row[] served = Friedman1.Rows(rows, Friedman1Noise.StudentT2, seed);
        Friedman1Row[] test = Friedman1.Rows(5000, Friedman1Noise.None, seed + 1_000_000);

        (double uniform, long uniformRows) = Train(served, test, new UniformPolicy(), seed, cancellation);
        output.WriteLine($"Uniform:              RMSE {uniform:F3} after {uniformRows:N0} backward rows");

        (double selected, long selectedRows) = Train(served, test, new BalancedGradientNormPolicy(), seed, cancellation);
        output.WriteLine($"BalancedGradientNorm: RMSE {selected:F3} after {selectedRows:N0} backward rows");

        return new Comparison("RMSE against the noiseless target", uniform, selected, uniformRows, selectedRows);
    }

    private static (double Rmse, long BackwardRows) Train(Friedman1Row[] served, Friedman1Row[] test, IRowSelectionPolicy policy, int seed,
        CancellationToken cancellation)
    {
        var mlContext = new MLContext(seed);
        ForwardSamplingCatalog fs = mlContext.ForwardSampling();
        NetworkTrainer trainer = fs.Trainers.Regression(new NetworkTrainerOptions
        {
            HiddenLayers = [64, 64],
            Optimizer = new AdamOptions { LearningRate = 2e-3 },
            BatchSize = 64,
            Epochs = 1,
            Shuffle = false, // rows arrive in random order; so a batch is one window's selection, as evenly spread as the policy made it
            CancellationToken = cancellation,
        });

        NetworkPredictionTransformer? deployed = null;
        long backwardRows = 0;
        foreach (Friedman1Row[] chunk in Enumerable.Range(0, Passes).SelectMany(_ => served.Chunk(ChunkRows)))
        {
            IDataView arrived = mlContext.Data.LoadFromEnumerable(chunk);

            // 1. Record: the deployed network scores the chunk. The first chunk comes before there is one, and is drawn evenly.
            IDataView recorded = deployed is null
                ? arrived
                : fs.RecordForwardPass(deployed, PredictionTask.Regression).Fit(arrived).Transform(arrived);

            // 2. Select one row in ten. Without a seed of its own, each selection takes the next one of the MLContext.
            SelectedRows chosen = fs.SelectRows(recorded, deployed is null ? new UniformPolicy() : policy);

            // 3. Train the next network from the deployed one, and deploy it.
            NetworkPredictionTransformer next = trainer.Fit(chosen, null, deployed);
            backwardRows += next.Model.Report!.BackwardRows;
            deployed?.Dispose();
            deployed = next;
        }

        // 4. ML.NET's own evaluator.
        using NetworkPredictionTransformer last = deployed!;
        IDataView scored = last.Transform(mlContext.Data.LoadFromEnumerable(test));
        return (mlContext.Regression.Evaluate(scored, nameof(Friedman1Row.Target)).RootMeanSquaredError, backwardRows);
    }
}
