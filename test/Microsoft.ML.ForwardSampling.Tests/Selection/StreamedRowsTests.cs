using Microsoft.ML.Data;
using Microsoft.ML.ForwardSampling.Selection;
using Microsoft.ML.ForwardSampling.Tests.DataViews;

namespace Microsoft.ML.ForwardSampling.Tests.Selection;

public sealed class StreamedRowsTests
{
    private readonly MLContext _ml = new(3);

    public static TheoryData<string> Policies => [.. s_policies.Keys];

    private static readonly Dictionary<string, IRowSelectionPolicy> s_policies = new IRowSelectionPolicy[]
    {
        new UniformPolicy(), new LossStratifiedPolicy(), new LossStratifiedPolicy { ByClass = false }, new GradientNormPolicy(),
            new BalancedGradientNormPolicy(),
        new BalancedGradientNormPolicy { UniformShare = 1 }, new InfoBatchPolicy(), new InfoBatchPolicy { DropRate = 0.99 },
            new TopLossPolicy(), new BottomLossPolicy(),
    }.ToDictionary(policy => policy.ToString()!);

    [Theory, MemberData(nameof(Policies))]
    public void Select_AnyBudget_ExactlyThatManyRowsInOrderAndEveryPassTheSame(string name)
    {
        foreach ((int n, int b) in ((int, int)[])[(1, 1), (2, 1), (7, 7), (50, 1), (50, 13), (50, 49), (1000, 100)])
        {
            StreamedRows selected = _ml.ForwardSampling().SelectRowsStreamed(Data(RecordedRow.Make(n)), s_policies[name], Budget(b));
            int[] rows = [.. selected.GetColumn<int>("Number")];

            Assert.Equal(b, rows.Length);
            Assert.Equal(rows.Distinct().Order(), rows);
            Assert.All(selected.GetColumn<float>(ForwardColumns.Weight), weight => Assert.True(weight > 0 && float.IsFinite(weight)));
            Assert.Equal(rows, selected.GetColumn<int>("Number"));
            Assert.Equal((1, n, b), (selected.Report!.Windows, selected.Report.RowsSeen, selected.Report.RowsSelected));
        }
    }

    [Theory, MemberData(nameof(Policies))]
    public void View_KeepsTheContract(string name)
        => ViewContract.Check(_ml.ForwardSampling().SelectRowsStreamed(Data(RecordedRow.Make(60)), s_policies[name],
            new StreamedSelectionOptions { ExampleWeightColumnName = "OwnWeight", LabelColumnName = "Class" }));

    [Theory, MemberData(nameof(Policies))]
    public void Select_ChancesAndWeights_AreThoseOfAWindowOfAllRows(string name)
    {
        // 24 rows, 6 chosen, one of them with nearly all of the norm and one without any; 3,000 seeds, four standard errors.
        const int n = 24, b = 6, draws = 3000;
        IRowSelectionPolicy policy = s_policies[name];
        RecordedRow[] rows = RecordedRow.Make(n);
        rows[11].GradientNorm = 40;
        rows[5].GradientNorm = 0;
        IDataView data = Data(rows);
        double[] chances = Chances(policy, rows, b);
        var hits = new int[n];
        double[] expected = [.. chances.Select(p => policy.IsUnbiased ? (double)b / n / p : 1)];
        for (int seed = 0; seed < draws; seed++)
        {
            StreamedRows selected = _ml.ForwardSampling().SelectRowsStreamed(data, policy,
                Budget(b) with { Seed = seed, LabelColumnName = "Class" });
            foreach ((int row, float weight) in selected.GetColumn<int>("Number").Zip(selected.GetColumn<float>(ForwardColumns.Weight)))
            {
                hits[row]++;
                Assert.Equal(expected[row], weight, 1e-4 * expected[row]);
            }
        }

        for (int row = 0; row < n; row++)
            Oracle.AssertFrequency(chances[row], hits[row], draws, $"row {row}");
    }

    [Theory]
    [InlineData(0, 3)]
    [InlineData(0, 8)]
    [InlineData(0, 9)]
    [InlineData(0.2f, 5)]
    [InlineData(0.01f, 9)]
    public void Select_SizesFarApart_WeightsComeFromTheExactChances(float share, int b)
    {
        // Norms over twelve orders of magnitude, ties among the large ones, four zeros: who has chance 1 is exact.
        RecordedRow[] rows = RecordedRow.Make(12);
        float[] norms = [1e6f, 1e6f, 999_999.9f, 10, 9.99f, 1, 1e-6f, 1e-6f, 0, 0, 0, 0];
        for (int row = 0; row < 12; row++)
            rows[row].GradientNorm = norms[row];
        double[] p = Oracle.InclusionProbabilities(norms, share, b);
        for (int seed = 0; seed < 50; seed++)
        {
            StreamedRows selected = _ml.ForwardSampling().SelectRowsStreamed(Data(rows),
                new BalancedGradientNormPolicy { UniformShare = share }, Budget(b) with { Seed = seed });
            int[] chosen = [.. selected.GetColumn<int>("Number")];
            Assert.Equal(b, chosen.Length);
            Assert.All(Enumerable.Range(0, 12).Where(row => p[row] > 1 - 1e-12), row => Assert.Contains(row, chosen));
            foreach ((int row, float weight) in chosen.Zip(selected.GetColumn<float>(ForwardColumns.Weight)))
                Assert.Equal(b / 12.0 / p[row], weight, 1e-4 * b / 12.0 / p[row]);
        }
    }

    [Theory]
    [InlineData(6)]
    [InlineData(8)]
    [InlineData(11)]
    public void Select_SizesBeyondADoublesDigits_TheSmallOnesKeepTheirChances(int b)
    {
        // Five rows hold all of the norm but 10⁻²⁰ of it: in the sum of all, the other seven are less than its last bit.
        RecordedRow[] rows = RecordedRow.Make(12);
        float[] norms = [3, 1e-20f, 3.1f, 1e-20f, 2.9f, 2e-20f, 1e-20f, 1.7f, 1e-20f, 1e-20f, 1.1f, 3e-20f];
        for (int row = 0; row < 12; row++)
            rows[row].GradientNorm = norms[row];
        double[] p = Oracle.InclusionProbabilities(norms, 0, b);
        for (int seed = 0; seed < 50; seed++)
        {
            StreamedRows selected = _ml.ForwardSampling().SelectRowsStreamed(Data(rows), new GradientNormPolicy(),
                Budget(b) with { Seed = seed });
            int[] chosen = [.. selected.GetColumn<int>("Number")];
            Assert.Equal(b, chosen.Length);
            foreach ((int row, float weight) in chosen.Zip(selected.GetColumn<float>(ForwardColumns.Weight)))
                Assert.Equal(b / 12.0 / p[row], weight, 1e-4 * b / 12.0 / p[row]);
        }
    }

    [Fact]
    public void Select_LossStratified_ThousandsOfStrata_KeepTheBudgetAndEachClass()
    {
        // Three classes, sixteen binades of 128 strata: they outgrow their first memory several times.
        const int n = 20_000;
        RecordedRow[] rows = RecordedRow.Make(n);
        for (int row = 0; row < n; row++)
        {
            rows[row].Class = (uint)(1 + row % 3);
            rows[row].Loss = (float)Math.Pow(2, row * 7919L % n * 16.0 / n - 8);
        }

        int[] chosen = [.. _ml.ForwardSampling().SelectRowsStreamed(Data(rows), new LossStratifiedPolicy(),
            Budget(1000) with { LabelColumnName = "Class" }).GetColumn<int>("Number")];
        Assert.Equal(1000, chosen.Distinct().Count());
        foreach (IGrouping<(uint, double),
            int> part in Enumerable.Range(0, n).GroupBy(row => (rows[row].Class, Math.Floor(Math.Log2(rows[row].Loss)))))
        {
            HashSet<int> members = [.. part];
            Assert.InRange(chosen.Count(members.Contains), members.Count / 20.0 - 2, members.Count / 20.0 + 2);
        }
    }

    [Fact]
    public void Select_TopLoss_IsTheWindowedChoice()
    {
        RecordedRow[] rows = RecordedRow.Make(3000);
        int[] expected = [.. Enumerable.Range(0, 3000).OrderByDescending(row => rows[row].Loss).Take(300).Order()];
        Assert.Equal(expected, _ml.ForwardSampling().SelectRowsStreamed(Data(rows), new TopLossPolicy()).GetColumn<int>("Number"));
    }

    [Fact]
    public void Select_LossStratified_TakesItsShareOfEveryClassAndDecile()
    {
        RecordedRow[] rows = RecordedRow.Make(3000);
        int[] chosen = [.. _ml.ForwardSampling().SelectRowsStreamed(Data(rows), new LossStratifiedPolicy(),
            new StreamedSelectionOptions { LabelColumnName = "Class" }).GetColumn<int>("Number")];
        foreach (IGrouping<uint, RecordedRow> byClass in rows.GroupBy(row => row.Class))
        {
            RecordedRow[] ordered = [.. byClass.OrderBy(row => row.Loss)];
            for (int part = 0; part < 4; part++)
            {
                HashSet<int> members = [.. ordered.Skip(part * ordered.Length / 4).Take(ordered.Length / 4).Select(row => row.Number)];
                Assert.InRange(chosen.Count(members.Contains), members.Count / 10.0 - 4, members.Count / 10.0 + 4);
            }
        }
    }

    [Theory, MemberData(nameof(Policies))]
    public void Select_NonFiniteStatistics_CountAsTheMeanAndAreReported(string name)
    {
        RecordedRow[] broken = RecordedRow.Make(200), mended = RecordedRow.Make(200);
        Mend(row => row.Loss, (row, value) => row.Loss = value);
        Mend(row => row.GradientNorm, (row, value) => row.GradientNorm = value);
        StreamedRows selected = _ml.ForwardSampling().SelectRowsStreamed(Data(broken), s_policies[name]);

        Assert.Equal(_ml.ForwardSampling().SelectRowsStreamed(Data(mended), s_policies[name],
            new StreamedSelectionOptions { Seed = selected.Seed }).GetColumn<int>("Number"), selected.GetColumn<int>("Number"));
        Assert.Equal(s_policies[name] is UniformPolicy ? 0 : 2, selected.Report!.RepairedRows);

        void Mend(Func<RecordedRow, float> get, Action<RecordedRow, float> set)
        {
            double mean = mended.Where((_, row) => row is not (3 or 90)).Average(row => (double)get(row));
            set(mended[3], (float)mean);
            set(mended[90], (float)mean);
            set(broken[3], float.NaN);
            set(broken[90], float.PositiveInfinity);
        }
    }

    [Fact]
    public void Select_NoRows_NothingIsChosen()
    {
        StreamedRows selected = _ml.ForwardSampling().SelectRowsStreamed(Data([]), new GradientNormPolicy());
        Assert.Empty(selected.GetColumn<int>("Number"));
        Assert.Equal((0, 0), (selected.Report!.Windows, selected.Report.RowsSeen));
    }

    [Fact]
    public void SkippedRows_ColumnActive_IsComputedForChosenRowsOnly()
    {
        var counting = new CountingMapping();
        StreamedRows selected = _ml.ForwardSampling().SelectRowsStreamed(counting.Over(_ml, Data(RecordedRow.Make(1000))),
            new GradientNormPolicy());
        Assert.Equal(100, selected.GetColumn<float>("Expensive").Count());
        Assert.Equal(100, counting.Calls);
    }

    [Fact]
    public void Statistics_AreReadOnceForAllCursors()
    {
        var spy = new SpyView(Data(RecordedRow.Make(20)));
        StreamedRows selected = _ml.ForwardSampling().SelectRowsStreamed(spy, new TopLossPolicy());
        selected.GetColumn<int>("Number").ToArray();
        selected.GetColumn<int>("Number").ToArray();

        const string statistics = "set1(Forward.Loss)", values = "set1(Number,Forward.Loss)";
        Assert.Equal([values, statistics, statistics, statistics, values], spy.Opened);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(5)]
    public void Input_OtherRowsTheSecondTime_FailsLoudly(int skip)
    {
        StreamedRows selected = _ml.ForwardSampling().SelectRowsStreamed(new ReorderingView(Data(RecordedRow.Make(30)), skip),
            new TopLossPolicy());
        Assert.StartsWith("The input order is not repeatable: ",
            Assert.Throws<InvalidOperationException>(() => ViewContract.Read(selected.GetRowCursor(selected.Schema))).Message);
        Assert.Null(selected.Report);
    }

    /// <summary>The same ids, and one other loss in one pass. Pass 0 is the one that shows rows: its cursor is opened first.</summary>
    [Theory]
    [InlineData(0)]
    [InlineData(2)]
    [InlineData(3)]
    public void Input_OneOtherStatisticInALaterPass_FailsBeforeTheReport(int pass)
    {
        int read = 0;
        IEnumerable<RecordedRow> Rows()
        {
            RecordedRow[] rows = RecordedRow.Make(300);
            if (read++ == pass)
                rows[137].Loss = MathF.BitIncrement(rows[137].Loss);
            return rows;
        }

        StreamedRows selected = _ml.ForwardSampling().SelectRowsStreamed(_ml.Data.LoadFromEnumerable(new Again<RecordedRow>(Rows)),
            new TopLossPolicy(), new StreamedSelectionOptions { Seed = 1 });
        Assert.Contains("the ids or the recorded statistics of the 300 rows in a later pass are not those of the first",
            Assert.Throws<InvalidOperationException>(() => selected.GetColumn<int>("Number").ToArray()).Message,
            StringComparison.Ordinal);
        Assert.Null(selected.Report);
    }

    /// <summary>The same rows in another order: where no statistic is read, ids alone tell.</summary>
    [Fact]
    public void Input_InAnotherOrderInTheLastPass_FailsBeforeTheReport()
    {
        IDataView rows = Data(RecordedRow.Make(200));
        StreamedRows selected = _ml.ForwardSampling().SelectRowsStreamed(new OrderChangingView(_ml.Data.ShuffleRows(rows, seed: 8), rows),
            new UniformPolicy(), new StreamedSelectionOptions { Seed = 1 });
        Assert.Contains("are not those of the first", Assert.Throws<InvalidOperationException>(() =>
            selected.GetColumn<int>("Number").ToArray()).Message, StringComparison.Ordinal);
        Assert.Null(selected.Report);
    }

    /// <summary>Rows that are made anew for each pass.</summary>
    private sealed class Again<T>(Func<IEnumerable<T>> rows) : IEnumerable<T>
    {
        public IEnumerator<T> GetEnumerator() => rows().GetEnumerator();

        System.Collections.IEnumerator System.Collections.IEnumerable.GetEnumerator() => GetEnumerator();
    }

    /// <summary>The first cursor is over one view, the others over another.</summary>
    private sealed class OrderChangingView(IDataView first, IDataView others) : IDataView
    {
        private int _opened;

        public DataViewSchema Schema => others.Schema;

        public bool CanShuffle => false;

        public long? GetRowCount() => null;

        public DataViewRowCursor GetRowCursor(IEnumerable<DataViewSchema.Column> columnsNeeded, Random? rand = null)
        {
            IDataView view = Interlocked.Increment(ref _opened) == 1 ? first : others;
            return view.GetRowCursor(columnsNeeded.Select(column => view.Schema[column.Index]));
        }

        public DataViewRowCursor[] GetRowCursorSet(IEnumerable<DataViewSchema.Column> columnsNeeded, int n, Random? rand = null)
            => [GetRowCursor(columnsNeeded)];
    }

    [Fact]
    public void Policy_ThatNeedsAllRows_IsRefusedWithThoseThatDoNot()
    {
        foreach (IRowSelectionPolicy policy in (IRowSelectionPolicy[])[new MeanMatchingPolicy(), new CubePolicy(),
            new SelectiveBackpropPolicy(), new UniformFloorPolicy()])
        {
            var error = Assert.Throws<ArgumentException>(() => _ml.ForwardSampling().SelectRowsStreamed(Data(RecordedRow.Make(5)), policy));
            Assert.Equal(
                $"Policy {policy.Name} cannot select from a stream: its rule needs all rows of a window at once, or remembers windows. "
                + "Uniform, LossStratified, GradientNorm, BalancedGradientNorm, InfoBatch, TopLoss and BottomLoss can; or use "
                    + "SelectRows, in windows. (Parameter 'policy')",
                error.Message);
        }
    }

    [Fact]
    public void Options_AreThoseOfAStreamOnly_CheckedAndNamed()
    {
        Assert.Equal(
            "StreamedSelectionOptions { Budget = 10 %, Seed = , Columns = StatisticColumns { Loss = Forward.Loss, GradientNorm = "
                + "Forward.GradientNorm, Margin = Forward.Margin, Entropy = Forward.Entropy, "
            + "ReferenceLoss = Forward.ReferenceLoss, ActivationNorm = Forward.ActivationNorm, Group =  }, LabelColumnName = Label, "
                + "WeightColumnName = Forward.Weight, ExampleWeightColumnName =  }",
            new StreamedSelectionOptions().ToString());
        Assert.Equal(
            "StreamedSelectionOptions.LabelColumnName and StreamedSelectionOptions.ExampleWeightColumnName are both 'Label': each needs "
                + "a column of its own. (Parameter 'ExampleWeightColumnName')",
            Assert.Throws<ArgumentException>(() => _ml.ForwardSampling().SelectRowsStreamed(Data(RecordedRow.Make(5)), new UniformPolicy(),
                new StreamedSelectionOptions { ExampleWeightColumnName = "Label" })).Message);
    }

    [Fact]
    public void Column_Missing_IsNamedAtOnce()
    {
        IDataView data = _ml.Transforms.DropColumns(ForwardColumns.Loss).Fit(Data(RecordedRow.Make(5)))
            .Transform(Data(RecordedRow.Make(5)));
        Assert.Throws<ArgumentOutOfRangeException>(() => _ml.ForwardSampling().SelectRowsStreamed(data, new TopLossPolicy()));
        Assert.NotEmpty(_ml.ForwardSampling().SelectRowsStreamed(data, new BalancedGradientNormPolicy()).GetColumn<int>("Number"));
    }

    [Fact]
    public void PolicyFromOutside_StreamsByItsOwnPlan()
    {
        RecordedRow[] rows = RecordedRow.Make(200);
        rows[5].Loss = float.NaN;
        StreamedRows selected = _ml.ForwardSampling().SelectRowsStreamed(Data(rows), new AboveMeanPolicy(),
            new StreamedSelectionOptions { Budget = SelectionBudget.Rows(20), LabelColumnName = "Class" });

        double mean = rows.Where(row => float.IsFinite(row.Loss)).Average(row => (double)row.Loss);
        int[] expected = [.. rows.Where(row => (float.IsFinite(row.Loss) ? row.Loss : (float)mean) * row.GradientNorm > mean)
            .Select(row => row.Number).Take(20)];
        Assert.Equal(20, expected.Length);
        Assert.Equal(expected, selected.GetColumn<int>("Number"));
        Assert.Equal((200, 20, 1), (selected.Report!.RowsSeen, selected.Report.RowsSelected, selected.Report.RepairedRows));

        // Its plan reads features: no filter has them.
        Assert.StartsWith(
            "Policy AboveMean chooses by features, which a filter over a data view does not see:",
            Assert.Throws<ArgumentException>(() => _ml.ForwardSampling()
                .SelectRowsStreamed(Data(rows), new AboveMeanPolicy { PlanNeeds = RecordStatistics.Features })).Message,
            StringComparison.Ordinal);
    }

    /// <summary>The first rows whose loss times norm is above the mean loss.</summary>
    private sealed record AboveMeanPolicy : IRowSelectionPolicy
    {
        public RecordStatistics PlanNeeds { get; init; } = RecordStatistics.Loss | RecordStatistics.GradientNorm;

        public string Name => "AboveMean";

        public RecordStatistics Needs => PlanNeeds;

        public bool IsUnbiased => false;

        public StreamedPlan NewStreamedPlan() => new Plan(PlanNeeds);

        public void Select(in SelectionWindow window, ref RepeatableRandom random, Span<int> rows, Span<float> weights) =>
            throw new NotSupportedException();

        private sealed class Plan(RecordStatistics needs) : StreamedPlan
        {
            private long _seen;

            public override RecordStatistics Needs => needs;

            public override int Passes => 1;

            public override void Observe(int pass, in StreamedRow row) => _seen++;

            public override void EndPass(int pass) => Assert.Equal(Rows, _seen);

            public override StreamedDraw Start(RepeatableRandom random) => new Draw(this);

            private sealed class Draw(Plan plan) : StreamedDraw
            {
                private long _left = plan.Budget;

                public override bool Take(in StreamedRow row, out float weight)
                {
                    weight = 1;
                    bool take = _left > 0 && row[RecordStatistics.Loss] * row[RecordStatistics.GradientNorm] > plan.Mean(
                        RecordStatistics.Loss);
                    _left -= take ? 1 : 0;
                    return take;
                }
            }
        }
    }

    private static StreamedSelectionOptions Budget(int rows) => new() { Budget = SelectionBudget.Rows(rows) };

    private static double[] Chances(IRowSelectionPolicy policy, RecordedRow[] rows, int b)
    {
        int n = rows.Length;
        float[] norms = [.. rows.Select(row => row.GradientNorm)];
        double mean = rows.Average(row => (double)row.Loss);
        switch (policy)
        {
            case GradientNormPolicy:
                return Oracle.InclusionProbabilities(norms, 0, b);
            case BalancedGradientNormPolicy balanced:
                return Oracle.InclusionProbabilities(norms, balanced.UniformShare, b);
            case InfoBatchPolicy infoBatch:
                return Oracle.InclusionProbabilities([.. rows.Select(row => (float)(row.Loss < mean ? 1 - infoBatch.DropRate : 1))], 0, b);
            case TopLossPolicy:
                return [.. rows.Select(row => rows.Count(other => other.Loss > row.Loss) < b ? 1.0 : 0)];
            case BottomLossPolicy:
                return [.. rows.Select(row => rows.Count(other => other.Loss < row.Loss) < b ? 1.0 : 0)];
            default:
                return [.. Enumerable.Repeat((double)b / n, n)];
        }
    }

    private IDataView Data(RecordedRow[] rows) => _ml.Data.LoadFromEnumerable(rows);
}
