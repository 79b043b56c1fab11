using Microsoft.ML.ForwardSampling.ForwardPass;
using Microsoft.ML.ForwardSampling.Networks;
using Microsoft.ML.ForwardSampling.Selection;

namespace Microsoft.ML.ForwardSampling.Examples;

/// <summary>A rare event: ML.NET's logistic regression is deployed, and what it records selects the rows on which a network is
/// trained.</summary>
/// <remarks>
/// Prints, with Microsoft.ML 5.0.1 and TorchSharp 0.107.0 (other versions differ in the last digits or the draw):
/// <code>
/// Deployed logistic regression: log-loss 0.2820
/// Network, Uniform:              log-loss 0.2297 after 200,000 backward rows
/// Network, BalancedGradientNorm: log-loss 0.2114 after 200,000 backward rows
/// </code>
/// </remarks>
internal static class BinaryClicks
{
    /// <summary>Trains a network by selection and one by an even draw, on equally many rows.</summary>
    public static Comparison Run(TextWriter output, int rows, int seed, CancellationToken cancellation = default)
    {
        var mlContext = new MLContext(seed);
        ForwardSamplingCatalog fs = mlContext.ForwardSampling();
        IDataView old = mlContext.Data.LoadFromEnumerable(Visits.Rows(rows / 10, seed + 1));
        IDataView served = mlContext.Data.LoadFromEnumerable(Visits.Rows(rows, seed));
        IDataView test = mlContext.Data.LoadFromEnumerable(Visits.Rows(50_000, seed + 2));

        // 1. The deployed model knows nothing of this library.
        ITransformer deployed = mlContext.BinaryClassification.Trainers.SdcaLogisticRegression(new() { NumberOfThreads = 1 })
            .Fit(mlContext.Data.Cache(old));
        output.WriteLine($"Deployed logistic regression: log-loss {LogLoss(mlContext, deployed, test):F4}");

        // 2. Record: it scores what it serves, and leaves loss and gradient norm beside each row. Cache, because two trainings read them.
        ForwardRecordingTransformer recorder = fs.RecordForwardPass(deployed, PredictionTask.Binary).Fit(served);
        IDataView recorded = mlContext.Data.Cache(recorder.Transform(served));

        // 3. Select one row in ten, train, evaluate.
        (double uniform, long uniformRows) = Train(new UniformPolicy());
        output.WriteLine($"Network, Uniform:              log-loss {uniform:F4} after {uniformRows:N0} backward rows");
        (double selected, long selectedRows) = Train(new BalancedGradientNormPolicy());
        output.WriteLine($"Network, BalancedGradientNorm: log-loss {selected:F4} after {selectedRows:N0} backward rows");
        return new Comparison("log-loss (bits) of rare clicks", uniform, selected, uniformRows, selectedRows);

        (double LogLoss, long BackwardRows) Train(IRowSelectionPolicy policy)
        {
            SelectedRows chosen = fs.SelectRows(recorded, policy, new SelectionOptions { WindowSize = 2560, Budget = 0.1, Seed = seed });
            using NetworkPredictionTransformer network = fs.Trainers.BinaryClassification(new NetworkTrainerOptions
            {
                HiddenLayers = [64, 32],
                BatchSize = 64,
                Epochs = 10,
                Seed = seed,
                CancellationToken = cancellation,
            }).Fit(chosen);
            return (LogLoss(mlContext, network, test), network.Model.Report!.BackwardRows);
        }
    }

    private static double LogLoss(MLContext mlContext, ITransformer model, IDataView test)
        => mlContext.BinaryClassification.Evaluate(model.Transform(test)).LogLoss;
}
