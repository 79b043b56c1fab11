using System.Collections.Concurrent;
using Microsoft.ML.Data;
using Microsoft.ML.ForwardSampling.ForwardPass;
using Microsoft.ML.ForwardSampling.LowMemory;
using Microsoft.ML.ForwardSampling.Networks;
using Microsoft.ML.ForwardSampling.Selection;
using Microsoft.ML.OnnxRuntime;
using Microsoft.ML.OnnxRuntime.Tensors;
using Microsoft.ML.Transforms.Text;
using TorchSharp;

namespace Microsoft.ML.ForwardSampling.Docs.Tests.HowTo;

/// <summary>The code of docs/how-to: each region stands on the page of its name, compared by <see cref="PagesTests"/>, and runs
/// here.</summary>
public sealed class HowToTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();
    private readonly MLContext _context = new(seed: 1);

    private ForwardSamplingCatalog Fs => _context.ForwardSampling();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void ClassImbalance()
    {
        (MLContext mlContext, ForwardSamplingCatalog fs) = (_context, Fs);
        IDataView recorded = Recorded(6400), test = Rows(2000, 3);
        #region class-imbalance
        var policy = new GroupBudgetPolicy { Inner = new BalancedGradientNormPolicy(), Allocation = GroupAllocation.Even };
        SelectedRows chosen = fs.SelectRows(recorded, policy, new SelectionOptions { LabelColumnName = "Late" });
        using var model = fs.Trainers.BinaryClassification(new NetworkTrainerOptions { LabelColumnName = "Late", Epochs = 60 }).Fit(chosen);
        double areaUnderPrecisionRecall = mlContext.BinaryClassification.Evaluate(model.Transform(test), "Late")
            .AreaUnderPrecisionRecallCurve;
        #endregion
        double shareBefore = recorded.GetColumn<bool>("Late").Average(late => late ? 1.0 : 0);
        double shareChosen = chosen.GetColumn<bool>("Late").Average(late => late ? 1.0 : 0);
        Assert.InRange(shareBefore, 0.02, 0.1);
        Assert.InRange(shareChosen, 0.3, 0.5);
        float[] weights = [.. chosen.GetColumn<float>(ForwardColumns.Weight)];
        double weighed = chosen.GetColumn<bool>("Late").Zip(weights, (late, weight) => late ? weight : 0).Sum() / weights.Sum();
        Assert.Equal(shareBefore, weighed, 0.02);
        Assert.InRange(areaUnderPrecisionRecall, 0.5, 1);
    }

    [Fact]
    public void Weights()
    {
        (MLContext mlContext, ForwardSamplingCatalog fs) = (_context, Fs);
        IDataView recorded = Recorded(1280);
        #region weights
        // Worth is a column of the data: what a wrong answer costs. The selection's weight is multiplied by it.
        SelectedRows chosen = fs.SelectRows(recorded, new BalancedGradientNormPolicy(),
            new SelectionOptions { LabelColumnName = "Late", ExampleWeightColumnName = "Worth" });
        using var network = fs.Trainers.BinaryClassification(new NetworkTrainerOptions { LabelColumnName = "Late" }).Fit(chosen);
        var trees = mlContext.BinaryClassification.Trainers
            .FastTree(labelColumnName: "Late", exampleWeightColumnName: ForwardColumns.Weight).Fit(chosen);
        #endregion
        Assert.NotNull(trees);
        SelectedRows plain = fs.SelectRows(recorded, new BalancedGradientNormPolicy(), new SelectionOptions
        {
            LabelColumnName = "Late",
            Seed = 4
        });
        SelectedRows worth = fs.SelectRows(recorded, new BalancedGradientNormPolicy(), new SelectionOptions
        {
            LabelColumnName = "Late",
            Seed = 4,
            ExampleWeightColumnName = "Worth"
        });
        Assert.Equal(plain.GetColumn<float>(ForwardColumns.Weight).Zip(plain.GetColumn<float>("Worth"), (a, b) => a * b),
            worth.GetColumn<float>(ForwardColumns.Weight), (a, b) => Math.Abs(a - b) <= 1e-5f * a);
    }

    [Fact]
    public void TextColumns()
    {
        (MLContext mlContext, ForwardSamplingCatalog fs) = (_context, Fs);
        IDataView rows = Rows(3000, 1), served = Rows(3000, 2), test = Rows(1000, 3);
        #region text-columns
        var featurize = mlContext.Transforms.Text.FeaturizeText("Words", new TextFeaturizingEstimator.Options
        {
            WordFeatureExtractor = new WordBagEstimator.Options { NgramLength = 2, MaximumNgramsCount = [2000] },
            CharFeatureExtractor = null,
        }, "Note")
            .Append(mlContext.Transforms.Concatenate("Features", "Words", "Features")).Fit(rows);     // fitted once, for all data
        var trainer = fs.Trainers.Regression(new NetworkTrainerOptions { LabelColumnName = "Minutes", Epochs = 20 });
        using var deployed = trainer.Fit(featurize.Transform(rows));

        IDataView recorded = fs.RecordForwardPass(deployed,
            new ForwardRecordingOptions { Task = PredictionTask.Regression, LabelColumnName = "Minutes" })
            .Fit(featurize.Transform(served)).Transform(featurize.Transform(served));
        SelectedRows chosen = fs.SelectRows(recorded, new BalancedGradientNormPolicy(),
            new SelectionOptions { LabelColumnName = "Minutes", Budget = 0.25 });
        using var next = trainer.Fit(chosen, deployed);
        #endregion
        Assert.Equal(750, chosen.Report!.RowsSelected);
        Assert.InRange(mlContext.Regression.Evaluate(next.Transform(featurize.Transform(test)), "Minutes").RSquared, 0.9, 1);
    }

    [Fact]
    public void TextColumns_Hashed()
    {
        (MLContext mlContext, ForwardSamplingCatalog fs) = (_context, Fs);
        IDataView rows = Rows(3000, 1);
        #region text-columns
        var hashed = mlContext.Transforms.Text.TokenizeIntoWords("Tokens", "Note")
            .Append(mlContext.Transforms.Conversion.MapValueToKey("Tokens"))
            .Append(mlContext.Transforms.Text.ProduceHashedNgrams("Features", "Tokens", numberOfBits: 20, ngramLength: 2))
            .Fit(rows);
        var model = fs.Trainers.LowMemoryRegression(new LowMemoryTrainerOptions { LabelColumnName = "Minutes" })
            .Fit(hashed.Transform(rows));
        #endregion
        Assert.Equal(1 << 20, model.Model.FeatureCount);
        Assert.InRange(mlContext.Regression.Evaluate(model.Transform(hashed.Transform(rows)), "Minutes").RSquared, 0.3, 1);
    }

    [Fact]
    public void WarmStart()
    {
        ForwardSamplingCatalog fs = Fs;
        IEnumerable<IDataView> chunks = [.. Enumerable.Range(1, 3).Select(seed => Rows(2000, seed))];
        string path = _folder.File("deployed.zip");
        #region warm-start
        NetworkPredictionTransformer? deployed = null;
        int chunkNumber = 0;
        foreach (IDataView chunk in chunks)
        {
            var trainer = fs.Trainers.Regression(new NetworkTrainerOptions { LabelColumnName = "Minutes", Seed = chunkNumber++ });
            NetworkPredictionTransformer next = trainer.Fit(chunk, deployed);   // null: a new network
            deployed?.Dispose();
            deployed = next;
            fs.Save(deployed, chunk.Schema, path);
        }

        var restarted = (NetworkPredictionTransformer)fs.Load(path, out _);     // after a restart; the optimizer begins afresh
        #endregion
        Assert.True(deployed!.Model.Report!.OptimizerContinued);
        using (deployed)
        using (restarted)
        using (NetworkPredictionTransformer more = fs.Trainers.Regression(new() { LabelColumnName = "Minutes" })
            .Fit(Rows(500, 9), restarted))
            Assert.False(more.Model.Report!.OptimizerContinued);
    }

    [Fact]
    public void Reproducibility()
    {
        #region reproducibility
        float[] Train(IEnumerable<Parcel> parcels)
        {
            var mlContext = new MLContext(seed: 1);
            var fs = mlContext.ForwardSampling();
            IDataView rows = mlContext.Data.LoadFromEnumerable(parcels);
            SelectedRows chosen = fs.SelectRows(rows, new UniformPolicy(), new SelectionOptions { Seed = 2 });
            using var model = fs.Trainers.Regression(new NetworkTrainerOptions { LabelColumnName = "Minutes", Seed = 3 }).Fit(chosen);
            return [.. model.Transform(rows).GetColumn<float>("Score")];
        }
        #endregion
        Assert.Equal(Train(Parcels.Rows(1280, 1)), Train(Parcels.Rows(1280, 1)));
    }

    [Fact]
    public void Gpu()
    {
        ForwardSamplingCatalog fs = Fs;
        IDataView rows = Rows(2000, 1);
        #region gpu
        var options = new NetworkTrainerOptions
        {
            LabelColumnName = "Minutes",
            HiddenLayers = [1024, 1024],
            BatchSize = 1024,
            Device = torch.cuda.is_available() ? "cuda" : "cpu",
            Epochs = 1,
        };
        using var model = fs.Trainers.Regression(options).Fit(rows);
        fs.Save(model, rows.Schema, Path.Combine(Path.GetTempPath(), "minutes.zip"));       // fs.Load scores it on the CPU
        #endregion
        Assert.True(model.Model.ParameterCount > 1_000_000);
        File.Delete(Path.Combine(Path.GetTempPath(), "minutes.zip"));
    }

    [Fact]
    public void Thresholds()
    {
        (MLContext mlContext, ForwardSamplingCatalog fs) = (_context, Fs);
        IDataView rows = Rows(6000, 1), heldOut = Rows(4000, 2), test = Rows(4000, 3);
        #region thresholds
        using var model = fs.Trainers.BinaryClassification(new NetworkTrainerOptions { LabelColumnName = "Late" }).Fit(rows);
        IDataView scored = model.Transform(heldOut);                            // rows that the model was not trained on
        bool[] late = [.. scored.GetColumn<bool>("Late")];
        float[] probability = [.. scored.GetColumn<float>("Probability")];
        // The highest threshold that finds nine late parcels of ten.
        float[] ofLate = [.. probability.Where((_, i) => late[i]).OrderDescending()];
        float threshold = MathF.BitDecrement(ofLate[(int)Math.Ceiling(0.9 * ofLate.Length) - 1]);
        NetworkPredictionTransformer careful = fs.ChangeThreshold(model, threshold);
        #endregion
        Assert.Equal(0.9, Recall(careful.Transform(heldOut)), 0.01);
        Assert.InRange(Recall(careful.Transform(test)), Math.Max(0.8, Recall(model.Transform(test))), 1);
        // As the page says: ML.NET's Evaluate looks at Score alone.
        Assert.Equal(mlContext.BinaryClassification.Evaluate(model.Transform(test), "Late").PositiveRecall,
            mlContext.BinaryClassification.Evaluate(careful.Transform(test), "Late").PositiveRecall);

        static double Recall(IDataView scored) => scored.GetColumn<bool>("Late").Zip(scored.GetColumn<bool>("PredictedLabel"))
            .Where(pair => pair.First).Average(pair => pair.Second ? 1.0 : 0);
    }

    [Fact]
    public void Onnx()
    {
        (MLContext mlContext, ForwardSamplingCatalog fs) = (_context, Fs);
        IDataView rows = Rows(1000, 1);
        string folder = _folder.Path;
        #region onnx
        string path = Path.Combine(folder, "late.onnx");
        using var model = fs.Trainers.BinaryClassification(new NetworkTrainerOptions { LabelColumnName = "Late" }).Fit(rows);
        fs.SaveOnnx(model, path);

        // Anywhere: ONNX Runtime alone.
        using var session = new InferenceSession(path);
        var features = new DenseTensor<float>(new float[] { 0.2f, 0.4f, 0.6f, 0.8f, 0.9f, 0.9f, 0.5f, 0.1f }, [2, 4]);
        using var results = session.Run([NamedOnnxValue.CreateFromTensor("Features", features)]);
        float[] probability = [.. results.Single(result => result.Name == "Probability").AsEnumerable<float>()];

        // Or ML.NET without this library.
        var plain = mlContext.Transforms.ApplyOnnxModel(["Score", "Probability"], ["Features"], path).Fit(rows);
        #endregion
        Assert.Equal(2, probability.Length);
        IDataView ours = model.Transform(rows);
        float[][] theirs = [.. plain.Transform(rows).GetColumn<float[]>("Score")];
        Assert.All(ours.GetColumn<float>("Score").Zip(theirs), pair => Assert.Equal(pair.First, Assert.Single(pair.Second), 1e-5f));
    }

    [Fact]
    public void Onnx_WithItsTransforms()
    {
        (MLContext mlContext, ForwardSamplingCatalog fs) = (_context, Fs);
        IDataView rows = Rows(1000, 1);
        string folder = _folder.Path;
        #region onnx
        var prepare = mlContext.Transforms.NormalizeMeanVariance("Scaled", "Features").Fit(rows);
        using var network = fs.Trainers.Regression(new NetworkTrainerOptions { LabelColumnName = "Minutes", FeatureColumnName = "Scaled" })
            .Fit(prepare.Transform(rows));
        using (FileStream stream = File.Create(Path.Combine(folder, "prepare.onnx")))
            mlContext.Model.ConvertToOnnx(prepare, mlContext.Transforms.SelectColumns("Features").Fit(rows).Transform(rows), stream);
        fs.SaveOnnx(network, Path.Combine(folder, "network.onnx"));

        using var first = new InferenceSession(Path.Combine(folder, "prepare.onnx"));
        using var second = new InferenceSession(Path.Combine(folder, "network.onnx"));
        float[] Score(float[] row)
        {
            using var prepared = first.Run([NamedOnnxValue.CreateFromTensor("Features", new DenseTensor<float>(row, [1, 4]))]);
            var scaled = prepared.Single(result => result.Name == "Scaled.output").AsTensor<float>().ToDenseTensor();
            using var scores = second.Run([NamedOnnxValue.CreateFromTensor("Scaled", scaled)]);
            return [.. scores[0].AsEnumerable<float>()];
        }
        #endregion
        float[] expected = [.. network.Transform(prepare.Transform(rows)).GetColumn<float>("Score").Take(50)];
        Parcel[] parcels = Parcels.Rows(50, 1);
        Assert.All(parcels.Zip(expected), pair => Assert.Equal(pair.Second, Score(pair.First.Features)[0], 1e-4f));
    }

    [Fact]
    public void PredictionPool()
    {
        (MLContext mlContext, ForwardSamplingCatalog fs) = (_context, Fs);
        IDataView rows = Rows(1000, 1);
        using NetworkPredictionTransformer trained = fs.Trainers.Regression(new NetworkTrainerOptions { LabelColumnName = "Minutes" })
            .Fit(rows);
        string path = _folder.File("minutes.zip");
        fs.Save(trained, rows.Schema, path);
        #region prediction-pool
        ITransformer model = fs.Load(path, out DataViewSchema schema);
        var idle = new ConcurrentBag<PredictionEngine<Parcel, Arrival>>();

        float Predict(Parcel parcel)                                            // from any thread
        {
            if (!idle.TryTake(out PredictionEngine<Parcel, Arrival>? engine))
                engine = mlContext.Model.CreatePredictionEngine<Parcel, Arrival>(model,
                    new PredictionEngineOptions { OwnsTransformer = false });
            float minutes = engine.Predict(parcel).Score;
            idle.Add(engine);
            return minutes;
        }
        #endregion
        Assert.NotNull(schema);
        Parcel[] parcels = Parcels.Rows(1000, 1);
        float[] expected = [.. trained.Transform(rows).GetColumn<float>("Score")];
        float[] actual = new float[parcels.Length];
        Parallel.For(0, parcels.Length, i => actual[i] = Predict(parcels[i]));
        Assert.Equal(expected, actual);
        Assert.InRange(idle.Count, 1, parcels.Length / 4);              // used again, not made for each call
        ((IDisposable)model).Dispose();
    }

    [Fact]
    public void WhenNotToUseIt()
    {
        (MLContext mlContext, ForwardSamplingCatalog fs) = (_context, Fs);
        IDataView recorded = Recorded(6400), test = Rows(2000, 3);
        #region when-not-to-use-it
        double[] Areas(IRowSelectionPolicy policy) => [.. Enumerable.Range(1, 5).Select(seed =>
        {
            SelectedRows chosen = fs.SelectRows(recorded, policy, new SelectionOptions { LabelColumnName = "Late", Seed = seed });
            using var model = fs.Trainers.BinaryClassification(new NetworkTrainerOptions { LabelColumnName = "Late", Seed = seed })
                .Fit(chosen);
            return mlContext.BinaryClassification.Evaluate(model.Transform(test), "Late").AreaUnderPrecisionRecallCurve;
        })];
        double[] gains = [.. Areas(new BalancedGradientNormPolicy()).Zip(Areas(new UniformPolicy()), (policy, even) => policy - even)];
        double mean = gains.Average();
        double error = Math.Sqrt(gains.Sum(gain => (gain - mean) * (gain - mean)) / (gains.Length * (gains.Length - 1)));
        bool pays = mean > 2.78 * error;                                        // t of 4 degrees of freedom, 95 % of both sides
        #endregion
        Assert.Equal(5, gains.Length);
        Assert.Equal(pays, mean - 2.78 * error > 0);
    }

    private IDataView Rows(int count, int seed) => _context.Data.LoadFromEnumerable(Parcels.Rows(count, seed));

    /// <summary>Rows that a linear model served.</summary>
    private IDataView Recorded(int count)
    {
        IDataView rows = Rows(count, 2);
        ITransformer deployed = _context.BinaryClassification.Trainers.SdcaLogisticRegression("Late").Fit(Rows(2000, 1));
        return Fs.RecordForwardPass(deployed, new ForwardRecordingOptions { Task = PredictionTask.Binary, LabelColumnName = "Late" })
            .Fit(rows).Transform(rows);
    }

    private sealed class Arrival
    {
        public float Score { get; set; }
    }
}
