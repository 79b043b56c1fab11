using System.Text.Json;
using Microsoft.ML;
using Microsoft.ML.Data;

namespace Conformance.Tests;

/// <summary>Trainers on one fixed data set, compared loosely: another correct implementation lands near these metrics, not on them.</summary>
public sealed class TrainersReplay() : AreaReplay(Name)
{
    private const string Name = "trainers";

    public static TheoryData<string> Cases => CasesOf(Name);

    // Scores and weights of another implementation differ; README.md suggests the metrics only.
    protected override IReadOnlySet<string> Inputs { get; } = new HashSet<string> { "trainer", "columns", "rows", "firstTestScores", "weights", "bias" };

    [Theory, MemberData(nameof(Cases))]
    public void Fit_GoldenCase_GivesSimilarMetrics(string name) => Check(name);

    private protected override void Replay(Run run)
    {
        if (run.Name == "dataset")
        {
            Assert.Equal(200, Data().Length);
            return;
        }

        (object train, object test) = Metrics(run);
        (object Train, object Test) again = Metrics(run);
        run.Observe("repeatable", Same(train, again.Train) && Same(test, again.Test));
        run.Observe("train", Near(run["train"], train));
        run.Observe("test", Near(run["test"], test));
    }

    private static (object Train, object Test) Metrics(Run run)
    {
        MLContext ml = new(seed: 1);
        IDataView all = ml.Data.LoadFromEnumerable(Data());
        IDataView train = ml.Data.TakeRows(all, 150), test = ml.Data.SkipRows(all, 150);
        bool isRegression = run.Name.StartsWith("regression", StringComparison.Ordinal);
        string text = run.Text("trainer").Replace("ConvertType not needed; ", "", StringComparison.Ordinal);
        IEstimator<ITransformer> trainer = isRegression ? Api.Estimator(ml, text) : Api.BinaryTrainer(ml, text);
        ITransformer model = Api.Estimator(ml, "OneHotEncoding(CEncoded, C) then Concatenate(Features, X1, X2, X3, CEncoded) then NormalizeMinMax(Features)").Append(trainer).Fit(train);
        return (Evaluate(train), Evaluate(test));

        object Evaluate(IDataView rows)
        {
            IDataView scored = model.Transform(rows);
            return isRegression ? ml.Regression.Evaluate(scored, "Y")
                : scored.Schema.GetColumnOrNull("Probability") is null ? ml.BinaryClassification.EvaluateNonCalibrated(scored, "B")
                : ml.BinaryClassification.Evaluate(scored, "B");
        }
    }

    private static bool Same(object first, object second) => Rows.Members(first).All(m => m.Value is not double || Equals(m.Value, Rows.Get(second, m.Key)));

    // The golden metric where the observed one is near enough, else what was observed.
    private static Dictionary<string, object?> Near(JsonElement expected, object metrics) => expected.EnumerateObject().ToDictionary(m => m.Name, m =>
    {
        double wanted = m.Value.GetDouble(), got = (double)Rows.Get(metrics, m.Name)!;
        double tolerance = m.Name switch
        {
            "RSquared" or "AreaUnderRocCurve" => 0.05,
            "Accuracy" or "F1Score" => 0.1,
            "LogLoss" => 0.1 + (0.25 * wanted),
            _ => 0.25 * wanted,
        };
        return (object?)(Math.Abs(got - wanted) <= tolerance ? wanted : got);
    });

    private static Row[] Data() => [.. Golden.Case(Name, "dataset").GetProperty("rows").EnumerateArray().Select(r => new Row
    {
        X1 = r[0].GetSingle(), X2 = r[1].GetSingle(), X3 = r[2].GetSingle(), C = r[3].GetString(), Y = r[4].GetSingle(), B = r[5].GetBoolean(),
    })];

    private sealed class Row
    {
        public float X1 { get; set; }
        public float X2 { get; set; }
        public float X3 { get; set; }
        public string? C { get; set; }
        public float Y { get; set; }
        public bool B { get; set; }
    }
}
