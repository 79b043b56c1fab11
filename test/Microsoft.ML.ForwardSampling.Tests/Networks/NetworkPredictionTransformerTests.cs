using Microsoft.ML.Data;
using Microsoft.ML.ForwardSampling.Networks;
using Microsoft.ML.ForwardSampling.Tests.DataViews;
using Microsoft.ML.ForwardSampling.Tests.Networks;
using TorchSharp;
using static TorchSharp.torch;

namespace Microsoft.ML.ForwardSampling.Tests.Networks;

[Collection(TorchCollection.Name)]
public class NetworkPredictionTransformerTests
{
    private readonly MLContext _context = new(seed: 1);

    [Fact]
    public void Transform_ManyRows_EqualsThePredictionEngineBitByBit()
    {
        TrainingRow[] rows = TrainingData.Rows(3000);
        IDataView data = _context.Data.LoadFromEnumerable(rows);
        using NetworkPredictionTransformer model = Fit(data);
        using PredictionEngine<TrainingRow, Prediction> engine =
            _context.Model.CreatePredictionEngine<TrainingRow, Prediction>(model, new PredictionEngineOptions { OwnsTransformer = false });
        Assert.Equal(rows.Select(row => engine.Predict(row).Score), TrainingData.Scores(model.Transform(data)));
    }

    [Fact]
    public void Transform_OtherColumns_StayWithTheirRows()
    {
        TrainingRow[] rows = TrainingData.Rows(2500);
        IDataView data = _context.Data.LoadFromEnumerable(rows);
        using NetworkPredictionTransformer model = Fit(data);
        ScoredRow[] scored = [.. _context.Data.CreateEnumerable<ScoredRow>(model.Transform(data), reuseRowObject: false)];
        Assert.Equal(rows.Select(r => (r.Label, r.Band, r.IsHigh)), scored.Select(r => (r.Label, r.Band, r.IsHigh)));
        Assert.Equal(rows.Select(r => r.Features), scored.Select(r => r.Features));
    }

    [Fact]
    public void Transform_UsersNetwork_IsCalledOnceABlock()
    {
        IDataView data = TrainingData.View(_context, 2032);
        var network = new CountingNetwork();
        using NetworkPredictionTransformer model = _context.ForwardSampling().Trainers
            .Regression(new NetworkTrainerOptions { Network = (_, _, _) => network, MaximumSteps = 1, Seed = 1 }).Fit(data);
        network.Calls = 0;
        TrainingData.Scores(model.Transform(data));
        // Blocks of 16, 32, 64, 128, 256, 512 and 1,024 rows.
        Assert.Equal(7, network.Calls);
    }

    [Fact]
    public void Transform_ScoreActiveButNeverRead_NothingIsScored()
    {
        IDataView data = TrainingData.View(_context, 100);
        var network = new CountingNetwork();
        using NetworkPredictionTransformer model = _context.ForwardSampling().Trainers
            .Regression(new NetworkTrainerOptions { Network = (_, _, _) => network, MaximumSteps = 1, Seed = 1 }).Fit(data);
        network.Calls = 0;
        IDataView scored = model.Transform(data);
        using DataViewRowCursor cursor = scored.GetRowCursor(scored.Schema);
        while (cursor.MoveNext())
        {
        }

        Assert.Equal(0, network.Calls);
    }

    [Fact]
    public void Transform_FewRowsTaken_ReadsFewAhead()
    {
        TrainingRow[] rows = TrainingData.Rows(5000);
        int read = 0;
        IEnumerable<TrainingRow> Counted()
        {
            foreach (TrainingRow row in rows)
            {
                read++;
                yield return row;
            }
        }

        using NetworkPredictionTransformer model = Fit(_context.Data.LoadFromEnumerable(rows));
        IDataView scored = model.Transform(_context.Data.LoadFromEnumerable(Counted()));
        Assert.Equal(5, scored.Preview(5).RowView.Length);
        Assert.InRange(read, 5, 17);
    }

    [Fact]
    public void Transform_ParallelReaders_SameScores()
    {
        IDataView data = TrainingData.View(_context, 1500);
        using NetworkPredictionTransformer model = Fit(data);
        float[] expected = TrainingData.Scores(model.Transform(data));
        float[][] all = [.. Enumerable.Range(0, 8).AsParallel().WithDegreeOfParallelism(8)
            .Select(_ => TrainingData.Scores(model.Transform(data)))];
        Assert.All(all, scores => Assert.Equal(expected, scores));
    }

    [Fact]
    public void Transform_WrongFeatureSize_NamesColumnExpectedAndFound()
    {
        using NetworkPredictionTransformer model = Fit(TrainingData.View(_context, 100));
        IDataView scalars = TrainingData.View(_context, 10);
        IDataView wrong = _context.Transforms.Concatenate("Features", "Label", "Weight").Fit(scalars).Transform(scalars);
        EstimatorContract.CheckRefused(model, wrong,
            "Schema mismatch for feature column 'Features': expected Vector<Single, 4>, got Vector<Single, 2>. The network was trained "
            + "on this column.");
    }

    [Fact]
    public void Score_MulticlassProbabilities_SumToOneAndPredictTheLargest()
    {
        IDataView data = TrainingData.WithKey(_context, TrainingData.View(_context, 500));
        using NetworkPredictionTransformer model = _context.ForwardSampling()
            .Trainers.MulticlassClassification(new NetworkTrainerOptions { LabelColumnName = "BandKey", Epochs = 2, Seed = 1 }).Fit(data);
        IDataView scored = model.Transform(data);
        float[][] scores = [.. scored.GetColumn<float[]>("Score")];
        Assert.All(scores, row => Assert.Equal(1f, row.Sum(), 1e-5f));
        Assert.Equal(scores.Select(row => (uint)Array.IndexOf(row, row.Max()) + 1), scored.GetColumn<uint>("PredictedLabel"));
        Assert.Equal(["low", "mid", "high"], _context.Transforms.Conversion.MapKeyToValue("Text", "PredictedLabel").Fit(scored)
            .Transform(scored).GetColumn<string>("Text").Distinct().OrderBy(t => t == "low" ? 0 : t == "mid" ? 1 : 2));
    }

    [Fact]
    public void Dispose_ThenScore_SaysSo()
    {
        IDataView data = TrainingData.View(_context, 100);
        NetworkPredictionTransformer model = Fit(data);
        model.Dispose();
        Assert.ThrowsAny<ObjectDisposedException>(() => model.Transform(data).GetRowCursor(model.Transform(data).Schema));
    }

    private NetworkPredictionTransformer Fit(IDataView data)
        => _context.ForwardSampling().Trainers.Regression(new NetworkTrainerOptions { Epochs = 1, Seed = 1 }).Fit(data);

    private sealed class Prediction
    {
        public float Score { get; set; }
    }

    private sealed class ScoredRow
    {
        [VectorType(4)]
        public float[] Features { get; set; } = [];

        public float Label { get; set; }

        public bool IsHigh { get; set; }

        public string Band { get; set; } = "";

        public float Score { get; set; }
    }

    private sealed class CountingNetwork : nn.Module<Tensor, Tensor>
    {
        private readonly nn.Module<Tensor, Tensor> _layer = nn.Linear(4, 1);

        public CountingNetwork()
            : base(nameof(CountingNetwork))
            => RegisterComponents();

        public int Calls { get; set; }

        public override Tensor forward(Tensor input)
        {
            Calls++;
            return _layer.call(input);
        }
    }
}
