using Microsoft.ML;
using Microsoft.ML.Data;

namespace Conformance.Tests;

/// <summary>Labels, scores and predictions → metrics.</summary>
public sealed class EvaluateReplay() : AreaReplay(Name, relative: 1e-6)
{
    private const string Name = "evaluate";
    private readonly MLContext _ml = new(seed: 1);

    public static TheoryData<string> Cases => CasesOf(Name);

    protected override IReadOnlySet<string> Inputs { get; } = new HashSet<string> { "Label", "Score", "Probability", "PredictedLabel", "topKPredictionCount" };

    [Theory, MemberData(nameof(Cases))]
    public void Evaluate_GoldenCase_GivesTheSameMetrics(string name) => Check(name);

    private protected override void Replay(Run run)
    {
        if (run.Name.StartsWith("regression", StringComparison.Ordinal))
            run.Observe("metrics", Regression(run));
        else if (run.Name.StartsWith("binary", StringComparison.Ordinal))
            Binary(run);
        else
            Multiclass(run);
    }

    private RegressionMetrics Regression(Run run) => run.Name switch
    {
        "regression-label-double" => Evaluate(new { Label = 1d, Score = 1f }),
        "regression-label-int" => Evaluate(new { Label = 1, Score = 1f }),
        "regression-score-double" => Evaluate(new { Label = 1f, Score = 1d }),
        "regression-missing-label-column" => _ml.Regression.Evaluate(View(new { Label = 1f, Score = 1f }), "Zzz"),
        "regression-missing-score-column" => _ml.Regression.Evaluate(View(new { Label = 1f, Score = 1f }), "Label", "Zzz"),
        _ => _ml.Regression.Evaluate(Rows.Load(_ml, Rows.FromColumns(run, typeof(LabelScore), "Label", "Score"))),
    };

    private RegressionMetrics Evaluate<T>(T row)
        where T : class => _ml.Regression.Evaluate(View(row));

    private void Binary(Run run)
    {
        BinaryClassificationCatalog catalog = _ml.BinaryClassification;
        switch (run.Name)
        {
            case "binary-label-float":
                FloatLabel[] rows = [.. run["Label"].EnumerateArray().Zip(run["Score"].EnumerateArray(), (l, s) => (Label: (float)Json.Number(l), Score: s.GetSingle()))
                    .Select(r => new FloatLabel { Label = r.Label, Score = r.Score, Probability = 1 / (1 + MathF.Exp(-r.Score)), PredictedLabel = r.Score > 0 })];
                run.Observe("metrics", catalog.Evaluate(_ml.Data.LoadFromEnumerable(rows)));
                break;
            case "binary-label-int":
                catalog.Evaluate(View(new { Label = 1, Score = 1f, Probability = 1f, PredictedLabel = true }));
                break;
            case "binary-evaluate-without-probability":
                catalog.Evaluate(View(new { Label = true, Score = 1f, PredictedLabel = true }));
                break;
            case "binary-noncalibrated-without-probability":
                run.Observe("metrics", catalog.EvaluateNonCalibrated(View(new { Label = true, Score = 1f, PredictedLabel = true }, new { Label = false, Score = -1f, PredictedLabel = false })));
                break;
            case "binary-without-predictedlabel":
                catalog.Evaluate(View(new { Label = true, Score = 1f, Probability = 1f }));
                break;
            case "binary-missing-label":
                catalog.Evaluate(View(new { Label = true, Score = 1f, Probability = 1f, PredictedLabel = true }), "Zzz");
                break;
            case "binary-missing-score":
                catalog.Evaluate(View(new { Label = true, Score = 1f, Probability = 1f, PredictedLabel = true }), "Label", "Zzz");
                break;
            case "binary-confusion-table-text":
                bool[] labels = [true, true, false, false], predicted = [true, false, false, false];
                var table = labels.Zip(predicted, (l, p) => new BinaryRow { Label = l, PredictedLabel = p, Score = p ? 1 : -1, Probability = p ? 0.7f : 0.3f }).ToArray();
                run.Observe("output", Table(catalog.Evaluate(_ml.Data.LoadFromEnumerable(table)).ConfusionMatrix));
                break;
            default:
                IDataView view = Rows.Load(_ml, Rows.FromColumns(run, typeof(BinaryRow), "Label", "Score", "Probability", "PredictedLabel"));
                object? calibrated = Run.Try(() => catalog.Evaluate(view)), plain = Run.Try(() => catalog.EvaluateNonCalibrated(view));
                run.Observe("Evaluate", calibrated as Exception ?? (object)new Dictionary<string, object?> { ["metrics"] = calibrated });
                run.Observe("EvaluateNonCalibrated", Difference(calibrated!, plain!));
                break;
        }
    }

    // "same", or the first member that is not.
    private static string Difference(object calibrated, object plain)
    {
        if (calibrated is Exception e)
            return plain is Exception p && p.GetType() == e.GetType() && p.Message == e.Message ? "same" : $"{plain}";
        return new[] { "Accuracy", "AreaUnderRocCurve", "AreaUnderPrecisionRecallCurve", "F1Score", "PositivePrecision", "PositiveRecall", "NegativePrecision", "NegativeRecall" }
            .FirstOrDefault(m => !Equals(Rows.Get(calibrated, m), Rows.Get(plain, m))) ?? "same";
    }

    private void Multiclass(Run run)
    {
        MulticlassClassificationCatalog catalog = _ml.MulticlassClassification;
        switch (run.Name)
        {
            case "multiclass-label-float":
                run.Observe("metrics", catalog.Evaluate(View(
                    new FloatClass { Label = 0, PredictedLabel = 0, Score = [.7f, .2f, .1f] }, new FloatClass { Label = 2, PredictedLabel = 2, Score = [.1f, .2f, .7f] },
                    new FloatClass { Label = 1, PredictedLabel = 0, Score = [.6f, .3f, .1f] })));
                break;
            case "multiclass-label-class-beyond-scores":
                run.Observe("metrics", catalog.Evaluate(View(
                    new FourClasses { Label = 0, PredictedLabel = 0, Score = [.7f, .2f, .1f] }, new FourClasses { Label = 3, PredictedLabel = 2, Score = [.1f, .2f, .7f] },
                    new FourClasses { Label = 1, PredictedLabel = 1, Score = [.1f, .8f, .1f] }), topKPredictionCount: 2));
                break;
            case "multiclass-label-string-via-MapValueToKey":
                MulticlassClassificationMetrics metrics = FromStrings();
                run.Observe("metrics", metrics);
                run.ObservePart("confusionTable", () => Table(metrics.ConfusionMatrix));
                break;
            case "multiclass-missing-label-column":
                catalog.Evaluate(View(new ClassRow()), "Zzz");
                break;
            case "multiclass-missing-score-column":
                catalog.Evaluate(View(new ClassRow()), "Label", "Zzz");
                break;
            case "multiclass-missing-predictedlabel-column":
                catalog.Evaluate(View(new ClassRow()), "Label", "Score", "Zzz");
                break;
            case "confusionmatrix-GetCountForClassPair":
                ClassRow[] rows = [.. run["Label"].EnumerateArray().Zip(run["PredictedLabel"].EnumerateArray(), (l, p) => OneHot(l.GetUInt32(), p.GetUInt32()))];
                ConfusionMatrix matrix = catalog.Evaluate(View(rows)).ConfusionMatrix;
                run.Observe("Counts", matrix.Counts);
                run.ObservePart("table", () => Table(matrix));
                foreach ((int predicted, int actual) in new[] { (0, 1), (1, 0), (1, 2), (3, 0) })
                    run.Observe($"GetCountForClassPair({predicted},{actual})", Run.Try(() => matrix.GetCountForClassPair(predicted, actual)));
                break;
            default:
                IDataView view = Rows.Load(_ml, Rows.FromColumns(run, typeof(ClassRow), "Label", "PredictedLabel", "Score"));
                run.Observe("metrics", run.In("evaluate", () => catalog.Evaluate(view, topKPredictionCount: run["topKPredictionCount"].GetInt32())));
                break;
        }
    }

    private object? Table(ConfusionMatrix matrix) => Api.Call(_ml, matrix, "GetFormattedConfusionTable");

    private MulticlassClassificationMetrics FromStrings()
    {
        IDataView view = View(
            new StringClass { Text = "b", PredictedText = "b", Score = [.7f, .2f, .1f] }, new StringClass { Text = "a", PredictedText = "a", Score = [.2f, .7f, .1f] },
            new StringClass { Text = "c", PredictedText = "b", Score = [.6f, .1f, .3f] });
        IDataView keyed = Api.Estimator(_ml, "MapValueToKey(Label, Text) then MapValueToKey(PredictedLabel, PredictedText, keyData: [\"b\", \"a\", \"c\"])").Fit(view).Transform(view);
        return _ml.MulticlassClassification.Evaluate(keyed);
    }

    private static ClassRow OneHot(uint label, uint predicted)
    {
        float[] score = [.1f, .1f, .1f];
        score[predicted] = .8f;
        return new() { Label = label, PredictedLabel = predicted, Score = score };
    }

    private IDataView View<T>(params T[] rows)
        where T : class => _ml.Data.LoadFromEnumerable(rows);

    private sealed class LabelScore { public float Label { get; set; } public float Score { get; set; } }
    private sealed class BinaryRow { public bool Label { get; set; } public float Score { get; set; } public float Probability { get; set; } public bool PredictedLabel { get; set; } }

    private sealed class FloatLabel
    {
        public float Label { get; set; }
        public float Score { get; set; }
        public float Probability { get; set; }
        public bool PredictedLabel { get; set; }
    }

    private sealed class ClassRow
    {
        [KeyType(3)] public uint Label { get; set; }
        [KeyType(3)] public uint PredictedLabel { get; set; }
        [VectorType(3)] public float[] Score { get; set; } = [1, 0, 0];
    }

    private sealed class FloatClass { public float Label { get; set; } [KeyType(3)] public uint PredictedLabel { get; set; } [VectorType(3)] public float[]? Score { get; set; } }

    private sealed class FourClasses
    {
        [KeyType(4)] public uint Label { get; set; }
        [KeyType(3)] public uint PredictedLabel { get; set; }
        [VectorType(3)] public float[]? Score { get; set; }
    }

    private sealed class StringClass { public string? Text { get; set; } public string? PredictedText { get; set; } [VectorType(3)] public float[]? Score { get; set; } }
}
