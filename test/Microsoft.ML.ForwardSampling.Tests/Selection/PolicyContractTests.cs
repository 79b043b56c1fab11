using System.Globalization;
using System.Reflection;
using FsCheck;
using FsCheck.Fluent;
using Microsoft.ML.ForwardSampling.Selection;

namespace Microsoft.ML.ForwardSampling.Tests.Selection;

/// <summary>What every policy promises, checked for every policy of the library with its defaults and with each option changed.</summary>
public sealed class PolicyContractTests
{
    private const RecordStatistics Numeric =
        RecordStatistics.Loss | RecordStatistics.GradientNorm | RecordStatistics.Margin | RecordStatistics.Entropy
            | RecordStatistics.ReferenceLoss;

    public static TheoryData<string> All => PolicyCases.All;

    public static TheoryData<string> Unbiased => PolicyCases.Unbiased;

    public static TheoryData<Type> Types => PolicyCases.AllTypes;

    [Theory, MemberData(nameof(Types))]
    public void Type_IsAPublicSealedRecordNamedAfterItsRule(Type type)
    {
        var policy = (IRowSelectionPolicy)Activator.CreateInstance(type)!;

        Assert.True(type is { IsPublic: true, IsSealed: true });
        Assert.NotNull(type.GetMethod("<Clone>$"));
        Assert.Equal(type.Name, policy.Name + "Policy");
    }

    [Theory, MemberData(nameof(All))]
    public void Select_AnyWindowAndBudget_ExactlyThatManyRowsAscendingWithFinitePositiveWeights(string name)
    {
        var selector = new RowSelector(PolicyCases.Get(name), 5);
        for (int n = 1; n <= 40; n++)
        {
            WindowData data = WindowData.Classes(n, n);
            for (int b = 1; b <= n; b++)
                AssertWellFormed(Choice.Of(selector, data, b), n);
        }

        foreach ((int n, int b) in new[] { (64, 6), (640, 64), (1000, 999), (4096, 1), (4096, 410) })
            AssertWellFormed(Choice.Of(selector, WindowData.Classes(n, 9), b), n);
    }

    [Theory, MemberData(nameof(All))]
    public void Select_NoClasses_WorksByTheOtherStatistics(string name)
    {
        var selector = new RowSelector(PolicyCases.Get(name), 5);
        AssertWellFormed(Choice.Of(selector, WindowData.Classes(100, 3), 10, ~RecordStatistics.Label), 100);
    }

    [Theory, MemberData(nameof(All))]
    public void Select_WholeWindow_EveryRowWithWeightOne(string name)
    {
        Choice choice = Choice.Of(PolicyCases.Get(name), WindowData.Classes(50, 2), 50);

        Assert.Equal(Enumerable.Range(0, 50), choice.Rows);
        Assert.All(choice.Weights, weight => Assert.Equal(1f, weight));
    }

    [Theory, MemberData(nameof(All))]
    public void Select_AllStatisticsEqual_EveryRowIsEquallyLikely(string name)
    {
        const int n = 24, b = 6, draws = 8000;
        var selector = new RowSelector(PolicyCases.Get(name), 31);
        foreach (float value in new[] { 0f, 0.7f })
        {
            var data = new WindowData(Filled(value), Filled(value), Filled(value), Filled(value), new int[n]);
            var hits = new int[n];
            for (int i = 0; i < draws; i++)
            {
                Choice choice = Choice.Of(selector, data, b);
                Assert.All(choice.Weights, weight => Assert.Equal(1f, weight, 1e-6f));
                foreach (int row in choice.Rows)
                    hits[row]++;
            }

            for (int row = 0; row < n; row++)
                Oracle.AssertFrequency((double)b / n, hits[row], draws, $"row {row}, all {value}");
        }

        static float[] Filled(float value) => [.. Enumerable.Repeat(value, n)];
    }

    [Theory, MemberData(nameof(All))]
    public void Select_NonFiniteStatistics_RowsAreChosenAsIfTheyHadTheMean(string name)
    {
        IRowSelectionPolicy policy = PolicyCases.Get(name);
        WindowData clean = WindowData.Classes(97, 4);
        foreach (RecordStatistics statistic in new[] { RecordStatistics.Loss, RecordStatistics.GradientNorm, RecordStatistics.Margin,
            RecordStatistics.Entropy, RecordStatistics.ReferenceLoss })
        {
            WindowData broken = clean.Reordered([.. Enumerable.Range(0, 97)]);
            WindowData repaired = clean.Reordered([.. Enumerable.Range(0, 97)]);
            float[] values = broken.Values(statistic);
            (values[0], values[40], values[96]) = (float.NaN, float.PositiveInfinity, float.NegativeInfinity);
            float mean = (float)values.Where(float.IsFinite).Average(value => (double)value);
            foreach (int row in new[] { 0, 40, 96 })
                repaired.Values(statistic)[row] = mean;

            var selector = new RowSelector(policy, 8);
            Choice choice = Choice.Of(selector, broken, 9);

            AssertWellFormed(choice, 97);
            Assert.Equal(Choice.Of(policy, repaired, 9, 8), choice);
            Assert.Equal(policy.Needs.HasFlag(statistic) ? 3 : 0, selector.Report.RepairedRows);
        }
    }

    [Theory, MemberData(nameof(All))]
    public void Select_NothingFinite_StillFillsTheBudget(string name)
    {
        float[] bad = [.. Enumerable.Range(0, 20)
            .Select(i => (i % 3) switch { 0 => float.NaN, 1 => float.PositiveInfinity, _ => float.NegativeInfinity })];
        var data = new WindowData(bad, bad, bad, bad, new int[20]);
        IRowSelectionPolicy policy = PolicyCases.Get(name);
        var selector = new RowSelector(policy, 8);

        AssertWellFormed(Choice.Of(selector, data, 5), 20);
        Assert.Equal((policy.Needs & Numeric) == 0 ? 0 : 20, selector.Report.RepairedRows);
    }

    [Theory, MemberData(nameof(All))]
    public void Select_ExtremeFiniteStatistics_StillFillsTheBudget(string name)
    {
        float[] extreme = [float.MaxValue, float.Epsilon, 0, -0f, float.MaxValue, 1e-38f, -1, float.MinValue, 1, 1e30f, 1e-30f, 3];
        var data = new WindowData(extreme, extreme, extreme, extreme, [int.MaxValue, -1, int.MinValue, 0, 1, 2, 3, 4, 5, 6, 7, 8])
        { ReferenceLoss = [.. extreme.AsEnumerable().Reverse()] };
        var selector = new RowSelector(PolicyCases.Get(name), 8);
        for (int b = 1; b <= extreme.Length; b++)
        {
            for (int i = 0; i < 50; i++)
                AssertWellFormed(Choice.Of(selector, data, b), extreme.Length);
        }
    }

    [Theory, MemberData(nameof(All))]
    public void Select_SameSeedSameWindows_SameRows_AnotherSeedOthers(string name)
    {
        // The last windows have ties: without any, TopLoss has nothing to draw, whatever the seed.
        WindowData[] windows = [.. Enumerable.Range(0, 5).Select(i => WindowData.Classes(300, i)),
            .. Enumerable.Range(0, 5).Select(i => WindowData.Tied(300, i))];
        IRowSelectionPolicy policy = PolicyCases.Get(name);
        Choice[] Run(int seed)
        {
            var selector = new RowSelector(policy, seed);
            return [.. windows.Select(window => Choice.Of(selector, window, 30))];
        }

        Assert.Equal(Run(11), Run(11));
        Assert.NotEqual(Run(11), Run(12));
    }

    [Theory, MemberData(nameof(All))]
    public void State_SavedAtAnyWindowBoundary_ResumesWithTheSameRowsCountsAndState(string name)
    {
        IRowSelectionPolicy policy = PolicyCases.Get(name);
        Properties.Hold(
            Gen.Choose(1, 12).SelectMany(windows => Gen.Choose(0, windows)
                .SelectMany(stop => Gen.Choose(0, 1000).Select(seed => (windows, stop, seed)))),
            run =>
            {
                var uninterrupted = new RowSelector(policy, run.seed);
                RowSelector resumed = uninterrupted;
                for (int i = 0; i < run.windows; i++)
                {
                    if (i == run.stop)
                        resumed = new RowSelector(policy, SavedStates.Load(uninterrupted.State.Saved()));
                    Choice expected = Window(uninterrupted, i);
                    if (!ReferenceEquals(resumed, uninterrupted))
                        Assert.Equal(expected, Window(resumed, i));
                }

                Assert.Equal(uninterrupted.State, resumed.State);
            },
            tests: 40);

        static Choice Window(RowSelector selector, int i)
        {
            // Windows of several sizes, some with ties; a validation loss now and then, for those who listen.
            WindowData data = i % 2 == 0 ? WindowData.Tied(40 + 7 * i, i) : WindowData.Classes(60, i);
            Choice choice = Choice.Of(selector, data, 6);
            selector.ReportTraining([.. choice.Rows.Select(row => data.Loss[row])], [.. choice.Rows.SelectMany(data.FeaturesOf)],
                [.. choice.Rows.Select(row => data.Label[row])]);
            if (i % 3 == 1)
                selector.ReportValidation(1 / (1.0 + i));
            return choice;
        }
    }

    [Theory, MemberData(nameof(All))]
    public void State_SavedOneWindowEarlier_IsAnother(string name)
    {
        // The control of the test above.
        IRowSelectionPolicy policy = PolicyCases.Get(name);
        var selector = new RowSelector(policy, 3);
        WindowData data = WindowData.Tied(200, 1);
        Choice.Of(selector, data, 20);
        RowSelectorState earlier = selector.State;
        Choice.Of(selector, data, 20);
        Choice[] expected = [Choice.Of(selector, data, 20), Choice.Of(selector, data, 20)];

        Assert.NotEqual(earlier, selector.State);
        var tooEarly = new RowSelector(policy, earlier);
        Assert.NotEqual(expected, [Choice.Of(tooEarly, data, 20), Choice.Of(tooEarly, data, 20)]);
    }

    [Theory, MemberData(nameof(All))]
    public void State_CutOffOrOfOtherOptions_IsRefused(string name)
    {
        IRowSelectionPolicy policy = PolicyCases.Get(name);
        var selector = new RowSelector(policy, 3);
        Choice.Of(selector, WindowData.Tied(200, 1), 20);
        RowSelectorState state = selector.State;
        byte[] longer = [.. state.PolicyState.Span, 1];

        Assert.Throws<InvalidDataException>(() => new RowSelector(policy, state with { PolicyState = longer }));
        if (!state.PolicyState.IsEmpty)
        {
            foreach (int length in new[] { 0, 1, 4, 11, state.PolicyState.Length - 1 })
                Assert.Throws<InvalidDataException>(
                    () => new RowSelector(policy, state with { PolicyState = state.PolicyState[..length] }));
            byte[] other = state.PolicyState.ToArray();
            other[0] ^= 1;
            Assert.Throws<InvalidDataException>(() => new RowSelector(policy, state with { PolicyState = other }));
        }
    }

    [Theory, MemberData(nameof(All))]
    public void State_OfAnEarlierRun_IsNotInANewSelector(string name)
    {
        IRowSelectionPolicy policy = PolicyCases.Get(name);
        RowSelectorState fresh = new RowSelector(policy, 3).State;
        Choice.Of(new RowSelector(policy, 3), WindowData.Tied(200, 1), 20);

        Assert.Equal(fresh, new RowSelector(policy, 3).State);
    }

    [Theory, MemberData(nameof(All))]
    public void Select_AfterWarmUp_AllocatesNothing(string name)
    {
        var selector = new RowSelector(PolicyCases.Get(name), 3);
        WindowData data = WindowData.Classes(1000, 1);
        data.Loss[17] = float.NaN;
        var rows = new int[100];
        var weights = new float[100];
        Run(200);

        // The runtime itself may allocate once, when it compiles a method again; a policy that allocates does so every time.
        Assert.Equal(0, Enumerable.Range(0, 3).Min(_ => Run(50)));

        long Run(int windows)
        {
            long before = GC.GetAllocatedBytesForCurrentThread();
            for (int i = 0; i < windows; i++)
                selector.Select(data.Window(selector.Scratch), rows, weights);
            return GC.GetAllocatedBytesForCurrentThread() - before;
        }
    }

    [Theory, MemberData(nameof(All))]
    public void Select_SmallerWindowAfterALargerOne_ScratchLeavesNoTrace(string name)
    {
        IRowSelectionPolicy policy = PolicyCases.Get(name);
        WindowData small = WindowData.Classes(70, 1), large = WindowData.Classes(900, 2);
        var used = new SelectionScratch();
        var random = new RepeatableRandom(5);
        Choice.Of(policy, large, 300);
        policy.Select(large.Window(used) with { State = policy.NewState() }, ref random, new int[300], new float[300]);

        Assert.Equal(SelectFrom(new SelectionScratch()), SelectFrom(used));

        Choice SelectFrom(SelectionScratch scratch)
        {
            var fresh = new RepeatableRandom(6);
            var choice = new Choice(new int[7], new float[7]);
            policy.Select(small.Window(scratch) with { State = policy.NewState() }, ref fresh, choice.Rows, choice.Weights);
            return choice;
        }
    }

    [Theory, MemberData(nameof(All))]
    public void Select_ReadsOnlyWhatItNeeds(string name)
    {
        IRowSelectionPolicy policy = PolicyCases.Get(name);
        WindowData data = WindowData.Classes(120, 6);
        Choice all = Choice.Of(new RowSelector(policy, 2), data, 12);

        Assert.Equal(all, Choice.Of(new RowSelector(policy, 2), data, 12, policy.Needs));
    }

    [Theory, MemberData(nameof(All))]
    public void Select_NeededStatisticMissing_NamesPolicyStatisticAndRemedy(string name)
    {
        IRowSelectionPolicy policy = PolicyCases.Get(name);
        WindowData data = WindowData.Classes(20, 6);
        foreach (RecordStatistics statistic in Enum.GetValues<RecordStatistics>()
            .Where(statistic => (policy.Needs & (Numeric | RecordStatistics.Group) & statistic) != 0))
        {
            string remedy = statistic switch
            {
                RecordStatistics.ReferenceLoss =>
                    "RecordForwardPass adds it when the reference model is recorded with LossColumnName = 'Forward.ReferenceLoss'; "
                    + "another column is given in StatisticColumns.ReferenceLoss.",
                RecordStatistics.Group => "Groups are the keys or Booleans of the column that StatisticColumns.Group names, or without "
                    + "it the classes of the label. MapValueToKey makes keys of any column.",
                _ => $"RecordForwardPass adds it as column 'Forward.{statistic}'; a renamed column is given in "
                    + $"StatisticColumns.{statistic}.",
            };
            string expected = $"Policy {policy.Name} needs the statistic {statistic}, which the window does not hold. {remedy} "
                + $"(Parameter 'window')";
            var selector = new RowSelector(policy, 2);
            RowSelectorState before = selector.State;

            Assert.Equal(expected, Assert.Throws<ArgumentException>(() => Choice.Of(selector, data, 2, ~statistic)).Message);
            Assert.Equal(expected, Assert.Throws<ArgumentException>(() => SelectDirectly(policy, data, 2, 2, ~statistic)).Message);
            Assert.Equal(before, selector.State);
        }
    }

    [Theory, MemberData(nameof(All))]
    public void Select_WrongLengths_GivesBothNumbers(string name)
    {
        IRowSelectionPolicy policy = PolicyCases.Get(name);
        WindowData data = WindowData.Classes(20, 6);

        Assert.Equal(
            $"Policy {policy.Name} was asked for 0 rows of a window of 20: the budget, which is the length of rows, must be in [1, 20]. "
                + $"(Parameter 'rows')",
            Assert.Throws<ArgumentException>(() => SelectDirectly(policy, data, 0, 0)).Message);
        Assert.Equal(
            $"Policy {policy.Name} was asked for 21 rows of a window of 20: the budget, which is the length of rows, must be in [1, 20]. "
                + $"(Parameter 'rows')",
            Assert.Throws<ArgumentException>(() => SelectDirectly(policy, data, 21, 21)).Message);
        Assert.Equal(
            "rows has length 3 and weights has length 4: they must be equal. (Parameter 'weights')",
            Assert.Throws<ArgumentException>(() => SelectDirectly(policy, data, 3, 4)).Message);
    }

    [Theory, MemberData(nameof(Unbiased))]
    public void Select_DeclaredUnbiased_WeightedMeansAreTheWindowsMeans(string name)
    {
        // Seed 77, 4,000 draws a window, four standard errors; row position and class stand for anything a policy does not look at.
        const int n = 60, b = 7, draws = 4000;
        var selector = new RowSelector(PolicyCases.Get(name), 77);
        foreach (WindowData data in new[] { WindowData.Classes(n, 21), WindowData.Distinct(n, 22) })
        {
            double[][] variables =
            [
                [.. data.Loss.Select(value => (double)value)],
                [.. data.GradientNorm.Select(value => (double)value)],
                [.. data.Label.Select(label => label == 2 ? 1.0 : 0)],
                [.. data.Group.Select(group => group == 3 ? 1.0 : 0)],
                [.. Enumerable.Range(0, n).Select(row => row / (double)n)],
                [.. Enumerable.Repeat(1.0, n)],
            ];
            var sums = new double[variables.Length];
            var squares = new double[variables.Length];
            var rows = new int[b];
            var weights = new float[b];
            for (int draw = 0; draw < draws; draw++)
            {
                selector.Select(data.Window(selector.Scratch), rows, weights);
                for (int v = 0; v < variables.Length; v++)
                {
                    double mean = 0;
                    for (int i = 0; i < b; i++)
                        mean += weights[i] * variables[v][rows[i]] / b;
                    sums[v] += mean;
                    squares[v] += mean * mean;
                }
            }

            for (int v = 0; v < variables.Length; v++)
            {
                double mean = sums[v] / draws, truth = variables[v].Average();
                double error = 4 * Math.Sqrt(Math.Max(0, squares[v] / draws - mean * mean) / draws) + 1e-6;
                Assert.True(Math.Abs(mean - truth) <= error,
                    $"{name}, variable {v}: mean {mean} of {draws} draws, window {truth}, allowed {error}.");
            }
        }
    }

    [Theory, MemberData(nameof(Types))]
    public void Option_OutsideTheRangeItsPageDeclares_NamesRangeAndValue(Type type)
    {
        foreach (PropertyInfo option in PolicyCases.Options(type)
            .Where(option => option.PropertyType == typeof(float) || option.PropertyType == typeof(double)))
        {
            (double min, double max) = PolicyPage.Of(type).Range(option.Name);
            object[] outside = option.PropertyType == typeof(float)
                ? [MathF.BitDecrement((float)min), MathF.BitIncrement((float)max), float.NaN, float.PositiveInfinity]
                : [Math.BitDecrement(min), Math.BitIncrement(max), double.NaN, double.NegativeInfinity];
            foreach (object value in outside)
            {
                string expected = string.Create(CultureInfo.InvariantCulture,
                    $"{type.Name}.{option.Name} must be in [{min}, {max}]. (Parameter '{option.Name}'){Environment.NewLine}Actual value "
                        + $"was {value}.");
                Assert.Equal(expected, Assert.Throws<ArgumentOutOfRangeException>(() => PolicyCases.With(type, option, value)).Message);
            }
        }
    }

    [Theory, MemberData(nameof(Types))]
    public void Option_UndefinedEnumValue_ListsTheMembers(Type type)
    {
        foreach (PropertyInfo option in PolicyCases.Options(type).Where(option => option.PropertyType.IsEnum))
        {
            string members = string.Join(", ", Enum.GetNames(option.PropertyType));
            Assert.Equal(
                $"{type.Name}.{option.Name} must be one of {members}. (Parameter '{option.Name}'){Environment.NewLine}Actual value was 99.",
                Assert.Throws<ArgumentOutOfRangeException>(() => PolicyCases.With(type, option, Enum.ToObject(option.PropertyType, 99)))
                    .Message);
        }
    }

    [Theory]
    [InlineData("LossStratified")]
    [InlineData("MeanMatching")]
    [InlineData("SelectiveBackprop")]
    [InlineData("BalancedGradientNorm")]
    [InlineData("TopLoss")]
    [InlineData("BottomLoss")]
    [InlineData("Cube")]
    [InlineData("ReducibleLoss")]
    public void Select_RowsInAnotherOrder_TheSameRowsAreChosen(string policyName)
    {
        // Policies that walk along an order of the statistics: where rows stand in the window must not matter (losses differ, so the order
        // is unique).
        IRowSelectionPolicy policy = PolicyCases.Get(PolicyCases.All.Select(row => row.Data)
            .First(name => PolicyCases.Get(name).Name == policyName));
        WindowData data = WindowData.Distinct(150, 12);
        int[] shuffle = [.. Enumerable.Range(0, 150)];
        new Random(4).Shuffle(shuffle);
        for (int seed = 0; seed < 50; seed++)
        {
            Choice plain = Choice.Of(policy, data, 15, seed), shuffled = Choice.Of(policy, data.Reordered(shuffle), 15, seed);
            (int Row, float Weight)[] back =
                [.. shuffled.Rows.Select(row => shuffle[row]).Zip(shuffled.Weights).OrderBy(pair => pair.First)];

            Assert.Equal(plain.Rows, back.Select(pair => pair.Row));
            Assert.All(plain.Weights.Zip(back), pair => Assert.Equal(pair.First, pair.Second.Weight, 1e-5f));
        }
    }

    private static void SelectDirectly(IRowSelectionPolicy policy, WindowData data, int rows, int weights,
        RecordStatistics statistics = (RecordStatistics)~0)
    {
        var random = new RepeatableRandom(1);
        policy.Select(data.Window(new SelectionScratch(), statistics), ref random, new int[rows], new float[weights]);
    }

    private static void AssertWellFormed(Choice choice, int n)
    {
        for (int i = 0; i < choice.Rows.Length; i++)
        {
            if (choice.Rows[i] < 0 || choice.Rows[i] >= n || i > 0 && choice.Rows[i] <= choice.Rows[i - 1])
                Assert.Fail($"Rows must be distinct, ascending and in [0, {n}): {choice}");
            if (!(choice.Weights[i] > 0 && float.IsFinite(choice.Weights[i])))
                Assert.Fail($"Weights must be positive and finite: {choice}");
        }
    }
}
