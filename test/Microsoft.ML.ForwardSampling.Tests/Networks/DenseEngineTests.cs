using Microsoft.ML.ForwardSampling.Networks;
using Microsoft.ML.ForwardSampling.Selection;
using TorchSharp;
using static TorchSharp.torch;

namespace Microsoft.ML.ForwardSampling.Tests.Networks;

/// <summary>Steps on plain memory against torch's differentiation of the same network.</summary>
[Collection(TorchCollection.Name)]
public sealed class DenseEngineTests
{
    private const int Features = 23;
    private const int Batch = 19; // no whole number of tiles

    public static TheoryData<PredictionTask, Activation> TasksAndActivations =>
        new MatrixTheoryData<PredictionTask, Activation>(Enum.GetValues<PredictionTask>(), Enum.GetValues<Activation>());

    [Theory, MemberData(nameof(TasksAndActivations))]
    public void Step_EachTaskAndActivation_LearnsWhatTorchLearns(PredictionTask task, Activation activation)
        => AssertSameAsTorch(task, new NetworkTrainerOptions
        { BatchSize = Batch, HiddenLayers = [33, 17], Activation = activation, Optimizer = new AdamOptions { LearningRate = 0.01 } });

    [Theory]
    [InlineData("Sgd")]
    [InlineData("Momentum")]
    [InlineData("Nesterov")]
    [InlineData("AdamDecay")]
    [InlineData("AdamW")]
    [InlineData("AdaMod")]
    public void Step_EachOptimizer_LearnsWhatTorchLearns(string name)
    {
        OptimizerOptions optimizer = name switch
        {
            "Sgd" => new SgdOptions { LearningRate = 0.05, Momentum = 0, WeightDecay = 0.01 },
            "Momentum" => new SgdOptions { LearningRate = 0.05 },
            "Nesterov" => new SgdOptions { LearningRate = 0.05, Nesterov = true, WeightDecay = 0.01 },
            "AdamDecay" => new AdamOptions { LearningRate = 0.01, WeightDecay = 0.01, Beta1 = 0.8, Beta2 = 0.95 },
            "AdaMod" => new AdaModOptions { LearningRate = 0.01, Beta3 = 0.9, WeightDecay = 0.01 },
            _ => new AdamWOptions { LearningRate = 0.01 },
        };
        AssertSameAsTorch(PredictionTask.Multiclass,
            new NetworkTrainerOptions { BatchSize = Batch, HiddenLayers = [40], Optimizer = optimizer });
    }

    [Theory]
    [InlineData(0.05f)]
    [InlineData(100f)]
    public void Step_ClippedGradient_LearnsWhatTorchLearns(float limit)
        => AssertSameAsTorch(PredictionTask.Regression, new NetworkTrainerOptions
        { BatchSize = Batch, HiddenLayers = [20, 9], MaximumGradientNorm = limit, RegressionLoss = RegressionLoss.Huber(0.3f) });

    [Theory]
    [InlineData()]
    [InlineData(1)]
    [InlineData(100, 64, 3)]
    public void Step_EachShape_LearnsWhatTorchLearns(params int[] hiddenLayers)
        => AssertSameAsTorch(PredictionTask.Binary, new NetworkTrainerOptions { BatchSize = Batch, HiddenLayers = hiddenLayers });

    [Fact]
    public void Step_AnyNumberOfThreads_SameBits()
    {
        var options = new NetworkTrainerOptions
        {
            BatchSize = 256,
            HiddenLayers = [50, 30],
            Optimizer = new AdamOptions { LearningRate = 0.01 }
        };

        float[] one = Train(new DenseSteps(PredictionTask.Multiclass, options with { Threads = 1 }));
        float[] two = Train(new DenseSteps(PredictionTask.Multiclass, options with { Threads = 2 }));

        Assert.Equal(one, two);

        static float[] Train(DenseSteps steps)
        {
            using (steps)
                return steps.Run(20, 256);
        }
    }

    [Fact]
    public void Step_AfterWarmUp_AllocatesNothing()
    {
        using var steps = new DenseSteps(PredictionTask.Multiclass,
            new NetworkTrainerOptions { BatchSize = Batch, HiddenLayers = [33, 17], Threads = 1 });
        steps.Step(40, Batch);
        long before = GC.GetAllocatedBytesForCurrentThread();
        steps.Step(40, Batch);

        Assert.Equal(before, GC.GetAllocatedBytesForCurrentThread());
    }

    [Fact]
    public void Finish_BestWeightsKept_GoesBackToThem()
    {
        using var steps = new DenseSteps(PredictionTask.Regression, new NetworkTrainerOptions { BatchSize = Batch, HiddenLayers = [8] });
        steps.Step(3, Batch);
        steps.Engine.KeepBestWeights();
        float[] best = steps.Engine.Score(steps.Pool, [0, 1, 2]).ToArray();
        steps.Step(3, Batch);
        Assert.NotEqual(best, steps.Engine.Score(steps.Pool, [0, 1, 2]).ToArray());

        steps.Engine.Finish();

        steps.Model.Freeze();
        float[] scores = new float[3];
        steps.Model.Dense!.Forward(steps.Pool.Features.AsSpan(0, 3 * Features), 3, scores, new DenseNetwork.Scratch(steps.Model.Dense));
        Assert.Equal(best, scores); // the same kernel, so the same bits
    }

    [Fact]
    public void Evaluate_EachTask_IsTheMeanLossOfTorch()
    {
        foreach (PredictionTask task in Enum.GetValues<PredictionTask>())
        {
            using var dense = new DenseSteps(task, new NetworkTrainerOptions { BatchSize = Batch, HiddenLayers = [12] });
            using var torch = new TorchSteps(task, new NetworkTrainerOptions { BatchSize = Batch, HiddenLayers = [12] });
            int[] rows = [.. Enumerable.Range(0, 200)];

            (double loss, double weight) = dense.Engine.Evaluate(dense.Pool, rows);
            (double expected, double expectedWeight) = torch.Engine.Evaluate(torch.Pool, rows);

            Assert.Equal(expectedWeight, weight, 1e-3);
            Assert.Equal(expected / expectedWeight, loss / weight, 1e-5);
        }
    }

    [Theory]
    [InlineData(Normalization.Layer, 0f)]
    [InlineData(Normalization.Batch, 0f)]
    [InlineData(Normalization.None, 0.1f)]
    public void CanTrain_SomethingBetweenTheLayers_IsLeftToTorch(Normalization normalization, float dropout)
    {
        using var steps = new TorchSteps(PredictionTask.Regression,
            new NetworkTrainerOptions { HiddenLayers = [4], BatchSize = 64, Normalization = normalization, Dropout = dropout });

        Assert.False(DenseEngine.CanTrain(steps.Model));
    }

    private static void AssertSameAsTorch(PredictionTask task, NetworkTrainerOptions options)
    {
        using var dense = new DenseSteps(task, options with { Threads = 1 });
        using var torch = new TorchSteps(task, options);
        Assert.True(DenseEngine.CanTrain(dense.Model));
        // The second run begins with the optimizer state that the first one wrote back, and its last batch is a short one.
        for (int run = 0; run < 2; run++)
        {
            float[] expected = torch.Run(12, Batch - 2 * run), actual = dense.Run(12, Batch - 2 * run);
            Assert.Equal(torch.Engine.TakeMeanLoss()!.Value, dense.Engine.TakeMeanLoss()!.Value, 1e-4f);
            Assert.Equal(expected.Length, actual.Length);
            float largest = expected.Zip(actual, (a, b) => Math.Abs(a - b)).Max();
            Assert.True(largest < 2e-4f, $"weights differ by up to {largest}");
            dense.Restart();
        }
    }

    private sealed class DenseSteps(PredictionTask task, NetworkTrainerOptions options) : Steps(task, options)
    {
        protected override TrainingEngine Create() => new DenseEngine(Model, Options);
    }

    private sealed class TorchSteps(PredictionTask task, NetworkTrainerOptions options) : Steps(task, options)
    {
        protected override TrainingEngine Create() => new TorchEngine(Model, Options, Features, weighted: true);
    }

    /// <summary>A small network, rows, and steps over them in the same order for whichever engine.</summary>
    private abstract class Steps : IDisposable
    {
        private int _next;

        protected Steps(PredictionTask task, NetworkTrainerOptions options)
        {
            Options = options;
            int outputs = task == PredictionTask.Multiclass ? 5 : 1;
            var architecture = new NetworkArchitecture(Features, [.. options.HiddenLayers], outputs, options.Activation,
                options.Normalization, (float)options.Dropout);
            var head = TaskHead.Create(task, outputs, options.RegressionLoss);
            Model = new NetworkModel(head, Features, architecture, new MultilayerPerceptron(architecture, CPU, seed: 3), CPU,
                options.Optimizer.Create());
            Pool = new RowPool(Features, weighted: true, RecordStatistics.None, discounted: false, 1 << 20);
            var random = new Random(4);
            for (int row = 0; row < 500; row++)
            {
                foreach (ref float feature in Pool.NextFeatures())
                    feature = 2f * random.NextSingle() - 1f;
                float label = task == PredictionTask.Regression ? 3f * random.NextSingle()
                    : random.Next(task == PredictionTask.Binary ? 2 : 5);
                Pool.Add(label, 0.5f + random.NextSingle(), 0, 0);
            }

            Engine = Create();
        }

        public NetworkModel Model { get; }

        public RowPool Pool { get; }

        public TrainingEngine Engine { get; private set; }

        protected NetworkTrainerOptions Options { get; }

        public void Step(int steps, int batch)
        {
            Span<int> rows = stackalloc int[batch];
            Span<float> weights = stackalloc float[batch];
            for (int step = 0; step < steps; step++)
            {
                for (int i = 0; i < batch; i++)
                {
                    rows[i] = _next++ * 7 % Pool.Count;
                    weights[i] = 0.5f + i % 3;
                }

                Engine.Fill(Pool, rows, weights, 0);
                Engine.Step(batch, (float)Options.Optimizer.LearningRate);
            }
        }

        /// <summary>Makes steps and gives every weight.</summary>
        public float[] Run(int steps, int batch)
        {
            Step(steps, batch);
            Engine.Finish();
            using DisposeScope scope = NewDisposeScope();
            return [.. Model.Weights.OrderBy(w => w.Key, StringComparer.Ordinal).SelectMany(w => w.Value.detach().data<float>().ToArray())];
        }

        public void Restart()
        {
            Engine.Dispose();
            Engine = Create();
        }

        public void Dispose()
        {
            Engine.Dispose();
            Model.Dispose();
        }

        protected abstract TrainingEngine Create();
    }
}
