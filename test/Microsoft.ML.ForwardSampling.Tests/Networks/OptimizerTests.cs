using System.Text.Json;
using Microsoft.ML.Data;
using Microsoft.ML.ForwardSampling.Networks;
using TorchSharp;
using static TorchSharp.torch;

namespace Microsoft.ML.ForwardSampling.Tests.Networks;

[Collection(TorchCollection.Name)]
public class OptimizerTests
{
    private static readonly Dictionary<string, OptimizerOptions> _cases = new()
    {
        ["Sgd"] = new SgdOptions { LearningRate = 0.05, Momentum = 0 },
        ["SgdMomentum"] = new SgdOptions { LearningRate = 0.05, Momentum = 0.9 },
        ["SgdNesterovDecay"] = new SgdOptions { LearningRate = 0.05, Momentum = 0.8, Nesterov = true, WeightDecay = 0.1 },
        ["Adam"] = new AdamOptions { LearningRate = 0.02 },
        ["AdamDecay"] = new AdamOptions { LearningRate = 0.02, Beta1 = 0.8, Beta2 = 0.95, Epsilon = 1e-6, WeightDecay = 0.1 },
        ["AdamW"] = new AdamWOptions { LearningRate = 0.02, WeightDecay = 0.1 },
    };

    public static TheoryData<string, int> CasesAndLengths()
    {
        var data = new TheoryData<string, int>();
        foreach (string name in _cases.Keys)
        {
            // 5 runs the scalar tail alone; 40 the vectors alone or with a tail, as the registers are wide.
            data.Add(name, 1);
            data.Add(name, 8);
        }

        return data;
    }

    [Theory]
    [MemberData(nameof(CasesAndLengths))]
    public void Step_TenSteps_MatchTorchOptim(string name, int copies)
    {
        (float[] start, float[] expected) = Oracle(name);
        float[] weights = Run(_cases[name], [.. Enumerable.Repeat(start, copies).SelectMany(x => x)], byTensors: false);
        Assert.Equal(Enumerable.Repeat(expected, copies).SelectMany(x => x), weights, (a, b) => MathF.Abs(a - b) <= 2e-6f);
    }

    [Theory]
    [MemberData(nameof(CasesAndLengths))]
    public void Step_ByTensorOperations_MatchTorchOptim(string name, int copies)
    {
        (float[] start, float[] expected) = Oracle(name);
        float[] weights = Run(_cases[name], [.. Enumerable.Repeat(start, copies).SelectMany(x => x)], byTensors: true);
        Assert.Equal(Enumerable.Repeat(expected, copies).SelectMany(x => x), weights, (a, b) => MathF.Abs(a - b) <= 2e-6f);
    }

    [Fact]
    public void Step_GradientScale_EqualsScaledGradient()
    {
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        foreach (OptimizerOptions options in _cases.Values)
        {
            using Optimizer scaled = options.Create(), plain = options.Create();
            Tensor a = tensor([1f, -2f, 3f]), b = tensor([1f, -2f, 3f]);
            scaled.Step([a], [tensor([4f, 8f, -12f])], (float)options.LearningRate, 0.25f);
            plain.Step([b], [tensor([1f, 2f, -3f])], (float)options.LearningRate, 1f);
            Assert.Equal(b.data<float>().ToArray(), a.data<float>().ToArray());
        }
    }

    [Fact]
    public void Step_NoGradient_LeavesTheWeightAsItIs()
    {
        using var scope = NewDisposeScope();
        using Optimizer optimizer = new AdamOptions().Create();
        Tensor weights = tensor([1f, 2f]);
        optimizer.Step([weights], [null], 0.1f, 1f);
        Assert.Equal([1f, 2f], weights.data<float>().ToArray());
    }

    [Fact]
    public void TryContinueFrom_OtherKindOrShape_StartsAfresh()
    {
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        using Optimizer adam = new AdamOptions().Create(), sgd = new SgdOptions().Create(), other = new AdamOptions().Create();
        Tensor weights = tensor([1f, 2f]);
        adam.Step([weights], [tensor([1f, 1f])], 0.1f, 1f);
        Assert.False(sgd.TryContinueFrom(adam, [weights]));
        Assert.False(other.TryContinueFrom(adam, [zeros(3)]));
        Assert.True(other.TryContinueFrom(adam, [weights]));
        Assert.Equal(1, other.StepsTaken);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void AdaMod_TenSteps_AreThoseOfThePaper(bool byTensors)
    {
        var options = new AdaModOptions { LearningRate = 0.05, Beta3 = 0.9, WeightDecay = 0.1 };
        double[] start = [1, -2, 0.5, 3, -0.25], w = [.. start], m = new double[5], v = new double[5], s = new double[5];
        for (int step = 1; step <= 10; step++)
        {
            for (int i = 0; i < w.Length; i++)
            {
                // Algorithm 1 of arXiv 1910.12249 with the reference code's decoupled decay; the gradient is that of Run.
                double g = w[i] + Math.Sin(step - 1);
                m[i] = (0.9 * m[i]) + (0.1 * g);
                v[i] = (0.999 * v[i]) + (0.001 * g * g);
                double size = 0.05 * Math.Sqrt(1 - Math.Pow(0.999, step)) / (1 - Math.Pow(0.9, step)) / (Math.Sqrt(v[i]) + 1e-8);
                s[i] = (0.9 * s[i]) + (0.1 * size);
                w[i] = (w[i] * (1 - (0.05 * 0.1))) - (Math.Min(size, s[i]) * m[i]);
            }
        }

        Assert.Equal(w, Run(options, [.. start.Select(x => (float)x)], byTensors).Select(x => (double)x),
            (a, b) => Math.Abs(a - b) <= 2e-6);
    }

    [Fact]
    public void AdaMod_WithoutMemoryOfStepSizes_IsAdamW()
    {
        float[] start = [1f, -2f, 0.5f, 3f, -0.25f];
        float[] adamW = Run(new AdamWOptions { LearningRate = 0.02, WeightDecay = 0.1 }, start, byTensors: false);
        float[] adaMod = Run(new AdaModOptions { LearningRate = 0.02, WeightDecay = 0.1, Beta3 = 0 }, start, byTensors: false);
        Assert.Equal(adamW, adaMod, (a, b) => MathF.Abs(a - b) <= 1e-6f);
    }

    [Fact]
    public void AdaMod_RateThirtyTimesTooLarge_KeepsTheLossWhereAdamLosesIt()
    {
        // Ten noisy prototypes of 784 pixels, in the mean as bright as Fashion-MNIST; 60 passes of one step, the loss of each.
        float adam = LargestLoss(new AdamOptions { LearningRate = 0.03 }),
            adaMod = LargestLoss(new AdaModOptions { LearningRate = 0.03 });
        Assert.True(adam > 5 && adaMod < 2.6f, $"Adam {adam}, AdaMod {adaMod}");

        static float LargestLoss(OptimizerOptions optimizer)
        {
            var random = new Random(3);
            float[][] prototypes = [.. Enumerable.Range(0, 10).Select(_ => Enumerable.Range(0, 784)
                .Select(_ => random.NextSingle()).ToArray())];
            var context = new MLContext(seed: 1);
            var type = SchemaDefinition.Create(typeof(Picture));
            type["Features"].ColumnType = new VectorDataViewType(NumberDataViewType.Single, 784);
            IDataView data = context.Data.LoadFromEnumerable(Enumerable.Range(0, 64).Select(i => new Picture
            {
                Features = [.. prototypes[i % 10].Select(x => (0.3f * x) + (0.27f * random.NextSingle()))],
                Label = (uint)(i % 10) + 1
            }).ToArray(), type);
            float largest = 0;
            using NetworkPredictionTransformer model = context.ForwardSampling().Trainers.MulticlassClassification(
                new NetworkTrainerOptions
                {
                    HiddenLayers = [128, 64],
                    Optimizer = optimizer,
                    BatchSize = 64,
                    Epochs = 60,
                    Seed = 1,
                    Progress = new Reporter(progress => largest = Math.Max(largest, progress.MeanLoss)),
                }).Fit(data);
            return largest;
        }
    }

    private sealed class Picture
    {
        public float[] Features { get; set; } = [];

        [KeyType(10)]
        public uint Label { get; set; }
    }

    private sealed class Reporter(Action<TrainingProgress> report) : IProgress<TrainingProgress>
    {
        public void Report(TrainingProgress value) => report(value);
    }

    private static float[] Run(OptimizerOptions options, float[] start, bool byTensors)
    {
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        // Double tensors take the path of every device but the CPU.
        Tensor weights = byTensors ? tensor(start.Select(x => (double)x).ToArray()) : tensor(start);
        using Optimizer optimizer = options.Create();
        for (int step = 0; step < 10; step++)
            optimizer.Step([weights], [weights.add(Math.Sin(step))], (float)options.LearningRate, 1f);
        return byTensors ? [.. weights.data<double>().ToArray().Select(x => (float)x)] : weights.data<float>().ToArray();
    }

    private static (float[] Start, float[] Weights) Oracle(string name)
    {
        using JsonDocument json = JsonDocument.Parse(
            File.ReadAllText(Path.Combine(AppContext.BaseDirectory, "Networks", "optimizer_oracle.json")));
        return (Floats(json.RootElement.GetProperty("start")), Floats(json.RootElement.GetProperty("weights").GetProperty(name)));

        static float[] Floats(JsonElement array) => [.. array.EnumerateArray().Select(x => x.GetSingle())];
    }
}
