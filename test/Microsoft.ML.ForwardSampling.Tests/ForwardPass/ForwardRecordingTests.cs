using Microsoft.ML.Data;
using Microsoft.ML.ForwardSampling.DataViews;
using Microsoft.ML.ForwardSampling.ForwardPass;
using Microsoft.ML.ForwardSampling.Tests.DataViews;

namespace Microsoft.ML.ForwardSampling.Tests.ForwardPass;

public class ForwardRecordingTests
{
    private static readonly ForwardRecordingOptions _binary = new() { Task = PredictionTask.Binary, LabelColumnName = "Flag" };
    private static readonly ForwardRecordingOptions _multiclass = new() { Task = PredictionTask.Multiclass, LabelColumnName = "Class" };

    private readonly MLContext _ml = new(seed: 1);

    // Values

    [Fact]
    public void Regression_RecordsWhatTheFormulasSay()
    {
        ScoredRow[] rows = [new() { RawScore = 3, Label = 1 }, new() { RawScore = -1, Label = 2 },
            new() { RawScore = 4, Label = float.NaN }];

        Assert.Equal(["4 4 2", "9 6 -3", "NaN NaN NaN"], Record(rows, new ForwardRecordingOptions(), out ForwardRecordingReport report));
        Assert.Equal(new ForwardRecordingReport { RowsRecorded = 3, UnlabelledRows = 1 }, report);
    }

    [Fact]
    public void Binary_WithProbability_RecordsFromIt()
    {
        ScoredRow[] rows = [new() { RawProbability = 0.8f, Flag = true }, new() { RawProbability = 0.8f, Flag = false }];

        Assert.Equal(["0.22314 0.2 0.6 0.5004", "1.60944 0.8 0.6 0.5004"], Record(rows, _binary, out _));
    }

    [Fact]
    public void Binary_WithoutProbability_TakesTheScoreAsLogOdds()
    {
        ScoredRow[] rows = [new() { RawScore = 2, Flag = true }, new() { RawScore = 2, Flag = false }];

        Assert.Equal(
            ["0.12693 0.1192 0.76159 0.36533", "2.12693 0.8808 0.76159 0.36533"],
            Record(rows, _binary, out _, _ml.Transforms.CopyColumns("Score", "RawScore")));
    }

    [Fact]
    public void Binary_SingleLabel_IsZeroOrOne()
    {
        ScoredRow[] rows = [new() { RawProbability = 0.8f, Label = 1 }, new() { RawProbability = 0.8f, Label = 2 },
            new() { RawProbability = 0.8f, Label = float.NaN }];

        Assert.Equal(
            ["0.22314 0.2 0.6 0.5004", "NaN NaN 0.6 0.5004", "NaN NaN 0.6 0.5004"],
            Record(rows, _binary with { LabelColumnName = "Label" }, out ForwardRecordingReport report));
        Assert.Equal(new ForwardRecordingReport { RowsRecorded = 3, UnlabelledRows = 1, UnknownClassRows = 1 }, report);
    }

    [Fact]
    public void Multiclass_Probabilities_RecordsWhatTheFormulasSay()
    {
        ScoredRow[] rows = [new() { Class = 0 }, new() { Class = 2 }, new() { Class = 3 }];

        Assert.Equal(
            ["0.35667 0.37417 0.5 0.80182", "2.30259 1.15758 0.5 0.80182", "NaN NaN 0.5 0.80182"],
            Record(rows, _multiclass, out ForwardRecordingReport report));
        Assert.Equal(new ForwardRecordingReport { RowsRecorded = 3, UnlabelledRows = 1 }, report);
    }

    [Fact]
    public void Multiclass_Logits_RecordsTheSoftmax()
    {
        ScoredRow[] rows = [new() { Class = 2, RawScores = [MathF.Log(7) + 90, MathF.Log(2) + 90, 90] }];

        Assert.Equal(["2.3026 1.1576 0.5 0.8018"],
            Record(rows, _multiclass with { MulticlassScores = MulticlassScores.Logits }, out _, digits: 4));
    }

    [Fact]
    public void Multiclass_SingleLabel_CountsFromZero()
    {
        ScoredRow[] rows = [new() { Label = 2 }];

        Assert.Equal(["2.30259 1.15758 0.5 0.80182"], Record(rows, _multiclass with { LabelColumnName = "Label" }, out _));
    }

    [Fact]
    public void Multiclass_SparseScores_AreReadAsTheyStand()
    {
        var ml = new MLContext(seed: 1);
        IDataView data = ml.Data.LoadFromEnumerable([new SparseRow { Score = new VBuffer<float>(3, 1, [1f], [1]), Class = 1 }]);
        ForwardRecordingTransformer recorder = ml.ForwardSampling()
            .RecordForwardPass(ml.Transforms.CopyColumns("Copy", "Class"), _multiclass).Fit(data);

        Assert.Equal(["0 0 1 0"], Statistics(recorder.Transform(data), 5));
    }

    [Fact]
    public void Multiclass_LabelBeyondTheScores_IsNaNAndCounted()
    {
        ScoredRow[] rows = [new() { WideClass = 1 }, new() { WideClass = 5 }];

        Assert.Equal(["1.60944 1.06771 0.5 0.80182", "NaN NaN 0.5 0.80182"],
            Record(rows, _multiclass with { LabelColumnName = "WideClass" }, out ForwardRecordingReport report));
        Assert.Equal(new ForwardRecordingReport { RowsRecorded = 2, UnknownClassRows = 1 }, report);
    }

    [Fact]
    public void Multiclass_ScoresThatAreNoProbabilities_AreCountedAndTheLogPointsAtLogits()
    {
        var messages = new List<string>();
        _ml.Log += (_, e) =>
        {
            if (e.Kind == Microsoft.ML.Runtime.ChannelMessageKind.Warning)
                messages.Add(e.RawMessage);
        };
        ScoredRow[] rows = [new() { RawScores = [3, -1, 0.5f] }, new() { RawScores = [0.5f, 0.5f, 0.5f] }, new(),
            new() { RawScores = [float.NaN, 0, 1] }];

        Assert.Equal(["NaN NaN NaN NaN", "NaN NaN NaN NaN", "0.35667 0.37417 0.5 0.80182", "NaN NaN NaN NaN"],
            Record(rows, _multiclass, out ForwardRecordingReport report));
        Assert.Equal(new ForwardRecordingReport { RowsRecorded = 4, InvalidProbabilityRows = 2, NonFiniteRows = 1 }, report);
        Assert.Equal(
            "4 rows recorded; 1 with scores that are not finite; 2 whose scores are no probabilities (if the model gives raw scores, set "
                + "ForwardRecordingOptions.MulticlassScores to Logits)",
            report.ToString());
        Assert.Equal(
            [
                "A row has scores that are NaN or infinite: its statistics are NaN. Such rows are counted in "
                    + "ForwardRecordingTransformer.Report.NonFiniteRows.",
                "A row has scores that are no probabilities (outside [0, 1], or of a sum that differs from 1 by more than 0.001): its "
                    + "statistics are NaN. Such rows are counted in ForwardRecordingTransformer.Report.InvalidProbabilityRows; if the "
                    + "model gives raw scores, set ForwardRecordingOptions.MulticlassScores to Logits.",
            ],
            messages);
    }

    [Fact]
    public void Binary_ProbabilityOutsideItsRange_IsCounted()
    {
        ScoredRow[] rows = [new() { RawProbability = 1.5f }, new() { RawProbability = float.NaN }];
        Record(rows, _binary, out ForwardRecordingReport report);
        Assert.Equal(new ForwardRecordingReport { RowsRecorded = 2, InvalidProbabilityRows = 1, NonFiniteRows = 1 }, report);
    }

    [Fact]
    public void Regression_InfiniteScoreOrLabel_IsCounted()
    {
        ScoredRow[] rows = [new() { RawScore = float.PositiveInfinity }, new() { Label = float.NegativeInfinity }];
        Assert.Equal(["NaN NaN NaN", "NaN NaN NaN"], Record(rows, new ForwardRecordingOptions(), out ForwardRecordingReport report));
        Assert.Equal(new ForwardRecordingReport { RowsRecorded = 2, NonFiniteRows = 2 }, report);
    }

    // Label missing

    [Theory]
    [InlineData(PredictionTask.Binary)]
    [InlineData(PredictionTask.Multiclass)]
    public void Transform_NoLabelColumn_RecordsWhatNeedsNone(PredictionTask task)
    {
        ScoredRow[] rows = [new() { RawProbability = 0.8f }];
        string[] expected = [task == PredictionTask.Binary ? "NaN NaN 0.6 0.5004" : "NaN NaN 0.5 0.80182"];

        Assert.Equal(expected, Record(rows, new ForwardRecordingOptions { Task = task, LabelColumnName = "NotThere" },
            out ForwardRecordingReport report));
        Assert.Equal(new ForwardRecordingReport { RowsRecorded = 1, UnlabelledRows = 1 }, report);
    }

    [Fact]
    public void Transform_NoLabelColumn_SaysSoInTheLog()
    {
        var messages = new List<string>();
        _ml.Log += (_, e) => messages.Add(e.RawMessage);
        Record([new()], new ForwardRecordingOptions { LabelColumnName = "Target" }, out _);
        Assert.Contains("The data has no label column 'Target': loss, gradient norm and residual are NaN. "
            + "ForwardRecordingOptions.LabelColumnName names a label that is called otherwise.", messages);
    }

    // Contract

    [Theory]
    [InlineData(PredictionTask.Regression, false)]
    [InlineData(PredictionTask.Regression, true)]
    [InlineData(PredictionTask.Binary, false)]
    [InlineData(PredictionTask.Binary, true)]
    [InlineData(PredictionTask.Multiclass, false)]
    [InlineData(PredictionTask.Multiclass, true)]
    public void Estimator_KeepsTheContract(PredictionTask task, bool trained)
    {
        IDataView data = _ml.Data.LoadFromEnumerable(RecordedRow.Make(120));
        IEstimator<ITransformer> trainer = Trainer(task);
        var options = new ForwardRecordingOptions { Task = task, LabelColumnName = Label(task) };
        ForwardRecordingEstimator estimator = trained
            ? _ml.ForwardSampling().RecordForwardPass(trainer.Fit(data), options)
            : _ml.ForwardSampling().RecordForwardPass(trainer, options);

        EstimatorContract.Check(estimator, data);
    }

    [Theory]
    [InlineData(PredictionTask.Regression)]
    [InlineData(PredictionTask.Binary)]
    [InlineData(PredictionTask.Multiclass)]
    public void Estimator_OverAPipelineOfScalars_KeepsTheContract(PredictionTask task)
    {
        IDataView data = _ml.Data.LoadFromEnumerable(RecordedRow.Make(120));
        IEstimator<ITransformer> pipeline = _ml.Transforms.Concatenate("Features", "X", ForwardColumns.Margin).Append(Trainer(task));
        var options = new ForwardRecordingOptions { Task = task, LabelColumnName = Label(task) };

        EstimatorContract.Check(_ml.ForwardSampling().RecordForwardPass(pipeline, options), data);
        EstimatorContract.Check(_ml.ForwardSampling().RecordForwardPass(pipeline.Fit(data), options), data);
    }

    [Fact]
    public void Estimator_WithStepsAfterIt_Fits()
    {
        IDataView data = _ml.Data.LoadFromEnumerable(RecordedRow.Make(60));
        var pipeline = _ml.ForwardSampling().RecordForwardPass(Trainer(PredictionTask.Multiclass),
            new ForwardRecordingOptions { Task = PredictionTask.Multiclass, LabelColumnName = "Class" })
            .Append(_ml.Transforms.Concatenate("Statistics", ForwardColumns.Loss, ForwardColumns.Entropy));

        Assert.Equal(2, ((VectorDataViewType)pipeline.Fit(data).GetOutputSchema(data.Schema)["Statistics"].Type).Size);
    }

    [Fact]
    public void GetOutputSchema_TrainedModelOverAVector_KnowsTheSizeFromTraining()
    {
        // The column that the model's last step adds can only be promised by asking the model itself.
        IDataView data = _ml.Data.LoadFromEnumerable(RecordedRow.Make(60));
        ITransformer trained = Trainer(PredictionTask.Multiclass).Append(_ml.Transforms.CopyColumns("Extra", "Score")).Fit(data);

        EstimatorContract.Check(_ml.ForwardSampling().RecordForwardPass(trained,
            new ForwardRecordingOptions { Task = PredictionTask.Multiclass, LabelColumnName = "Class" }), data);
    }

    [Fact]
    public void GetOutputSchema_TrainedModel_KeepsTheAnnotationsOfColumnsThatPassThrough()
    {
        IDataView raw = _ml.Data.LoadFromEnumerable(RecordedRow.Make(60));
        IDataView data = _ml.Transforms.NormalizeMinMax("Features").Fit(raw).Transform(raw);
        ForwardRecordingEstimator estimator = _ml.ForwardSampling()
            .RecordForwardPass(Trainer(PredictionTask.Regression).Fit(data), PredictionTask.Regression);

        SchemaShape promised = estimator.GetOutputSchema(Shapes.Of(data.Schema));

        Assert.Contains("IsNormalized", Shapes.Find(promised, "Features")!.Value.Annotations.Select(annotation => annotation.Name));
    }

    [Fact]
    public void GetOutputSchema_TrainedModelThatRefusesTheMadeUpSizes_PromisesWhatTheTaskAdds()
    {
        // Two vectors of which no feature column tells the size.
        IDataView data = _ml.Data.LoadFromEnumerable(RecordedRow.Make(60));
        IEstimator<ITransformer> pipeline = _ml.Transforms.Concatenate("Wide", "Features", "X")
            .Append(_ml.Regression.Trainers.Sdca(featureColumnName: "Wide", maximumNumberOfIterations: 5));
        ForwardRecordingEstimator estimator = _ml.ForwardSampling().RecordForwardPass(pipeline.Fit(data), PredictionTask.Regression);

        SchemaShape promised = estimator.GetOutputSchema(Shapes.Of(data.Schema));

        Assert.Superset(new HashSet<string> { "Score", ForwardColumns.Loss, ForwardColumns.GradientNorm, ForwardColumns.Residual, "X" },
            promised.Select(column => column.Name).ToHashSet());
        Assert.Equal(4, ((VectorDataViewType)new EstimatorChain<ITransformer>().Append(estimator).Fit(data)
            .GetOutputSchema(data.Schema)["Wide"].Type).Size);
    }

    [Fact]
    public void Margin_IsAnnotatedAsNormalized()
    {
        IDataView data = _ml.Data.LoadFromEnumerable(new[] { new ScoredRow() });
        DataViewSchema schema = Recorder(_multiclass, data).GetOutputSchema(data.Schema);
        bool normalized = false;
        schema[ForwardColumns.Margin].Annotations.GetValue("IsNormalized", ref normalized);
        Assert.True(normalized);
        Assert.Empty(schema[ForwardColumns.Loss].Annotations.Schema);
    }

    [Fact]
    public void OutputColumns_AreRenamedByOptions()
    {
        IDataView data = _ml.Data.LoadFromEnumerable(new[] { new ScoredRow { RawScore = 3, Label = 1 } });
        var options = new ForwardRecordingOptions { LossColumnName = "L", GradientNormColumnName = "G", ResidualColumnName = "R" };
        IDataView output = EstimatorContract.Check(_ml.ForwardSampling().RecordForwardPass(Scores(), options), data).Transform(data);
        Assert.Equal([4f, 4f, 2f], ((string[])["L", "G", "R"]).Select(name => output.GetColumn<float>(name).Single()));
    }

    [Fact]
    public void Transform_ScoredTwice_BindsToTheNewestScore()
    {
        IDataView data = _ml.Data.LoadFromEnumerable(new[] { new ScoredRow { RawScore = 3, Label = 1 } });
        IDataView once = Recorder(new ForwardRecordingOptions(), data).Transform(data);
        var second = _ml.ForwardSampling().RecordForwardPass(_ml.Transforms.CopyColumns("Score", "Label"), new ForwardRecordingOptions());
        IDataView twice = second.Fit(once).Transform(once);
        Assert.Equal(0, twice.GetColumn<float>(ForwardColumns.Loss).Single());
    }

    // Errors

    [Fact]
    public void Score_Missing_IsNamedAtOnceEverywhere()
    {
        IDataView data = _ml.Data.LoadFromEnumerable(new[] { new ScoredRow() });
        const string message = "Schema mismatch for score column 'Score': expected Single, got no such column. "
            + "The wrapped model adds this column, and ForwardRecordingOptions.Task (Regression) says what it holds; a renamed one is "
                + "given in ForwardRecordingOptions.ScoreColumnName.";
        ForwardRecordingEstimator estimator = _ml.ForwardSampling()
            .RecordForwardPass(_ml.Transforms.CopyColumns("Result", "RawScore"), PredictionTask.Regression);

        Assert.Equal(message, EstimatorContract.CheckRefused(estimator, data));
        EstimatorContract.CheckRefused(new ForwardRecordingTransformer(Host(), _ml.Transforms.CopyColumns("Result", "RawScore").Fit(data),
            false, new ForwardRecordingOptions()), data, message);
    }

    [Fact]
    public void Score_OfAnotherTask_NamesBothTypes()
    {
        IDataView data = _ml.Data.LoadFromEnumerable(new[] { new ScoredRow() });
        ForwardRecordingOptions options = _multiclass;
        ITransformer model = _ml.Transforms.CopyColumns("Score", "RawScore").Fit(data);
        const string message = "Schema mismatch for score column 'Score': expected Vector<Single>, got Single. "
            + "The wrapped model adds this column, and ForwardRecordingOptions.Task (Multiclass) says what it holds; a renamed one is "
                + "given in ForwardRecordingOptions.ScoreColumnName.";

        Assert.Equal(message, EstimatorContract.CheckRefused(_ml.ForwardSampling().RecordForwardPass(model, options), data));
        EstimatorContract.CheckRefused(new ForwardRecordingTransformer(Host(), model, false, options), data, message);
    }

    [Fact]
    public void Probability_OfAnotherType_IsNamed()
    {
        IDataView data = _ml.Data.LoadFromEnumerable(new[] { new ScoredRow() });
        IEstimator<ITransformer> model = _ml.Transforms.CopyColumns("Score", "RawScore")
            .Append(_ml.Transforms.CopyColumns("Probability", "Flag"));
        Assert.Equal(
            "Schema mismatch for probability column 'Probability': expected Single, got Boolean. A calibrated binary model adds this "
                + "column; a renamed one is given in ForwardRecordingOptions.ProbabilityColumnName.",
            EstimatorContract.CheckRefused(_ml.ForwardSampling().RecordForwardPass(model, _binary), data));
    }

    [Theory]
    [InlineData(PredictionTask.Regression, "Text", "Single", "String")]
    [InlineData(PredictionTask.Binary, "Text", "Boolean or Single", "String")]
    [InlineData(PredictionTask.Multiclass, "Flag", "Key or Single", "Boolean")]
    public void Label_OfAnotherType_IsNamedEverywhere(PredictionTask task, string label, string expected, string found)
    {
        IDataView data = _ml.Data.LoadFromEnumerable(new[] { new ScoredRow() });
        var options = new ForwardRecordingOptions { Task = task, LabelColumnName = label };
        IEstimator<ITransformer> model = Scores(task);
        string message = $"Schema mismatch for label column '{label}': expected {expected}, got {found}. "
            + $"ForwardRecordingOptions.Task ({task}) says what it holds; another column is given in "
                + $"ForwardRecordingOptions.LabelColumnName.";

        Assert.Equal(message, EstimatorContract.CheckRefused(_ml.ForwardSampling().RecordForwardPass(model, options), data));
        EstimatorContract.CheckRefused(new ForwardRecordingTransformer(Host(), model.Fit(data), false, options), data, message);
    }

    [Fact]
    public void Fit_WrongLabel_IsFoundBeforeTraining()
    {
        IDataView data = _ml.Data.LoadFromEnumerable(RecordedRow.Make(20));
        var counting = new CountingEstimator(_ml.Regression.Trainers.Sdca());
        Assert.Throws<ArgumentOutOfRangeException>(() => _ml.ForwardSampling()
            .RecordForwardPass(counting, new ForwardRecordingOptions { LabelColumnName = "Flag" }).Fit(data));
        Assert.Equal(0, counting.Fits);
    }

    // Laziness, memory of the current row, threads

    [Fact]
    public void Transform_AllStatisticsRead_ScoreIsComputedOnceARow()
    {
        IDataView data = _ml.Data.LoadFromEnumerable(RecordedRow.Make(50));
        int calls = 0;
        IEstimator<ITransformer> model = _ml.Transforms.CustomMapping<CountingMapping.In, Scored>((source, target) =>
        {
            Interlocked.Increment(ref calls);
            target.Score = source.X;
        }, null);
        IDataView recorded = _ml.ForwardSampling().RecordForwardPass(model, PredictionTask.Regression).Fit(data).Transform(data);

        Drain(recorded, [ForwardColumns.Loss, ForwardColumns.GradientNorm, ForwardColumns.Residual], 50);
        Assert.Equal(50, calls);

        // Active but never read: nothing is computed.
        Drain(recorded, [ForwardColumns.Loss], 0);
        Assert.Equal(50, calls);

        // No statistic wanted: nothing of the model is even asked for.
        Drain(recorded, ["Label"], 50);
        Assert.Equal(50, calls);
    }

    [Fact]
    public void Transform_OnlyMarginWanted_DoesNotOpenTheLabel()
    {
        var spy = new SpyView(_ml.Data.LoadFromEnumerable(new[] { new ScoredRow { RawProbability = 0.8f } }));
        ForwardRecordingTransformer recorder = Recorder(_binary, spy);
        IDataView recorded = recorder.Transform(spy);

        using (DataViewRowCursor cursor = recorded.GetRowCursorSet([recorded.Schema[ForwardColumns.Margin]], 1)[0])
        {
            ValueGetter<float> margin = cursor.GetGetter<float>(recorded.Schema[ForwardColumns.Margin]);
            float value = 0;
            Assert.True(cursor.MoveNext());
            margin(ref value);
            Assert.Equal(0.6f, value, 1e-6f);
        }

        Assert.Equal(["set1(RawScore,RawProbability)"], spy.Opened);
        Assert.Equal(new ForwardRecordingReport { RowsRecorded = 1 }, recorder.Report);
    }

    [Fact]
    public void Transform_ManyReadersAtOnce_GetTheSameValuesAndEveryRowIsCounted()
    {
        IDataView data = _ml.Data.LoadFromEnumerable(RecordedRow.Make(3000));
        ForwardRecordingTransformer recorder = _ml.ForwardSampling().RecordForwardPass(Trainer(PredictionTask.Multiclass),
            new ForwardRecordingOptions { Task = PredictionTask.Multiclass, LabelColumnName = "Class" }).Fit(data);
        IDataView recorded = recorder.Transform(data);

        string[][] reads = new string[8][];
        Parallel.For(0, reads.Length, new ParallelOptions { MaxDegreeOfParallelism = 8 }, i => reads[i] = [.. Statistics(recorded, 6)]);

        Assert.All(reads, read => Assert.Equal(reads[0], read));
        Assert.Equal(8 * 3000, recorder.Report.RowsRecorded);
    }

    [Fact]
    public void Report_CursorStillOpen_ShowsWhatWasHandedOver()
    {
        IDataView data = _ml.Data.LoadFromEnumerable(Enumerable.Range(0, 1500).Select(_ => new ScoredRow()).ToArray());
        ForwardRecordingTransformer recorder = Recorder(new ForwardRecordingOptions(), data);
        IDataView recorded = recorder.Transform(data);
        DataViewRowCursor cursor = recorded.GetRowCursorSet([recorded.Schema[ForwardColumns.Loss]], 1)[0];
        ValueGetter<float> loss = cursor.GetGetter<float>(recorded.Schema[ForwardColumns.Loss]);
        float value = 0;
        while (cursor.MoveNext())
            loss(ref value);

        Assert.Equal(1024, recorder.Report.RowsRecorded);
        cursor.Dispose();
        cursor.Dispose();
        Assert.Equal(1500, recorder.Report.RowsRecorded);
    }

    // Prediction engine, ownership, saving

    [Fact]
    public void PredictionEngine_WithAndWithoutLabel_RecordsEachRow()
    {
        IDataView data = _ml.Data.LoadFromEnumerable(RecordedRow.Make(200));
        ForwardRecordingTransformer recorder = _ml.ForwardSampling().RecordForwardPass(Trainer(PredictionTask.Binary),
            new ForwardRecordingOptions { Task = PredictionTask.Binary, LabelColumnName = "Flag" }).Fit(data);
        string[] inBatch = [.. Statistics(recorder.Transform(data), 5)];
        long before = recorder.Report.RowsRecorded;

        using PredictionEngine<RecordedRow, Recorded> engine = _ml.Model.CreatePredictionEngine<RecordedRow, Recorded>(recorder);
        RecordedRow[] rows = RecordedRow.Make(200);
        Assert.Equal(inBatch.Take(20), rows.Take(20).Select(row => engine.Predict(row).ToString()));
        Assert.Equal(20, recorder.Report.RowsRecorded - before);

        using PredictionEngine<Unlabelled, Recorded> serving = _ml.Model.CreatePredictionEngine<Unlabelled, Recorded>(recorder);
        Recorded served = serving.Predict(new Unlabelled { Features = rows[0].Features });
        Assert.True(float.IsNaN(served.Loss) && float.IsNaN(served.GradientNorm));
        Assert.EndsWith(string.Join(' ', inBatch[0].Split(' ')[2..]), served.ToString());
        Assert.Equal(1, recorder.Report.UnlabelledRows);
    }

    [Fact]
    public void Dispose_OwnsOnlyWhatFitTrained()
    {
        IDataView data = _ml.Data.LoadFromEnumerable(new[] { new ScoredRow() });
        var handedIn = new DisposableTransformer(Scores().Fit(data));
        _ml.ForwardSampling().RecordForwardPass(handedIn, PredictionTask.Regression).Fit(data).Dispose();
        Assert.Equal(0, handedIn.Disposed);

        var trained = new DisposableTransformer(Scores().Fit(data));
        var recorder = new ForwardRecordingTransformer(Host(), trained, ownsInner: true, new ForwardRecordingOptions());
        recorder.Dispose();
        recorder.Dispose();
        Assert.Equal(1, trained.Disposed);
    }

    [Fact]
    public void IsRowToRowMapper_IsTheWrappedModels()
    {
        IDataView data = _ml.Data.LoadFromEnumerable(new[] { new ScoredRow() });
        var recorder = new ForwardRecordingTransformer(Host(), new DisposableTransformer(Scores().Fit(data)) { IsRowToRowMapper = false },
            false, new ForwardRecordingOptions());
        Assert.False(recorder.IsRowToRowMapper);
        Assert.Throws<InvalidOperationException>(() => recorder.GetRowToRowMapper(data.Schema));
    }

    [Fact]
    public void Arguments_Null_AreRefused()
    {
        ForwardSamplingCatalog fs = _ml.ForwardSampling();
        Assert.Throws<ArgumentNullException>(() => fs.RecordForwardPass((ITransformer)null!, PredictionTask.Binary));
        Assert.Throws<ArgumentNullException>(() => fs.RecordForwardPass((IEstimator<ITransformer>)null!, PredictionTask.Binary));
        Assert.Throws<ArgumentNullException>(() => fs.RecordForwardPass(Scores(), (ForwardRecordingOptions)null!));
        Assert.Throws<ArgumentNullException>(() => fs.RecordForwardPass(Scores(), PredictionTask.Binary).Fit(null!));
        Assert.Throws<ArgumentNullException>(() => ((MLContext)null!).ForwardSampling());
    }

    private static void Drain(IDataView view, string[] active, int readFirst)
    {
        DataViewSchema.Column[] columns = [.. active.Select(name => view.Schema[name])];
        using DataViewRowCursor cursor = view.GetRowCursorSet(columns, 1)[0];
        ValueGetter<float>[] getters = [.. columns.Select(column => cursor.GetGetter<float>(column))];
        float value = 0;
        for (int i = 0; cursor.MoveNext(); i++)
        {
            if (i >= readFirst)
                continue;
            foreach (ValueGetter<float> getter in getters)
                getter(ref value);
        }
    }

    private static string Label(PredictionTask task) => task switch
    {
        PredictionTask.Regression => "Label",
        PredictionTask.Binary => "Flag",
        _ => "Class",
    };

    private IEstimator<ITransformer> Trainer(PredictionTask task) => task switch
    {
        PredictionTask.Regression => _ml.Regression.Trainers.Sdca(maximumNumberOfIterations: 5),
        PredictionTask.Binary => _ml.BinaryClassification.Trainers.SdcaLogisticRegression("Flag", maximumNumberOfIterations: 5),
        _ => _ml.MulticlassClassification.Trainers.SdcaMaximumEntropy("Class", maximumNumberOfIterations: 5),
    };

    private IEstimator<ITransformer> Scores(PredictionTask task = PredictionTask.Regression) => task switch
    {
        PredictionTask.Regression => _ml.Transforms.CopyColumns("Score", "RawScore"),
        PredictionTask.Binary => _ml.Transforms.CopyColumns("Score", "RawScore")
            .Append(_ml.Transforms.CopyColumns("Probability", "RawProbability")),
        _ => _ml.Transforms.CopyColumns("Score", "RawScores"),
    };

    private ForwardRecordingTransformer Recorder(ForwardRecordingOptions options, IDataView data, IEstimator<ITransformer>? model = null)
        => _ml.ForwardSampling().RecordForwardPass(model ?? Scores(options.Task), options).Fit(data);

    private Microsoft.ML.Runtime.IHost Host() => ((Microsoft.ML.Runtime.IHostEnvironment)_ml).Register("Test");

    private List<string> Record(ScoredRow[] rows, ForwardRecordingOptions options, out ForwardRecordingReport report,
        IEstimator<ITransformer>? model = null, int digits = 5)
    {
        IDataView data = _ml.Data.LoadFromEnumerable(rows);
        ForwardRecordingTransformer recorder = Recorder(options, data, model);
        List<string> statistics = Statistics(recorder.Transform(data), digits);
        report = recorder.Report;
        return statistics;
    }

    private static List<string> Statistics(IDataView recorded, int digits)
    {
        string[] names = recorded.Schema.GetColumnOrNull(ForwardColumns.Residual) is null
            ? [ForwardColumns.Loss, ForwardColumns.GradientNorm, ForwardColumns.Margin, ForwardColumns.Entropy]
            : [ForwardColumns.Loss, ForwardColumns.GradientNorm, ForwardColumns.Residual];
        DataViewSchema.Column[] columns = [.. names.Select(name => recorded.Schema[name])];
        var rows = new List<string>();
        using DataViewRowCursor cursor = recorded.GetRowCursor(columns);
        ValueGetter<float>[] getters = [.. columns.Select(column => cursor.GetGetter<float>(column))];
        while (cursor.MoveNext())
            rows.Add(Recorded.Text(digits, [.. getters.Select(Get)]));
        return rows;

        static float Get(ValueGetter<float> getter)
        {
            float value = 0;
            getter(ref value);
            return value;
        }
    }

    private sealed class SparseRow
    {
        [VectorType(3)]
        public VBuffer<float> Score { get; set; }

        [KeyType(3)]
        public uint Class { get; set; }
    }

    private sealed class Unlabelled
    {
        [VectorType(3)]
        public float[] Features { get; set; } = [];
    }

    private sealed class Scored
    {
        public float Score { get; set; }
    }

    private sealed class Recorded
    {
        [ColumnName(ForwardColumns.Loss)]
        public float Loss { get; set; }

        [ColumnName(ForwardColumns.GradientNorm)]
        public float GradientNorm { get; set; }

        [ColumnName(ForwardColumns.Margin)]
        public float Margin { get; set; }

        [ColumnName(ForwardColumns.Entropy)]
        public float Entropy { get; set; }

        public static string Text(int digits, float[] values) => string.Join(' ', values.Select(value => Math.Round(value, digits)));

        public override string ToString() => Text(5, [Loss, GradientNorm, Margin, Entropy]);
    }

    private sealed class CountingEstimator(IEstimator<ITransformer> inner) : IEstimator<ITransformer>
    {
        public int Fits { get; private set; }

        public ITransformer Fit(IDataView input)
        {
            Fits++;
            return inner.Fit(input);
        }

        public SchemaShape GetOutputSchema(SchemaShape inputSchema) => inner.GetOutputSchema(inputSchema);
    }

    private sealed class DisposableTransformer(ITransformer inner) : ITransformer, IDisposable
    {
        public int Disposed { get; private set; }

        public bool IsRowToRowMapper { get; init; } = true;

        public void Dispose() => Disposed++;

        public DataViewSchema GetOutputSchema(DataViewSchema inputSchema) => inner.GetOutputSchema(inputSchema);

        public IDataView Transform(IDataView input) => inner.Transform(input);

        public IRowToRowMapper GetRowToRowMapper(DataViewSchema inputSchema) => inner.GetRowToRowMapper(inputSchema);

        void ICanSaveModel.Save(ModelSaveContext ctx) => inner.Save(ctx);
    }
}
