using Microsoft.ML.Data;
using Microsoft.ML.ForwardSampling.Networks;
using Microsoft.ML.ForwardSampling.Selection;
using Microsoft.ML.ForwardSampling.Tests.DataViews;

namespace Microsoft.ML.ForwardSampling.Tests.Selection;

public class SelectedRowsTests
{
    private static readonly SelectionOptions _small = new() { WindowSize = 10, Budget = 0.2, Seed = 3 };

    private readonly MLContext _ml = new(seed: 1);

    // Which rows

    [Theory]
    [InlineData(1)]
    [InlineData(9)]
    [InlineData(10)]
    [InlineData(11)]
    [InlineData(95)]
    public void SelectRows_EveryWindowAndTheShortLastOne_KeepsTheContractAndTheRightRows(int n)
    {
        RecordedRow[] rows = RecordedRow.Make(n);
        SelectedRows selected = _ml.ForwardSampling().SelectRows(_ml.Data.LoadFromEnumerable(rows), new LargestLossPolicy(), _small);

        int[] expected = [.. rows.Chunk(10).SelectMany(window =>
            window.OrderBy(row => row.Loss).TakeLast(_small.Budget.For(window.Length, 10)).Select(row => row.Number).Order())];
        Assert.Equal(expected, Numbers(selected));
        Assert.Equal(expected.Length, selected.GetRowCount());
        ViewContract.Check(selected);
    }

    [Fact]
    public void SelectRows_BudgetInRows_KeepsThemOfAFullWindowAndAShareOfAShortOne()
    {
        var options = _small with { Budget = SelectionBudget.Rows(4) };
        SelectedRows selected = _ml.ForwardSampling().SelectRows(Data(25), new FirstRowsPolicy(), options);

        Assert.Equal([0, 1, 2, 3, 10, 11, 12, 13, 20, 21], Numbers(selected));
        Assert.Equal(10, selected.GetRowCount());
        Assert.Equal([1, 2, 3, 4, 1, 2, 3, 4, 1, 2], selected.GetColumn<float>(ForwardColumns.Weight));
    }

    [Fact]
    public void SelectRows_NoRows_SelectsNone()
    {
        SelectedRows selected = _ml.ForwardSampling().SelectRows(_ml.Data.FilterRowsByColumn(Data(5), "X", lowerBound: 2),
            new FirstRowsPolicy(), _small);

        Assert.Empty(Numbers(selected));
        Assert.Equal(new SelectionReport(), selected.Report);
        Assert.Null(selected.GetRowCount());
    }

    [Fact]
    public void SelectRows_WindowLargerThanTheData_IsOneShortWindow()
    {
        SelectedRows selected = _ml.ForwardSampling().SelectRows(Data(3000), new FirstRowsPolicy(),
            new SelectionOptions { WindowSize = 1 << 20, Budget = 0.001 });
        Assert.Equal([0, 1, 2], Numbers(selected));
    }

    [Theory]
    [InlineData(RecordStatistics.None, "10: None; labels ")]
    [InlineData(RecordStatistics.Entropy | RecordStatistics.Margin, "10: Margin, Entropy; labels ")]
    [InlineData(RecordStatistics.Loss | RecordStatistics.Label, "10: Loss, Label; labels 0,1,2,0,1,2,0,1,2,0")]
    public void Policy_GetsTheStatisticsItNeedsAndNoOthers(RecordStatistics needs, string window)
    {
        var policy = new FirstRowsPolicy(needs);
        Numbers(_ml.ForwardSampling().SelectRows(Data(10), policy, _small with { LabelColumnName = "Class" }));
        Assert.Equal([window], policy.Windows);
    }

    [Theory]
    [InlineData("Flag", "10: Loss, Label; labels ")]
    [InlineData("Label", "10: Loss; labels ")]
    [InlineData("NotThere", "10: Loss; labels ")]
    public void Policy_NeedsClasses_ANumberOrNoColumnGivesNone(string label, string window)
    {
        var policy = new FirstRowsPolicy(RecordStatistics.Loss | RecordStatistics.Label);
        Numbers(_ml.ForwardSampling().SelectRows(Data(10), policy, _small with { LabelColumnName = label }));
        Assert.StartsWith(window, Assert.Single(policy.Windows));
    }

    [Fact]
    public void SelectRows_RenamedColumns_AreRead()
    {
        IDataView data = _ml.Transforms.CopyColumns("L", "OwnWeight").Append(_ml.Transforms.DropColumns(ForwardColumns.Loss)).Fit(Data(12))
            .Transform(Data(12));
        SelectedRows selected = _ml.ForwardSampling().SelectRows(data, new LargestLossPolicy(),
            new SelectionOptions
            {
                WindowSize = 4,
                Budget = SelectionBudget.Rows(1),
                Columns = new() { Loss = "L" },
                WeightColumnName = "W"
            });

        Assert.Equal([3, 7, 11], Numbers(selected));
        Assert.Equal([1, 1, 1], selected.GetColumn<float>("W"));
    }

    [Fact]
    public void SelectRows_NaNStatistics_AreRepairedCountedAndLogged()
    {
        var warnings = new List<string>();
        _ml.Log += (_, e) =>
        {
            if (e.Kind == Microsoft.ML.Runtime.ChannelMessageKind.Warning)
                warnings.Add(e.RawMessage);
        };
        RecordedRow[] rows = RecordedRow.Make(40);
        rows[3].Loss = float.NaN;
        rows[17].Loss = float.PositiveInfinity;
        SelectedRows selected = _ml.ForwardSampling().SelectRows(_ml.Data.LoadFromEnumerable(rows), new LargestLossPolicy(), _small);

        Assert.Null(selected.Report);
        int[] numbers = Numbers(selected);
        Numbers(selected);

        Assert.DoesNotContain(17, numbers);
        Assert.Equal(new SelectionReport
        {
            Windows = 4,
            RowsSeen = 40,
            RowsSelected = 8,
            RepairedRows = 2,
            SumOfWeights = 8,
            LargestWeight = 1
        }, selected.Report);
        Assert.Equal(["2 of 40 rows have a statistic that is NaN or infinite; it counted as its window's mean. RecordForwardPass leaves "
            + "NaN where the label or a usable score is missing."], warnings);
    }

    // Laziness

    [Fact]
    public void SkippedRows_ExpensiveColumnIsComputedForYieldedRowsOnly()
    {
        var counting = new CountingMapping();
        SelectedRows selected = _ml.ForwardSampling().SelectRows(counting.Over(_ml, Data(5000)), new BalancedGradientNormPolicy(),
            new SelectionOptions { WindowSize = 640, Budget = 0.1, Seed = 1 });

        float[] values = [.. selected.GetColumn<float>("Expensive")];

        Assert.Equal(500, values.Length);
        Assert.Equal(500, counting.Calls);
        Assert.Equal(_ml.Data.CreateEnumerable<RecordedRow>(selected, reuseRowObject: false, ignoreMissingColumns: true)
            .Select(row => 2 * row.X), values);
    }

    [Fact]
    public void SkippedRows_ColumnActiveButNeverRead_IsNeverComputed()
    {
        var counting = new CountingMapping();
        SelectedRows selected = _ml.ForwardSampling().SelectRows(counting.Over(_ml, Data(5000)), new BalancedGradientNormPolicy());
        using DataViewRowCursor cursor = selected.GetRowCursor(selected.Schema);
        cursor.GetGetter<float>(selected.Schema["Expensive"]);
        int count = 0;
        while (cursor.MoveNext())
            count++;

        Assert.Equal(500, count);
        Assert.Equal(0, counting.Calls);
    }

    [Fact]
    public void SkippedRows_ThroughSeveralTransforms_StayUncomputed()
    {
        var counting = new CountingMapping();
        IDataView data = _ml.Transforms.Concatenate("Wide", "Features", "Expensive").Append(_ml.Transforms.CopyColumns("Copy", "Wide"))
            .Fit(counting.Over(_ml, Data(10))).Transform(counting.Over(_ml, Data(1000)));
        SelectedRows selected = _ml.ForwardSampling().SelectRows(data, new UniformPolicy(),
            new SelectionOptions { Budget = 0.1, WindowSize = 100 });

        Assert.Equal(100, selected.GetColumn<float[]>("Copy").Count());
        Assert.Equal(100, counting.Calls);
    }

    [Fact]
    public void GetRowCursor_OpensOneLazyCursorForStatisticsAndOneForData()
    {
        var spy = new SpyView(Data(20));
        SelectedRows selected = _ml.ForwardSampling().SelectRows(spy, new FirstRowsPolicy(RecordStatistics.Loss | RecordStatistics.Label),
            _small with { LabelColumnName = "Class", ExampleWeightColumnName = "OwnWeight" });

        selected.GetRowCursor([selected.Schema["X"], selected.Schema[ForwardColumns.Loss]], new Random(1)).Dispose();
        selected.GetRowCursorSet([selected.Schema[ForwardColumns.Weight]], 4)[0].Dispose();
        selected.GetRowCursor([]).Dispose();

        string[] statistics = ["set1(Forward.Loss,Class)"];
        Assert.Equal([.. statistics, "set1(X,Forward.Loss)", .. statistics, "set1(Forward.Loss,OwnWeight)", .. statistics,
            "set1(Forward.Loss)"], spy.Opened);
    }

    // Weight

    [Fact]
    public void Weight_Alone_IsRight()
    {
        SelectedRows selected = _ml.ForwardSampling().SelectRows(Data(20), new FirstRowsPolicy(), _small);
        Assert.Equal([1, 2, 1, 2], selected.GetColumn<float>(ForwardColumns.Weight));
    }

    [Fact]
    public void Weight_RowsHaveTheirOwn_IsTheProduct()
    {
        SelectedRows selected = _ml.ForwardSampling().SelectRows(Data(20), new FirstRowsPolicy(),
            _small with { ExampleWeightColumnName = "OwnWeight" });

        // Rows 0, 1, 10, 11 have weights of their own 1, 2, 3, 4.
        Assert.Equal([1, 4, 3, 8], selected.GetColumn<float>(ForwardColumns.Weight));
        ViewContract.Check(selected);
    }

    [Fact]
    public void Weight_NoRowYet_IsAnError()
    {
        SelectedRows selected = _ml.ForwardSampling().SelectRows(Data(20), new FirstRowsPolicy(), _small);
        using DataViewRowCursor cursor = selected.GetRowCursor(selected.Schema);
        ValueGetter<float> weight = cursor.GetGetter<float>(selected.Schema[ForwardColumns.Weight]);
        float value = 0;
        Assert.Throws<InvalidOperationException>(() => weight(ref value));
    }

    [Fact]
    public void Weight_OfUnbiasedPolicy_KeepsTheMean()
    {
        RecordedRow[] rows = RecordedRow.Make(20_000);
        SelectedRows selected = _ml.ForwardSampling().SelectRows(_ml.Data.LoadFromEnumerable(rows), new BalancedGradientNormPolicy(),
            new SelectionOptions { Budget = 0.1, WindowSize = 500, Seed = 5 });

        double mean = rows.Average(row => (double)row.Loss);
        double estimate = selected.GetColumn<float>(ForwardColumns.Weight)
            .Zip(selected.GetColumn<float>(ForwardColumns.Loss), (weight, loss) => (double)weight * loss).Average();

        // 2,000 rows, stratified by loss: the spread between draws is far below that of a plain sample (1 / sqrt(2000) = 2.2 %).
        Assert.InRange(estimate / mean, 0.98, 1.02);
    }

    // Repeatability

    [Fact]
    public void SelectRows_ReadAgain_GivesTheSameRowsAndWeights()
    {
        SelectedRows selected = _ml.ForwardSampling().SelectRows(Data(1000), new UniformPolicy(),
            new SelectionOptions { WindowSize = 100 });
        int[] first = Numbers(selected);
        Assert.Equal(first, Numbers(selected));
        Assert.NotEqual(Enumerable.Range(0, 100), first);

        int[][] reads = new int[6][];
        Parallel.For(0, reads.Length, i => reads[i] = Numbers(selected));
        Assert.All(reads, read => Assert.Equal(first, read));
    }

    [Fact]
    public void Seed_Given_DecidesAlone_AbsentComesFromTheContext()
    {
        static int[] Run(int contextSeed, int? seed)
        {
            var ml = new MLContext(contextSeed);
            return Numbers(ml.ForwardSampling().SelectRows(ml.Data.LoadFromEnumerable(RecordedRow.Make(500)), new UniformPolicy(),
                new SelectionOptions { WindowSize = 100, Seed = seed }));
        }

        Assert.Equal(Run(1, 9), Run(2, 9));
        Assert.Equal(Run(1, null), Run(1, null));
        Assert.NotEqual(Run(1, null), Run(2, null));
        Assert.NotEqual(Run(1, 9), Run(1, 10));
    }

    [Fact]
    public void StartState_ChunkByChunk_SelectsWhatOnePassOverAllSelects()
    {
        RecordedRow[] rows = RecordedRow.Make(95);
        var policy = new SelectiveBackpropPolicy { History = 15 };
        SelectedRows whole = Select(rows, _small);
        int[] expected = Numbers(whole);

        SelectedRows first = Select(rows[..40], _small);
        Assert.Null(first.State);
        int[] chosen = Numbers(first);
        SelectedRows second = Select(rows[40..],
            _small with { Seed = null, StartState = SavedStates.Load(first.State!.Saved()) });

        Assert.Equal(expected, chosen.Concat(Numbers(second)));
        Assert.Equal(expected.Skip(chosen.Length), Numbers(second)); // each pass starts there
        Assert.Equal(whole.State, second.State);
        Assert.Equal(10, second.Report!.Windows);
        Assert.NotEqual(expected.Skip(chosen.Length), Numbers(Select(rows[40..], _small)));

        SelectedRows Select(RecordedRow[] some, SelectionOptions options) =>
            _ml.ForwardSampling().SelectRows(_ml.Data.LoadFromEnumerable(some), policy, options);
    }

    [Fact]
    public void StartState_OfAnotherPolicyOrBesideASeed_IsRefusedAtOnce()
    {
        var options = new SelectionOptions { StartState = new RowSelector(new UniformPolicy(), 1).State };

        Assert.StartsWith(
            "The saved state is of policy Uniform, and the selector runs LargestLoss:",
            Assert.Throws<ArgumentException>(() => _ml.ForwardSampling().SelectRows(Data(5), new LargestLossPolicy(), options)).Message,
            StringComparison.Ordinal);
        Assert.Equal(
            "SelectionOptions.Seed is 4, and SelectionOptions.StartState brings its own generator: give one of them. (Parameter 'Seed')",
            Assert.Throws<ArgumentException>(() => _ml.ForwardSampling()
                .SelectRows(Data(5), new UniformPolicy(), options with { Seed = 4 })).Message);
    }

    [Fact]
    public void Policy_NeedsFeatures_IsRefusedAtOnce()
    {
        const string expected = "Policy FirstRows chooses by features or learns from the losses of trained rows, which a filter over a "
            + "data view does not see: "
            + "run it in the trainer (NetworkTrainerOptions.Selection) or through a RowSelector. (Parameter 'policy')";
        var policy = new FirstRowsPolicy(RecordStatistics.Features);

        Assert.Equal(expected, Assert.Throws<ArgumentException>(() => _ml.ForwardSampling().SelectRows(Data(5), policy)).Message);
        Assert.Equal(expected, Assert.Throws<ArgumentException>(
            () => _ml.ForwardSampling().SelectThen(policy, _ml.Regression.Trainers.Sdca())).Message);
    }

    [Fact]
    public void CanShuffle_IsFalse_AndAGeneratorIsIgnored()
    {
        SelectedRows selected = _ml.ForwardSampling().SelectRows(_ml.Data.Cache(Data(200)), new UniformPolicy(),
            new SelectionOptions { WindowSize = 20, Seed = 2 });
        Assert.False(selected.CanShuffle);
        Assert.Equal(ViewContract.Read(selected.GetRowCursor(selected.Schema)),
            ViewContract.Read(selected.GetRowCursor(selected.Schema, new Random(4))));
        Assert.Equal(ViewContract.Read(selected.GetRowCursor(selected.Schema)),
            ViewContract.Read(selected.GetRowCursorSet(selected.Schema, 8, new Random(4)).Single()));
    }

    [Fact]
    public void Input_Shuffled_IsRepeatable()
    {
        SelectedRows selected = _ml.ForwardSampling().SelectRows(_ml.Data.ShuffleRows(Data(300), seed: 8), new LargestLossPolicy(), _small);
        int[] first = Numbers(selected);
        Assert.Equal(60, first.Length);
        Assert.Equal(first, Numbers(selected));
        Assert.NotEqual(first.Order(), first);
        ViewContract.Check(selected);
    }

    [Fact]
    public void Input_InAnotherOrderTheSecondTime_FailsLoudly()
    {
        SelectedRows selected = _ml.ForwardSampling().SelectRows(new ReorderingView(Data(30)), new FirstRowsPolicy(), _small);
        var error = Assert.Throws<InvalidOperationException>(() => ViewContract.Read(selected.GetRowCursor(selected.Schema)));
        Assert.StartsWith("The input order is not repeatable: row 0 has id ", error.Message);
        Assert.EndsWith("A selection reads its input more than once and needs the same rows in the same order: put the rows in an array "
            + "before they become a data view, or name every column in mlContext.Data.Cache(rows, names) before SelectRows (without "
            + "names it reads each column when that is first asked for).", error.Message);
        Assert.Null(selected.Report);
    }

    /// <summary>An enumerable that shuffles itself has the same ids in every pass, and other rows behind them.</summary>
    [Fact]
    public void Input_OtherRowsBehindTheSameIdsTheSecondTime_FailsLoudly()
    {
        var random = new Random(1);
        ShuffledRow[] rows = [.. Enumerable.Range(0, 200).Select(i => new ShuffledRow { Score = i, Label = 0 })];
        IDataView shuffled = _ml.Data.LoadFromEnumerable(rows.OrderBy(_ => random.Next()));
        IDataView recorded = _ml.ForwardSampling().RecordForwardPass(_ml.Transforms.CopyColumns("Unused", "Score"),
            PredictionTask.Regression).Fit(shuffled).Transform(shuffled);

        SelectedRows selected = _ml.ForwardSampling().SelectRows(recorded, new TopLossPolicy(),
            new SelectionOptions { WindowSize = 200, Budget = 0.1 });
        var error = Assert.Throws<InvalidOperationException>(() => selected.GetColumn<float>("Score").ToArray());

        Assert.Matches("^The input order is not repeatable: row [0-9]+ has Forward.Loss [0-9]+ where its statistics are read and [0-9]+ "
            + "where its values are. ", error.Message);
        IDataView cached = _ml.Data.Cache(recorded, [.. recorded.Schema.Select(column => column.Name)]);
        Assert.Equal(Enumerable.Range(180, 20).Select(i => (float)i),
            _ml.ForwardSampling().SelectRows(cached, new TopLossPolicy(), new SelectionOptions { WindowSize = 200, Budget = 0.1 })
            .GetColumn<float>("Score").Order());
    }

    [Theory]
    [InlineData(1, "there are 12 rows where statistics are read and more where values are")]
    [InlineData(0, "there are 10 rows where values are read and at least 12 where statistics are")]
    public void Input_WithMoreOrFewerRowsTheSecondTime_FailsLoudly(int longer, string what)
    {
        SelectedRows selected = _ml.ForwardSampling().SelectRows(new GrowingView(Data(12), Data(15), Data(10), longer),
            new FirstRowsPolicy(), new SelectionOptions { WindowSize = 12, Budget = SelectionBudget.Rows(1) });
        var error = Assert.Throws<InvalidOperationException>(() => ViewContract.Read(selected.GetRowCursor(selected.Schema)));
        Assert.Contains(what, error.Message);
    }

    // Under ML.NET's own operations

    [Fact]
    public void Cache_ShuffleRows_TakeRows_SkipRows_FilterRows_Preview_CreateEnumerable_WorkOverIt()
    {
        SelectedRows selected = _ml.ForwardSampling().SelectRows(Data(500), new BalancedGradientNormPolicy(),
            new SelectionOptions { WindowSize = 100, Budget = 0.2, Seed = 6 });
        int[] numbers = Numbers(selected);
        Assert.Equal(100, numbers.Length);

        IDataView cached = _ml.Data.Cache(selected);
        Assert.Equal(numbers, cached.GetColumn<int>("Number"));
        Assert.Equal(numbers, cached.GetColumn<int>("Number"));
        Assert.Equal(selected.GetColumn<float>(ForwardColumns.Weight), cached.GetColumn<float>(ForwardColumns.Weight));
        Assert.Equal(numbers, _ml.Data.ShuffleRows(selected, seed: 1).GetColumn<int>("Number").Order());
        Assert.Equal(numbers.Take(7), _ml.Data.TakeRows(selected, 7).GetColumn<int>("Number"));
        Assert.Equal(numbers.Skip(90), _ml.Data.SkipRows(selected, 90).GetColumn<int>("Number"));
        Assert.All(_ml.Data.FilterRowsByColumn(selected, "X", lowerBound: 0.5).GetColumn<float>("X"), x => Assert.True(x >= 0.5));
        Assert.Equal(5, selected.Preview(5).RowView.Length);
        Assert.Equal(numbers, _ml.Data.CreateEnumerable<RecordedRow>(selected, reuseRowObject: false, ignoreMissingColumns: true)
            .Select(row => row.Number));
        Assert.Equal(numbers, _ml.Transforms.Concatenate("Wide", "Features", ForwardColumns.Weight).Fit(selected).Transform(selected)
            .GetColumn<int>("Number"));
    }

    [Fact]
    public void Report_PassNotFinished_IsTheOneBefore()
    {
        SelectedRows selected = _ml.ForwardSampling().SelectRows(Data(500), new FirstRowsPolicy(), _small);
        using (DataViewRowCursor cursor = selected.GetRowCursor(selected.Schema))
            cursor.MoveNext();
        Assert.Null(selected.Report);
        Numbers(selected);
        Assert.Equal(100, selected.Report!.RowsSelected);
    }

    // Errors

    [Fact]
    public void Column_Missing_IsNamedAtOnce()
    {
        IDataView data = _ml.Transforms.DropColumns(ForwardColumns.Loss).Fit(Data(5)).Transform(Data(5));
        var error = Assert.Throws<ArgumentOutOfRangeException>(() => _ml.ForwardSampling().SelectRows(data, new LargestLossPolicy()));
        Assert.Equal(
            "Schema mismatch for statistics column 'Forward.Loss': expected Single, got no such column. RecordForwardPass adds this "
                + "column; a renamed one is given in StatisticColumns.Loss. (Parameter 'input')",
            error.Message);
    }

    [Fact]
    public void Column_OfAnotherType_NamesBothTypes()
    {
        var error = Assert.Throws<ArgumentOutOfRangeException>(() => _ml.ForwardSampling()
            .SelectRows(Data(5), new LargestLossPolicy(), new SelectionOptions { Columns = new() { Loss = "Features" } }));
        Assert.Equal(
            "Schema mismatch for statistics column 'Features': expected Single, got Vector<Single, 3>. RecordForwardPass adds this "
                + "column; a renamed one is given in StatisticColumns.Loss. (Parameter 'input')",
            error.Message);
    }

    [Theory]
    [InlineData(RecordStatistics.GradientNorm)]
    [InlineData(RecordStatistics.Margin)]
    [InlineData(RecordStatistics.Entropy)]
    public void Column_OfEachStatistic_IsNamedWithItsOption(RecordStatistics statistic)
    {
        IDataView data = _ml.Transforms.DropColumns($"Forward.{statistic}").Fit(Data(5)).Transform(Data(5));
        var error = Assert.Throws<ArgumentOutOfRangeException>(
            () => _ml.ForwardSampling().SelectRows(data, new FirstRowsPolicy(statistic)));
        Assert.Equal(
            $"Schema mismatch for statistics column 'Forward.{statistic}': expected Single, got no such column. RecordForwardPass adds "
                + $"this column; a renamed one is given in StatisticColumns.{statistic}.",
            EstimatorContract.WithoutParameter(error));
    }

    [Fact]
    public void ExampleWeight_OfAnotherType_IsNamed()
    {
        var error = Assert.Throws<ArgumentOutOfRangeException>(() =>
            _ml.ForwardSampling().SelectRows(Data(5), new UniformPolicy(), new SelectionOptions { ExampleWeightColumnName = "Number" }));
        Assert.Equal(
            "Schema mismatch for example weight column 'Number': expected Single, got Int32. SelectionOptions.ExampleWeightColumnName "
                + "names it; leave that null if rows have no weight of their own.",
            EstimatorContract.WithoutParameter(error));
    }

    [Fact]
    public void Label_OfAnotherType_IsNamedOnlyWhenNeeded()
    {
        var options = new SelectionOptions { LabelColumnName = "Features" };
        _ml.ForwardSampling().SelectRows(Data(5), new FirstRowsPolicy(), options);
        var error = Assert.Throws<ArgumentOutOfRangeException>(
            () => _ml.ForwardSampling().SelectRows(Data(5), new FirstRowsPolicy(RecordStatistics.Loss | RecordStatistics.Label), options));
        Assert.Equal(
            "Schema mismatch for label column 'Features': expected Boolean, Key or Single, got Vector<Single, 3>. MapValueToKey makes a "
                + "key of any label; another column is given in SelectionOptions.LabelColumnName.",
            EstimatorContract.WithoutParameter(error));
    }

    [Fact]
    public void Options_ThatContradictEachOther_AreRefused()
        => Assert.Throws<ArgumentException>(() => _ml.ForwardSampling()
            .SelectRows(Data(5), new UniformPolicy(), new SelectionOptions { WindowSize = 4, Budget = SelectionBudget.Rows(5) }));

    [Fact]
    public void Arguments_Null_AreRefused()
    {
        Assert.Throws<ArgumentNullException>(() => _ml.ForwardSampling().SelectRows(null!, new UniformPolicy()));
        Assert.Throws<ArgumentNullException>(() => _ml.ForwardSampling().SelectRows(Data(5), null!));
    }

    private static int[] Numbers(IDataView view) => [.. view.GetColumn<int>("Number")];

    private IDataView Data(int n) => _ml.Data.LoadFromEnumerable(RecordedRow.Make(n));

    /// <summary>The first cursor reads one view, the second a longer or a shorter one.</summary>
    private sealed class GrowingView(IDataView first, IDataView longer, IDataView shorter, int takeLonger) : IDataView
    {
        private int _opened;

        public DataViewSchema Schema => first.Schema;

        public bool CanShuffle => false;

        public long? GetRowCount() => null;

        public DataViewRowCursor GetRowCursor(IEnumerable<DataViewSchema.Column> columnsNeeded, Random? rand = null)
        {
            IDataView view = _opened++ == 0 ? first : takeLonger == 1 ? longer : shorter;
            return view.GetRowCursor(columnsNeeded);
        }

        public DataViewRowCursor[] GetRowCursorSet(IEnumerable<DataViewSchema.Column> columnsNeeded, int n, Random? rand = null) =>
            [GetRowCursor(columnsNeeded)];
    }

    private sealed class ShuffledRow
    {
        public float Score { get; set; }

        public float Label { get; set; }
    }
}
