using Microsoft.ML.Data;
using Microsoft.ML.ForwardSampling.Networks;
using Microsoft.ML.ForwardSampling.Records;
using Microsoft.ML.ForwardSampling.RecordViews;
using Microsoft.ML.ForwardSampling.Selection;
using Microsoft.ML.ForwardSampling.Tests.DataViews;
using Microsoft.ML.ForwardSampling.Tests.Networks;

namespace Microsoft.ML.ForwardSampling.Tests.Selection;

/// <summary>The weights that rows bring are in the selection's weight, each once.</summary>
[Collection(TorchCollection.Name)]
public class RowWeightsTests
{
    private static readonly SelectionOptions _small = new() { WindowSize = 10, Budget = 0.2, Seed = 3 };
    private static readonly SelectionOptions _own = _small with { ExampleWeightColumnName = nameof(ThinnedRow.Own) };

    private readonly MLContext _ml = new(seed: 1);

    private ForwardSamplingCatalog Catalog => _ml.ForwardSampling();

    [Fact]
    public void SelectRows_ThinnedRecords_WeightIsMultipliedByTheRecords()
    {
        // FirstRows gives the two rows at the head of each window the weights 1 and 2.
        SelectedRows selected = Catalog.SelectRows(Data(20), new FirstRowsPolicy(), _small);
        Assert.Equal([1f * 1, 2 * 4, 1 * 1, 2 * 4], selected.GetColumn<float>(ForwardColumns.Weight));
        SelectedRows own = Catalog.SelectRows(Data(20), new FirstRowsPolicy(), _own);
        Assert.Equal([1f * 1 * 1, 2 * 4 * 2, 1 * 1 * 2, 2 * 4 * 3], own.GetColumn<float>(ForwardColumns.Weight));
        ViewContract.Check(own);
    }

    [Fact]
    public void SelectRows_RecordWeightNamed_IsTakenOnce()
    {
        SelectedRows selected = Catalog.SelectRows(Data(10), new FirstRowsPolicy(),
            _small with { ExampleWeightColumnName = ForwardColumns.RecordWeight });
        Assert.Equal([1f, 8], selected.GetColumn<float>(ForwardColumns.Weight));
    }

    [Fact]
    public void SelectRows_OfSelectedRows_EveryWeightOnceHoweverItIsNamed()
    {
        SelectedRows once = Catalog.SelectRows(Data(100), new FirstRowsPolicy(), _own);
        IDataView[] inputs = [once, _ml.Data.Cache(once)];
        foreach (IDataView input in inputs)
        {
            SelectionOptions[] seconds = [_small, _own,
                _small with { ExampleWeightColumnName = ForwardColumns.Weight, WeightColumnName = "Second" }];
            foreach (SelectionOptions second in seconds)
            {
                SelectedRows twice = Catalog.SelectRows(input, new FirstRowsPolicy(), second);
                // Rows 0, 1, 50 and 51: both policies' weights, the record's (1 or 4), the row's own.
                Assert.Equal([1f * 1 * 1 * 1, 2 * 2 * 4 * 2, 1 * 1 * 1 * 3, 2 * 2 * 4 * 4],
                    twice.GetColumn<float>(second.WeightColumnName));
                ViewContract.Check(twice);
            }
        }
    }

    [Fact]
    public void SelectRows_FirstWeightRenamed_IsNamedInTheSecond()
    {
        SelectedRows once = Catalog.SelectRows(Data(100), new FirstRowsPolicy(), _own with { WeightColumnName = "First" });
        SelectedRows twice = Catalog.SelectRows(once, new FirstRowsPolicy(), _small with { ExampleWeightColumnName = "First" });
        Assert.Equal([1f, 32, 3, 64], twice.GetColumn<float>(ForwardColumns.Weight));
    }

    [Fact]
    public void SelectRowsStreamed_WeightIsMultipliedToo()
    {
        StreamedRows streamed = Catalog.SelectRowsStreamed(Data(40), new UniformPolicy(),
            new StreamedSelectionOptions { Budget = 0.5, Seed = 1, ExampleWeightColumnName = nameof(ThinnedRow.Own) });
        Assert.Equal(streamed.GetColumn<float>(nameof(ThinnedRow.Own)).Zip(streamed.GetColumn<float>(ForwardColumns.RecordWeight),
            (own, record) => own * record), streamed.GetColumn<float>(ForwardColumns.Weight));
        ViewContract.Check(streamed);
    }

    [Theory]
    [MemberData(nameof(UnbiasedPolicies))]
    public void SelectRows_HalfOfTheStreamThinnedToAnEighth_KeepsHalfOfTheWeight(string name)
    {
        IRowSelectionPolicy policy = PolicyOf(name);
        var records = new JoinedRecord[2_250];
        var random = new Random(5);
        for (int i = 0; i < records.Length; i++)
        {
            // Every ninth record stands for eight rows.
            float loss = (float)-Math.Log(1 - (0.95 * random.NextDouble()));
            records[i] = new JoinedRecord
            {
                Key = (ulong)i,
                KeepingProbability = i % 9 == 0 ? 0.125f : 1,
                Loss = loss,
                GradientNorm = loss + 0.1f,
                Margin = 0.5f,
                Entropy = 0.5f,
                Label = i % 2,
            };
        }

        IDataView view = Catalog.LoadJoined(records, new JoinedRowsOptions { Task = PredictionTask.Binary });
        const int Draws = 150;
        var shares = new double[Draws];
        for (int draw = 0; draw < Draws; draw++)
        {
            SelectedRows chosen = Catalog.SelectRows(view, policy,
                new SelectionOptions { WindowSize = 450, Budget = 0.1, Seed = draw });
            double thinned = 0, all = 0;
            foreach ((ulong key, float weight) in chosen.GetColumn<ulong>(ForwardColumns.Key)
                .Zip(chosen.GetColumn<float>(ForwardColumns.Weight)))
            {
                all += weight;
                thinned += key % 9 == 0 ? weight : 0;
            }

            // The true total is known, so that this is a sum and no ratio.
            Assert.InRange(all, 1, double.MaxValue);
            shares[draw] = thinned / (0.1 * 4_000);
        }

        double mean = shares.Average(), error = Math.Sqrt(shares.Sum(s => (s - mean) * (s - mean)) / (Draws - 1.0) / Draws);
        Assert.InRange(mean, 0.5 - (4 * error), 0.5 + (4 * error));
        Assert.InRange(error, 0, 0.02);
    }

    public static TheoryData<string> UnbiasedPolicies => ["Uniform", "LossStratified", "GradientNorm", "BalancedGradientNorm", "Cube"];

    [Fact]
    public void Fit_RowsNotSelected_TakesTheRecordsWeight()
    {
        TrainingRow[] rows = TrainingData.Rows(60);
        IDataView plain = _ml.Data.LoadFromEnumerable(rows);
        IDataView thinned = _ml.Transforms.CustomMapping<Empty, WithWeight>((_, output) => output.Weight = 3, null).Fit(plain)
            .Transform(plain);
        var options = new NetworkTrainerOptions { HiddenLayers = [4], Epochs = 1, Seed = 2 };
        using NetworkPredictionTransformer byDefault = Catalog.Trainers.Regression(options).Fit(thinned);
        using NetworkPredictionTransformer named = Catalog.Trainers.Regression(
            options with { ExampleWeightColumnName = ForwardColumns.RecordWeight }).Fit(thinned);
        using NetworkPredictionTransformer none = Catalog.Trainers.Regression(options with { Optimizer = new SgdOptions() }).Fit(plain);
        using NetworkPredictionTransformer heavy = Catalog.Trainers.Regression(options with { Optimizer = new SgdOptions() }).Fit(thinned);
        Assert.Equal(named.Transform(plain).GetColumn<float>("Score"), byDefault.Transform(plain).GetColumn<float>("Score"));
        Assert.NotEqual(none.Transform(plain).GetColumn<float>("Score"), heavy.Transform(plain).GetColumn<float>("Score"));
    }

    // What a policy returns

    [Theory]
    [InlineData("3 3", "1 1", "Policy Faulty chose row 3 of a window of 10 after row 3 (place 1 of its choice): rows must be positions 0 "
        + "to 9, each at most once, ascending, and every place must be filled.")]
    [InlineData("5 4", "1 1", "Policy Faulty chose row 4 of a window of 10 after row 5 (place 1 of its choice): rows must be positions 0 "
        + "to 9, each at most once, ascending, and every place must be filled.")]
    [InlineData("5 10", "1 1", "Policy Faulty chose row 10 of a window of 10 (place 1 of its choice): rows must be positions 0 to 9, each "
        + "at most once, ascending, and every place must be filled.")]
    [InlineData("5", "1 1", "Policy Faulty chose row -1 of a window of 10 (place 1 of its choice): rows must be positions 0 to 9, each at "
        + "most once, ascending, and every place must be filled.")]
    [InlineData("5 6", "1", "Policy Faulty gave row 6 of the window the weight 0: a weight must be finite and above 0, and each chosen "
        + "row must get one.")]
    [InlineData("5 6", "1 NaN", "Policy Faulty gave row 6 of the window the weight NaN: a weight must be finite and above 0, and each "
        + "chosen row must get one.")]
    [InlineData("5 6", "-1 1", "Policy Faulty gave row 5 of the window the weight -1: a weight must be finite and above 0, and each "
        + "chosen row must get one.")]
    [InlineData("5 6", "1 Infinity", "Policy Faulty gave row 6 of the window the weight Infinity: a weight must be finite and above 0, "
        + "and each chosen row must get one.")]
    public void Select_PolicyBreaksItsPromise_IsNamed(string rows, string weights, string message)
    {
        var policy = new FaultyPolicy(Array.ConvertAll(rows.Split(' '), int.Parse),
            Array.ConvertAll(weights.Split(' '), text => float.Parse(text, System.Globalization.CultureInfo.InvariantCulture)));
        Assert.Equal(message, Assert.Throws<InvalidOperationException>(() =>
            Catalog.SelectRows(Data(20), policy, _small).GetColumn<float>(ForwardColumns.Weight).Count()).Message);
        var selector = new RowSelector(policy, 1);
        Assert.Equal(message, Assert.Throws<InvalidOperationException>(() => selector.Select(10, new int[2], [7, 7])).Message);
        Assert.Equal(0, selector.Report.Windows);
    }

    private static IRowSelectionPolicy PolicyOf(string name) => name switch
    {
        "Uniform" => new UniformPolicy(),
        "LossStratified" => new LossStratifiedPolicy(),
        "GradientNorm" => new GradientNormPolicy(),
        "BalancedGradientNorm" => new BalancedGradientNormPolicy(),
        _ => new CubePolicy(),
    };

    private IDataView Data(int n) => _ml.Data.LoadFromEnumerable(Enumerable.Range(0, n)
        .Select(i => new ThinnedRow { Loss = i, Own = 1 + (i % 10 / 5) + (i % 10 % 2) + (i / 10 % 3), Record = i % 2 == 0 ? 1 : 4 })
        .ToArray());

    private sealed class ThinnedRow
    {
        [ColumnName(ForwardColumns.Loss)]
        public float Loss { get; set; }

        public float Own { get; set; }

        [ColumnName(ForwardColumns.RecordWeight)]
        public float Record { get; set; }
    }

    private sealed class Empty;

    private sealed class WithWeight
    {
        [ColumnName(ForwardColumns.RecordWeight)]
        public float Weight { get; set; }
    }

    private sealed class FaultyPolicy(int[] chosen, float[] given) : IRowSelectionPolicy
    {
        public string Name => "Faulty";

        public RecordStatistics Needs => RecordStatistics.None;

        public bool IsUnbiased => false;

        public void Select(in SelectionWindow window, ref RepeatableRandom random, Span<int> rows, Span<float> weights)
        {
            chosen.CopyTo(rows);
            given.CopyTo(weights);
        }
    }
}
