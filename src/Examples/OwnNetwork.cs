using Microsoft.ML.Data;
using Microsoft.ML.ForwardSampling.Networks;
using Microsoft.ML.ForwardSampling.Selection;
using TorchSharp;
using static TorchSharp.torch;

namespace Microsoft.ML.ForwardSampling.Examples;

/// <summary>Your own torch module, and no recorded statistics: the trainer scores each window itself and backpropagates one row in
/// ten.</summary>
/// <remarks>
/// Prints, with Microsoft.ML 5.0.1 and TorchSharp 0.107.0 (other versions differ in the last digits or the draw):
/// <code>
/// Uniform: RMSE 0.326 after 25,600 backward rows, 0 forward rows
/// BalancedGradientNorm: RMSE 0.271 after 25,600 backward rows, 256,000 forward rows
/// Loaded again: RMSE 0.271
/// </code>
/// </remarks>
internal static class OwnNetwork
{
    /// <summary>Trains by selection and by an even draw, with equally many backward rows; saves, loads and scores again.</summary>
    public static Comparison Run(TextWriter output, int rows, int seed, CancellationToken cancellation = default)
    {
        var mlContext = new MLContext(seed);
        ForwardSamplingCatalog fs = mlContext.ForwardSampling();
        IDataView train = mlContext.Data.LoadFromEnumerable(Friedman1.Rows(rows, Friedman1Noise.StudentT2, seed));
        IDataView test = mlContext.Data.LoadFromEnumerable(Friedman1.Rows(5000, Friedman1Noise.None, seed + 1_000_000));

        // 1. Train. Fresh statistics cost a forward pass without gradients for every candidate: the report counts them.
        using NetworkPredictionTransformer uniform = Train(new UniformPolicy());
        using NetworkPredictionTransformer selected = Train(new BalancedGradientNormPolicy());
        foreach ((string name, NetworkPredictionTransformer model) in new[] { ("Uniform", uniform), ("BalancedGradientNorm", selected) })
            output.WriteLine($"{name}: RMSE {Rmse(model):F3} after {model.Model.Report!.BackwardRows:N0} backward rows, "
                + $"{model.Model.Report.ForwardRows:N0} forward rows");

        // 2. Save and load. A module of your own is code, so loading takes the same factory.
        string path = Path.Combine(Path.GetTempPath(), $"own-network-{Guid.NewGuid():N}.zip");
        try
        {
            fs.Save(selected, train.Schema, path);
            ITransformer loaded = fs.Load(path, out _, (inputs, outputs, device) => new ResidualNetwork(inputs, outputs, device));
            output.WriteLine($"Loaded again: RMSE {Rmse(loaded):F3}");
            (loaded as IDisposable)?.Dispose();
        }
        finally
        {
            File.Delete(path);
        }

        return new Comparison(
            "RMSE against the noiseless target", Rmse(uniform), Rmse(selected), uniform.Model.Report!.BackwardRows,
                selected.Model.Report!.BackwardRows);

        NetworkPredictionTransformer Train(IRowSelectionPolicy policy)
        {
            random.manual_seed(seed); // layers of your own are drawn from torch's global generator
            return fs.Trainers.Regression(new NetworkTrainerOptions
            {
                Network = (inputs, outputs, device) => new ResidualNetwork(inputs, outputs, device),
                Selection = new InTrainingSelection
                {
                    Policy = policy,
                    WindowSize = 640,
                    Budget = 0.1,
                    Statistics = StatisticsSource.Fresh
                },
                Optimizer = new AdamOptions { LearningRate = 2e-3 },
                Epochs = 4,
                Seed = seed,
                CancellationToken = cancellation,
            }).Fit(train);
        }

        double Rmse(ITransformer model)
            => mlContext.Regression.Evaluate(model.Transform(test), nameof(Friedman1Row.Target)).RootMeanSquaredError;
    }

    /// <summary>Two blocks that each add to what they were given.</summary>
    private sealed class ResidualNetwork : nn.Module<Tensor, Tensor>
    {
        private const int Width = 64;

        private readonly nn.Module<Tensor, Tensor> _input;
        private readonly nn.Module<Tensor, Tensor> _first;
        private readonly nn.Module<Tensor, Tensor> _second;
        private readonly nn.Module<Tensor, Tensor> _output;

        public ResidualNetwork(int inputs, int outputs, Device device)
            : base(nameof(ResidualNetwork))
        {
            _input = nn.Linear(inputs, Width, device: device);
            _first = nn.Linear(Width, Width, device: device);
            _second = nn.Linear(Width, Width, device: device);
            _output = nn.Linear(Width, outputs, device: device);
            RegisterComponents();
        }

        public override Tensor forward(Tensor input)
        {
            Tensor x = _input.call(input).relu();
            x = x.add(_first.call(x).relu());
            x = x.add(_second.call(x).relu());
            return _output.call(x);
        }
    }
}
