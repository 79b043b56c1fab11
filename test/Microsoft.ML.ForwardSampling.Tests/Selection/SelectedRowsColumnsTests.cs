using Microsoft.ML.Data;
using Microsoft.ML.ForwardSampling.Selection;
using Microsoft.ML.ForwardSampling.Tests.DataViews;

namespace Microsoft.ML.ForwardSampling.Tests.Selection;

/// <summary>Columns beside the recorded statistics: reference loss, group, age and model version.</summary>
public sealed class SelectedRowsColumnsTests
{
    private static readonly SelectionOptions _small = new() { WindowSize = 10, Budget = 0.2, Seed = 3 };

    private readonly MLContext _ml = new(seed: 1);

    // Reference loss

    [Fact]
    public void ReferenceLoss_RecordedWithAnotherModelOrCopied_IsRead()
    {
        Row[] rows = Make(40);
        SelectedRows selected = Select(rows, new ReducibleLossPolicy(), _small);

        Assert.Equal(Expected(rows, row => row.Loss - row.ReferenceLoss), Numbers(selected));
        ViewContract.Check(selected);

        // The deployed model's recorded loss as the reference of a newer model's.
        IDataView data = _ml.Transforms.CopyColumns("Deployed", ForwardColumns.Entropy).Fit(View(rows)).Transform(View(rows));
        selected = _ml.ForwardSampling().SelectRows(data, new ReducibleLossPolicy(),
            _small with { Columns = new() { ReferenceLoss = "Deployed" } });
        Assert.Equal(Expected(rows, row => row.Loss - row.Entropy), Numbers(selected));
    }

    [Fact]
    public void ReferenceLoss_NaN_CountsAsTheWindowsMeanAndIsCounted()
    {
        Row[] rows = Make(10);
        rows[4].ReferenceLoss = float.NaN;
        SelectedRows selected = Select(rows, new ReducibleLossPolicy(), _small);
        int[] numbers = Numbers(selected);
        rows[4].ReferenceLoss = rows.Where(row => row.Number != 4).Average(row => row.ReferenceLoss);

        Assert.Equal(Expected(rows, row => row.Loss - row.ReferenceLoss), numbers);
        Assert.Equal(1, selected.Report!.RepairedRows);
    }

    [Fact]
    public void ReferenceLoss_Missing_SaysHowItIsMade()
    {
        var error = Assert.Throws<ArgumentOutOfRangeException>(
            () => _ml.ForwardSampling().SelectRows(_ml.Data.LoadFromEnumerable(RecordedRow.Make(5)), new ReducibleLossPolicy()));
        Assert.Equal(
            "Schema mismatch for statistics column 'Forward.ReferenceLoss': expected Single, got no such column. RecordForwardPass adds "
                + "this column when the reference model is recorded "
            + "with LossColumnName = 'Forward.ReferenceLoss'; a renamed one is given in StatisticColumns.ReferenceLoss.",
            EstimatorContract.WithoutParameter(error));
    }

    // Groups

    [Theory]
    [InlineData("Segment")] // a key
    [InlineData("Flag")] // a Boolean
    [InlineData(null)] // the label's classes
    public void Group_FromItsColumn_NoGroupIsStarved(string? column)
    {
        Row[] rows = Make(400);
        var options = new SelectionOptions
        {
            WindowSize = 100,
            Budget = 0.05,
            Seed = 4,
            Columns = new() { Group = column },
            LabelColumnName = column is null ? "Class" : "Label"
        };
        SelectedRows selected = Select(rows, new GroupBudgetPolicy { Inner = new TopLossPolicy(), Allocation = GroupAllocation.Even },
            options);
        Func<Row, int> group = column switch
        {
            "Segment" => row => (int)row.Segment,
            "Flag" => row => row.Flag ? 1 : 0,
            _ => row => (int)row.Class
        };
        Row[] chosen = [.. Numbers(selected).Select(number => rows[number])];

        Assert.Equal(20, chosen.Length);
        foreach (var window in rows.Chunk(100))
        {
            int[] counts = [.. window.GroupBy(group)
                .Select(members => chosen.Count(row => row.Number / 100 == window[0].Number / 100 && group(row) == members.Key))];
            Assert.Equal(5, counts.Sum());
            Assert.InRange(counts.Max() - counts.Min(), 0, 1);
        }

        ViewContract.Check(selected);
    }

    [Fact]
    public void Group_MissingKey_IsAGroupOfItsOwn()
    {
        Row[] rows = Make(10);
        foreach (Row row in rows)
            row.Segment = row.Number == 6 ? 77u : 0; // a value outside the key's range is a missing key
        SelectedRows selected = Select(rows, new GroupBudgetPolicy { Inner = new LargestLossPolicy() },
            _small with { Columns = new() { Group = "Segment" } });

        Assert.Contains(6, Numbers(selected));
    }

    [Theory]
    [InlineData(null, "Schema mismatch for group column 'Label': expected Boolean or Key, got Single. ")]
    [InlineData("Number", "Schema mismatch for group column 'Number': expected Boolean or Key, got Int32. ")]
    [InlineData("Nowhere", "Schema mismatch for group column 'Nowhere': expected Boolean or Key, got no such column. ")]
    public void Group_OfAnotherTypeOrMissing_NamesTheOption(string? column, string message)
    {
        var error = Assert.Throws<ArgumentOutOfRangeException>(() =>
            Select(Make(5), new GroupBudgetPolicy { Inner = new UniformPolicy() }, _small with { Columns = new() { Group = column } }));
        Assert.Equal(
            message + "Groups are the keys or Booleans of the column that StatisticColumns.Group names, or without it the classes of the "
                + "label. MapValueToKey makes keys of any column.",
            EstimatorContract.WithoutParameter(error));
    }

    // Age and model version

    [Theory]
    [InlineData(1)]
    [InlineData(10)]
    [InlineData(33)]
    [InlineData(200)]
    public void OldRecords_Excluded_TheWindowsAreThoseOfTheOthers(int n)
    {
        Row[] rows = Make(n);
        SelectedRows selected = Select(rows, new LargestLossPolicy(),
            _small with { Limits = new() { MaximumAge = TimeSpan.FromSeconds(50), MinimumModelVersion = 2 } });
        Row[] young = [.. rows.Where(row => row.Age <= 50 && row.ModelVersion >= 2)];
        int[] expected = Expected(young, row => row.Loss);

        Assert.Equal(expected, Numbers(selected));
        ViewContract.Check(selected);
        Assert.Null(selected.GetRowCount());
        Assert.Equal(n - young.Length, selected.Report!.ExcludedRows);
        Assert.Equal((young.Length, 0), (selected.Report.RowsSeen, selected.Report.DiscountedRows));
    }

    [Fact]
    public void OldRecords_AllOfThem_SelectsNone()
    {
        SelectedRows selected = Select(Make(30), new LargestLossPolicy(), _small with { Limits = new() { MinimumModelVersion = 9 } });

        Assert.Empty(Numbers(selected));
        Assert.Equal(new SelectionReport { ExcludedRows = 30 }, selected.Report);
    }

    [Fact]
    public void OldRecords_AgeNotKnown_IsOld_NegativeIsYoung()
    {
        Row[] rows = Make(10);
        foreach (Row row in rows)
            row.Age = row.Number switch { 3 => float.NaN, 4 => float.PositiveInfinity, 5 => -7, _ => 60 };
        SelectedRows selected = Select(rows, new LargestLossPolicy(),
            _small with { Budget = 1.0, Limits = new() { MaximumAge = TimeSpan.FromMinutes(1) } });

        Assert.Equal([0, 1, 2, 5, 6, 7, 8, 9], Numbers(selected));
    }

    [Fact]
    public void OldRecords_Discounted_AreShrunkByHalfLives()
    {
        // Ages 0, 60, 70 and 80 with a limit of 60 and a half-life of 10: 1, 1, 1/2 and 1/4. Weighted mean (1 + 3 + 100/2 + 41/4) / 2.75.
        var policy = new KeepingPolicy();
        Row[] rows = Make(4);
        (float Loss, float Age)[] values = [(1, 0), (3, 60), (100, 70), (41, 80)];
        foreach (Row row in rows)
            (row.Loss, row.Age) = values[row.Number];
        SelectedRows selected = Select(rows, policy,
            _small with
            {
                Limits = new()
                {
                    OldRecords = OldRecords.Discount,
                    MaximumAge = TimeSpan.FromSeconds(60),
                    HalfLife = TimeSpan.FromSeconds(10)
                }
            });
        Numbers(selected);

        double mean = 64.25 / 2.75;
        double[] expected = [1, 3, mean + (100 - mean) / 2, mean + (41 - mean) / 4];
        Assert.Equal(expected, policy.Loss.Select(loss => (double)loss), (a, b) => Math.Abs(a - b) < 1e-4);
        Assert.Equal([.. rows.Select(row => row.ReferenceLoss)], policy.ReferenceLoss);
        Assert.Equal((2, 0, 4), (selected.Report!.DiscountedRows, selected.Report.ExcludedRows, selected.Report.RowsSeen));
        Assert.Equal(1, selected.GetRowCount());
    }

    [Fact]
    public void OldRecords_DiscountedBesideAMissingStatistic_ThatCountsAsTheWeightedMeanToo()
    {
        // The mean of all discounted values is the mean weighted by credibility: what the repair of a NaN takes. Ages as above; mean (1 + 3
        // + 100/2) / 2.5 = 21.6.
        var policy = new KeepingPolicy();
        Row[] rows = Make(4);
        (float Loss, float Age)[] values = [(1, 0), (3, 60), (100, 70), (float.NaN, 80)];
        foreach (Row row in rows)
            (row.Loss, row.Age) = values[row.Number];
        Numbers(Select(rows, policy, _small with
        {
            Limits = new()
            { OldRecords = OldRecords.Discount, MaximumAge = TimeSpan.FromSeconds(60), HalfLife = TimeSpan.FromSeconds(10) }
        }));

        double[] expected = [1, 3, 21.6 + (100 - 21.6) / 2, 21.6];
        Assert.Equal(expected, policy.Loss.Select(loss => (double)loss), (a, b) => Math.Abs(a - b) < 1e-4);
    }

    [Fact]
    public void OldRecords_OfAnOlderModelDiscounted_CountAsMissing()
    {
        Row[] rows = Make(40);
        int[] discounted = Numbers(Select(rows, new BalancedGradientNormPolicy(),
            _small with { Limits = new() { OldRecords = OldRecords.Discount, MinimumModelVersion = 2 } }));
        foreach (Row row in rows.Where(row => row.ModelVersion < 2))
            (row.Loss, row.GradientNorm) = (float.NaN, float.NaN);
        int[] missing = Numbers(Select(rows, new BalancedGradientNormPolicy(), _small));

        Assert.Equal(missing, discounted);
    }

    [Fact]
    public void OldRecords_NoHalfLifeGiven_TwiceTheLimitSaysHalf()
    {
        var policy = new KeepingPolicy();
        Row[] rows = Make(2);
        (rows[0].Loss, rows[0].Age, rows[1].Loss, rows[1].Age) = (0, 0, 3, 40);
        Numbers(Select(rows, policy, _small with
        { Limits = new() { OldRecords = OldRecords.Discount, MaximumAge = TimeSpan.FromSeconds(20) } }));

        Assert.Equal([0f, 2f], policy.Loss); // mean (0 + 3/2) / 1.5 = 1, and half of the way from there to 3
    }

    [Fact]
    public void OldRecords_NoLimit_NoColumnIsReadOrNeeded()
    {
        var spy = new SpyView(View(Make(20)));
        _ml.ForwardSampling().SelectRows(spy, new FirstRowsPolicy(), _small).GetRowCursor([]).Dispose();
        _ml.ForwardSampling().SelectRows(spy, new FirstRowsPolicy(),
            _small with { Limits = new() { MaximumAge = TimeSpan.FromDays(1), MinimumModelVersion = 1 } }).GetRowCursor([]).Dispose();

        Assert.Equal(["set1(Forward.Loss)", "set1(Forward.Loss)", "set1(Forward.Loss,Forward.Age,Forward.ModelVersion)",
            "set1(Forward.Loss)"], spy.Opened);
        Numbers(_ml.ForwardSampling().SelectRows(_ml.Data.LoadFromEnumerable(RecordedRow.Make(20)), new FirstRowsPolicy(), _small));
    }

    [Fact]
    public void OldRecords_ColumnMissingOrOfAnotherType_SaysWhyItIsRead()
    {
        IDataView none = _ml.Data.LoadFromEnumerable(RecordedRow.Make(5));
        Assert.Equal(
            "Schema mismatch for record age column 'Forward.Age': expected Single, got no such column. It holds the record's age in "
                + "seconds and is read because RecordLimits.MaximumAge is set; "
            + "a renamed one is given in RecordLimits.AgeColumnName.",
            EstimatorContract.WithoutParameter(
                Assert.Throws<ArgumentOutOfRangeException>(() => _ml.ForwardSampling()
                .SelectRows(none, new FirstRowsPolicy(), _small with { Limits = new() { MaximumAge = TimeSpan.FromDays(1) } }))));
        Assert.Equal(
            "Schema mismatch for model version column 'Number': expected UInt64, got Int32. It holds the version of the model that "
                + "scored the row and is read because RecordLimits.MinimumModelVersion is set; "
            + "a renamed one is given in RecordLimits.ModelVersionColumnName.",
            EstimatorContract.WithoutParameter(
                Assert.Throws<ArgumentOutOfRangeException>(() => _ml.ForwardSampling().SelectRows(none, new FirstRowsPolicy(),
                _small with { Limits = new() { MinimumModelVersion = 1, ModelVersionColumnName = "Number" } }))));
    }

    [Fact]
    public void SelectThen_ExcludesReferencesAndGroupsAlike()
    {
        Row[] rows = Make(600);
        var options = new SelectionOptions
        {
            WindowSize = 100,
            Budget = 0.2,
            Seed = 4,
            Limits = new() { MinimumModelVersion = 1 },
            Columns = new() { Group = "Segment" }
        };
        var trainer = _ml.ForwardSampling().SelectThen(new GroupBudgetPolicy { Inner = new ReducibleLossPolicy() },
            _ml.Regression.Trainers.Sdca("Label", "Features", exampleWeightColumnName: ForwardColumns.Weight), options);
        trainer.Fit(View(rows));

        int young = rows.Count(row => row.ModelVersion >= 1);
        Assert.Equal((young, 600 - young), (trainer.LastReport!.RowsSeen, trainer.LastReport.ExcludedRows));
    }

    private SelectedRows Select(Row[] rows, IRowSelectionPolicy policy, SelectionOptions options) =>
        _ml.ForwardSampling().SelectRows(View(rows), policy, options);

    private IDataView View(Row[] rows) => _ml.Data.LoadFromEnumerable(rows);

    private static int[] Numbers(IDataView view) => [.. view.GetColumn<int>("Number")];

    /// <summary>The rows of largest value of each window of ten, two of a full one.</summary>
    private static int[] Expected(Row[] rows, Func<Row, float> value)
        => [.. rows.Chunk(10).SelectMany(window => window.OrderBy(value).TakeLast(_small.Budget.For(window.Length, 10))
            .Select(row => row.Number).Order())];

    private static Row[] Make(int n)
    {
        var random = new Random(5);
        return [.. RecordedRow.Make(n).Select(row => new Row
        {
            Number = row.Number,
            X = row.X,
            Features = row.Features,
            Label = row.Label,
            Class = row.Class,
            Flag = row.Flag,
            Loss = row.Loss,
            GradientNorm = row.GradientNorm,
            Margin = row.Margin,
            Entropy = row.Entropy,
            OwnWeight = row.OwnWeight,
            ReferenceLoss = random.NextSingle(),
            Segment = (uint)random.Next(3),
            Age = 100 * random.NextSingle(),
            ModelVersion = (ulong)random.Next(5),
        })];
    }

    private sealed class Row : RecordedRow
    {
        [ColumnName(ForwardColumns.ReferenceLoss)]
        public float ReferenceLoss { get; set; }

        [KeyType(3)]
        public uint Segment { get; set; }

        [ColumnName(ForwardColumns.Age)]
        public float Age { get; set; }

        [ColumnName(ForwardColumns.ModelVersion)]
        public ulong ModelVersion { get; set; }
    }

    /// <summary>Keeps what it was shown.</summary>
    private sealed class KeepingPolicy : IRowSelectionPolicy
    {
        public float[] Loss { get; private set; } = [];

        public float[] ReferenceLoss { get; private set; } = [];

        public string Name => "Keeping";

        public RecordStatistics Needs => RecordStatistics.Loss | RecordStatistics.ReferenceLoss;

        public bool IsUnbiased => false;

        public void Select(in SelectionWindow window, ref RepeatableRandom random, Span<int> rows, Span<float> weights)
        {
            (Loss, ReferenceLoss) = (window.Loss.ToArray(), window.ReferenceLoss.ToArray());
            for (int i = 0; i < rows.Length; i++)
                (rows[i], weights[i]) = (i, 1);
        }
    }
}
