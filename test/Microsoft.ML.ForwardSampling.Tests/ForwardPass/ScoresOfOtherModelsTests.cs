using Microsoft.ML.Data;
using Microsoft.ML.ForwardSampling.ForwardPass;
using Microsoft.ML.ForwardSampling.Records;
using Microsoft.ML.ForwardSampling.RecordViews;

namespace Microsoft.ML.ForwardSampling.Tests.ForwardPass;

/// <summary>Models whose columns are shaped otherwise than those of ML.NET's trainers: ONNX gives a number as a vector of one,
/// TextClassification raw logits and a key.</summary>
public sealed class ScoresOfOtherModelsTests : IDisposable
{
    private readonly MLContext _ml = new(seed: 1);
    private readonly string _folder = Directory.CreateTempSubdirectory("forward-sampling-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public void Regression_ScoreIsAVectorOfOne_IsReadAsANumber()
    {
        IDataView recorded = Record(Copy("ScoreVector"), new ForwardRecordingOptions { LabelColumnName = "Number" });

        Assert.Equal([0.25f, 4f], recorded.GetColumn<float>(ForwardColumns.Loss));
        Assert.Equal([-0.5f, 2f], recorded.GetColumn<float>(ForwardColumns.Residual));
    }

    [Fact]
    public void Binary_ScoreAndProbabilityAreVectorsOfOne_AreReadAsNumbers()
    {
        IEstimator<ITransformer> model = Copy("ScoreVector").Append(_ml.Transforms.CopyColumns("Probability", "ProbabilityVector"));

        IDataView recorded = Record(model, new ForwardRecordingOptions { Task = PredictionTask.Binary, LabelColumnName = "Flag" });

        Assert.Equal([0.75f, 0.25f], recorded.GetColumn<float>(ForwardColumns.GradientNorm));
    }

    [Fact]
    public void RecordTo_VectorsOfOne_WritesWhatANumberWould()
    {
        IDataView vectors = Copy("ScoreVector").Fit(Rows()).Transform(Rows()),
            numbers = _ml.Transforms.CopyColumns("Score", "ScoreNumber").Fit(Rows()).Transform(Rows());

        Assert.Equal(Logged(numbers, "numbers"), Logged(vectors, "vectors"));
    }

    [Fact]
    public void Regression_ScoreIsAVectorOfThree_IsRefusedByName()
    {
        ArgumentException error = Assert.ThrowsAny<ArgumentException>(
            () => Record(_ml.Transforms.CopyColumns("Score", "Logits"), new ForwardRecordingOptions { LabelColumnName = "Number" }));

        Assert.Contains("Schema mismatch for score column 'Score': expected Single, got Vector<Single, 3>.", error.Message,
            StringComparison.Ordinal);
    }

    /// <summary>Microsoft.ML.TorchSharp's TextClassification adds PredictedLabel, a key, and Score, a vector of raw logits.</summary>
    [Fact]
    public void TextClassification_RawLogitsAndAKey_AreRecordedAsLogits()
    {
        IDataView rows = _ml.Transforms.Conversion.MapValueToKey("Class", "Name").Fit(Rows()).Transform(Rows());
        IEstimator<ITransformer> model = _ml.Transforms.CopyColumns("Score", "Logits")
            .Append(_ml.Transforms.CopyColumns("PredictedLabel", "Class"));
        var options = new ForwardRecordingOptions
        {
            Task = PredictionTask.Multiclass,
            MulticlassScores = MulticlassScores.Logits,
            LabelColumnName = "Class"
        };

        IDataView recorded = _ml.ForwardSampling().RecordForwardPass(model, options).Fit(rows).Transform(rows);

        // Logits (3, 1, -2) and (-1, 0.5, 0): -ln softmax at classes 0 and 1, by hand.
        float[] loss = [.. recorded.GetColumn<float>(ForwardColumns.Loss)];
        Assert.Equal(-3 + Math.Log(Math.Exp(3) + Math.Exp(1) + Math.Exp(-2)), loss[0], 1e-6);
        Assert.Equal(-0.5 + Math.Log(Math.Exp(-1) + Math.Exp(0.5) + 1), loss[1], 1e-6);
    }

    [Fact]
    public void TextClassification_TakenForProbabilities_IsCountedAndTold()
    {
        IDataView rows = _ml.Transforms.Conversion.MapValueToKey("Class", "Name").Fit(Rows()).Transform(Rows());
        var messages = new List<string>();
        _ml.Log += (_, e) => messages.Add(e.Message);
        var options = new ForwardRecordingOptions { Task = PredictionTask.Multiclass, LabelColumnName = "Class" };
        ForwardRecordingTransformer recorder = _ml.ForwardSampling()
            .RecordForwardPass(_ml.Transforms.CopyColumns("Score", "Logits"), options).Fit(rows);

        Assert.All(recorder.Transform(rows).GetColumn<float>(ForwardColumns.Loss), loss => Assert.True(float.IsNaN(loss)));
        Assert.Equal(2, recorder.Report.InvalidProbabilityRows);
        Assert.Contains(messages, message => message.Contains("set ForwardRecordingOptions.MulticlassScores to Logits",
            StringComparison.Ordinal));
    }

    private IEstimator<ITransformer> Copy(string column) => _ml.Transforms.CopyColumns("Score", column);

    private IDataView Record(IEstimator<ITransformer> model, ForwardRecordingOptions options)
        => _ml.ForwardSampling().RecordForwardPass(model, options).Fit(Rows()).Transform(Rows());

    private RegressionRecord[] Logged(IDataView scored, string name)
    {
        string folder = Path.Combine(_folder, name);
        using (var log = new ForwardRecordLog<RegressionRecord>(folder))
        {
            IDataView logged = _ml.ForwardSampling().RecordTo(scored, log, new RecordToOptions { KeyColumnName = "Id" });
            Assert.Equal(2, logged.GetColumn<ulong>("Id").Count());
            log.Flush();
        }

        using var reader = new ForwardRecordReader<RegressionRecord>(folder);
        var records = new RegressionRecord[4];
        return [.. records.AsSpan(0, reader.Read(records)).ToArray().Select(r => new RegressionRecord(r.Key, r.Score))];
    }

    private IDataView Rows() => _ml.Data.LoadFromEnumerable(
    [
        new Row { Id = 7, ScoreVector = [0.5f], ScoreNumber = 0.5f, ProbabilityVector = [0.25f], Logits = [3, 1, -2], Number = 1,
            Flag = true, Name = "first" },
        new Row { Id = 8, ScoreVector = [3f], ScoreNumber = 3f, ProbabilityVector = [0.25f], Logits = [-1, 0.5f, 0], Number = 1,
            Flag = false, Name = "second" },
    ]);

    private sealed class Row
    {
        public ulong Id { get; set; }

        [VectorType(1)]
        public float[] ScoreVector { get; set; } = [];

        public float ScoreNumber { get; set; }

        [VectorType(1)]
        public float[] ProbabilityVector { get; set; } = [];

        [VectorType(3)]
        public float[] Logits { get; set; } = [];

        public float Number { get; set; }

        public bool Flag { get; set; }

        public string Name { get; set; } = "";
    }
}
