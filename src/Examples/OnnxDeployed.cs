using Microsoft.ML.ForwardSampling.Networks;
using Microsoft.ML.ForwardSampling.Selection;

namespace Microsoft.ML.ForwardSampling.Examples;

/// <summary>A model that came as an ONNX file is deployed; what it records selects the rows on which its successor, a network, is
/// trained.</summary>
/// <remarks>
/// Prints, with Microsoft.ML 5.0.1, TorchSharp 0.107.0 and OnnxRuntime 1.31.1 (other versions differ in the last digits or the draw):
/// <code>
/// Network, Uniform:              RMSE 0.340 after 64,000 backward rows
/// Network, BalancedGradientNorm: RMSE 0.232 after 64,000 backward rows
/// </code>
/// </remarks>
internal static class OnnxDeployed
{
    /// <summary>Trains a network by selection and one by an even draw, on equally many rows.</summary>
    public static Comparison Run(TextWriter output, int rows, int seed, CancellationToken cancellation = default)
    {
        var mlContext = new MLContext(seed);
        ForwardSamplingCatalog fs = mlContext.ForwardSampling();
        IDataView served = mlContext.Data.LoadFromEnumerable(Friedman1.Rows(rows, Friedman1Noise.Outliers, seed));
        IDataView test = mlContext.Data.LoadFromEnumerable(Friedman1.Rows(5000, Friedman1Noise.None, seed + 1_000_000));
        string file = Path.Combine(Directory.CreateTempSubdirectory("forward-sampling-onnx-").FullName, "deployed.onnx");
        try
        {
            // 1. The deployed model: any ONNX file. Its output "Score.output" is a tensor of one number; ML.NET drops ".output" from the
            // column's name.
            Export(mlContext, Friedman1.Rows(rows / 10, Friedman1Noise.Outliers, seed + 2_000_000), file);
            ITransformer deployed = mlContext.Transforms.ApplyOnnxModel("Score.output", "Features", file).Fit(served);

            // 2. Record: loss and gradient norm beside each row. Cache, because two trainings read them.
            IDataView recorded = mlContext.Data.Cache(fs.RecordForwardPass(deployed, PredictionTask.Regression).Fit(served)
                .Transform(served));

            // 3. Select one row in ten, train, evaluate.
            (double uniform, long uniformRows) = Train(recorded, new UniformPolicy());
            output.WriteLine($"Network, Uniform:              RMSE {uniform:F3} after {uniformRows:N0} backward rows");
            (double selected, long selectedRows) = Train(recorded, new BalancedGradientNormPolicy());
            output.WriteLine($"Network, BalancedGradientNorm: RMSE {selected:F3} after {selectedRows:N0} backward rows");
            return new Comparison("RMSE against the noiseless target", uniform, selected, uniformRows, selectedRows);
        }
        finally
        {
            Directory.Delete(Path.GetDirectoryName(file)!, recursive: true);
        }

        (double Rmse, long BackwardRows) Train(IDataView recorded, IRowSelectionPolicy policy)
        {
            SelectedRows chosen = fs.SelectRows(recorded, policy, new SelectionOptions { Seed = seed });
            var options = new NetworkTrainerOptions
            {
                HiddenLayers = [64, 64],
                Epochs = 10,
                Optimizer = new AdamOptions { LearningRate = 2e-3 },
                Seed = seed,
                CancellationToken = cancellation
            };
            using NetworkPredictionTransformer model = fs.Trainers.Regression(options).Fit(chosen);
            return (mlContext.Regression.Evaluate(model.Transform(test), nameof(Friedman1Row.Target)).RootMeanSquaredError,
                model.Model.Report!.BackwardRows);
        }
    }

    /// <summary>Stands for whatever made the file elsewhere: boosted trees of ML.NET, exported.</summary>
    private static void Export(MLContext mlContext, Friedman1Row[] rows, string file)
    {
        IDataView data = mlContext.Data.LoadFromEnumerable(rows);
        ITransformer model = mlContext.Regression.Trainers.LightGbm(new() { NumberOfIterations = 50, NumberOfThreads = 1 }).Fit(data);
        using FileStream stream = File.Create(file);
        mlContext.Model.ConvertToOnnx(model, mlContext.Transforms.SelectColumns("Features").Fit(data).Transform(data), stream);
    }
}
