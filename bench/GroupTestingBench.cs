using System.Globalization;
using Microsoft.ML.Data;
using Microsoft.ML.ForwardSampling.GroupTesting;
using Microsoft.ML.ForwardSampling.Shared;
using Microsoft.ML.ForwardSampling.Tool.Compare;

namespace Microsoft.ML.ForwardSampling.Benchmarks;

/// <summary>Group-tested scoring of Fashion-MNIST with one class made rare: multiply-adds, recall, false positives and time a row, each
/// network and schedule against one test a row by the same network.</summary>
internal static class GroupTestingBench
{
    private const double Prevalence = 0.005;
    private const int Repeats = 2;

    private static uint s_rareClass = 5;                // sandals

    private static readonly GroupTestingOptions s_options = new()
    {
        StemLayers = [64],
        PairLayers = [64],
        BodyLayers = [512, 512],
        Steps = 1500,
        LabelColumnName = nameof(Row.IsRare),
    };

    public static int Run(string[] args)
    {
        const int Seeds = 3;
        if (args is [.., "--class", var given])
            s_rareClass = uint.Parse(given, CultureInfo.InvariantCulture);
        var images = FashionMnist.Load(FashionMnist.DebianFolder);
        var context = new MLContext(seed: 1);
        IDataView View(Row[] rows) => context.Data.Cache(context.Data.LoadFromEnumerable(rows));
        Row[] training = Rare(images.Training.Take(30_000), 0.02, seed: 1), test = Rare([.. images.Training.Skip(45_000), .. images.Test],
            Prevalence, seed: 2);
        var data = new Data(View(training), View(Rare(images.Training.Skip(30_000).Take(15_000), Prevalence, seed: 3)), View(test), test);
        if (args is ["inputs", ..])
        {
            ReportInputs(context, data);
            return 0;
        }

        Console.WriteLine($"{training.Length:N0} training rows, {training.Count(r => r.IsRare)} positive; {test.Length:N0} test rows, "
            + $"{data.Positives} positive; mean of {Seeds} seeds; time of the first, best of {Repeats}, one thread");
        var table = new Table("Network, trained for", "schedule", "tests/row", "MACs", "recall", "FP", "FPR %", "us/row", "faster");
        foreach ((GroupTestingOptions options, GroupSchedule[] schedules) in Cases())
            Report(table, context, data, options, schedules, Seeds);
        table.Print();

        double floor = Turns.Run(Repeats, [Way.Timed("reading", () => Read(data.Test, nameof(Row.IsRare), nameof(Row.Features)))],
            warmUps: 0)[0].Best;
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"Reading the rows only: {1e6 * floor / test.Length:F2} us a row."));
        GroupTestingPlan plan = GroupTestingPlan.For(Prevalence, 784 * 64, (64 * 512) + (512 * 512) + 512);
        Console.WriteLine("Plan: " + string.Join("; ", plan.All.Where(c => c.FalsePositiveRate == 0 && c.Schedule.Rounds < 4).Take(4)
            .Concat(plan.All.Where(c => c.Schedule.Rounds == 2)).Select(c => string.Create(CultureInfo.InvariantCulture,
                $"{c.Schedule} {c.MultiplyAddsPerRow / plan.Individual.MultiplyAddsPerRow:F3}"))));
        return 0;
    }

    /// <summary>Networks, each with the schedules that it is scored by; the first is what the others are compared with.</summary>
    private static IEnumerable<(GroupTestingOptions, GroupSchedule[])> Cases()
    {
        GroupSchedule alone = GroupSchedule.Individual, eight = GroupSchedule.TwoRounds(8), rounds = GroupSchedule.SeveralRounds(16, 4);
        GroupTestingOptions For(GroupMerge merge, GroupSchedule schedule) => s_options with { Merge = merge, Schedule = schedule };
        yield return (For(GroupMerge.Features, alone), [alone]);
        yield return (For(GroupMerge.Features, eight), [alone, .. new[] { 2, 4, 8, 16, 32, 64 }.Select(GroupSchedule.TwoRounds),
            GroupSchedule.TwoGroupings(8)]);
        yield return (For(GroupMerge.Features, rounds), [alone, rounds]);
        yield return (For(GroupMerge.Tree, eight), [alone, eight]);
        yield return (For(GroupMerge.Inputs, GroupSchedule.TwoRounds(4)), [alone, GroupSchedule.TwoRounds(4), eight]);
        foreach (GroupSchedule schedule in new[] { alone, eight, rounds })
            yield return (For(GroupMerge.Features, schedule) with { WantedRecall = 0.95 }, [schedule]);
    }

    private static void Report(
        Table table, MLContext context, Data data, GroupTestingOptions options, GroupSchedule[] schedules, int seeds)
    {
        var sums = new Figures[schedules.Length];
        double[] seconds = [];
        for (int seed = 1; seed <= seeds; seed++)
        {
            using GroupTestingTransformer model = context.ForwardSampling().GroupTesting(options with { Seed = seed })
                .Fit(data.Train, data.Validation);
            GroupTestingTransformer With(GroupSchedule schedule)
                => model.WithSchedule(schedule, options.WantedRecall is null ? null : model.Thresholds);
            for (int i = 0; i < schedules.Length; i++)
            {
                GroupTestingTransformer counted = With(schedules[i]);
                bool[] predicted = Read(counted.Transform(data.Test), "PredictedLabel");
                int found = data.Rows.Where((row, n) => row.IsRare && predicted[n]).Count();
                sums[i] = new Figures(sums[i].Tests + counted.Report.TestsPerRow, sums[i].Cost + counted.Report.Cost,
                    sums[i].Recall + (double)found / data.Positives, sums[i].FalsePositives + predicted.Count(p => p) - found);
            }

            if (seed == 1)
                seconds = [.. Turns.Run(Repeats, [.. schedules.Select(schedule => Way.Timed($"{schedule}",
                    () => Read(With(schedule).Transform(data.Test), "PredictedLabel")))], warmUps: 0).Select(taken => taken.Best)];
        }

        for (int i = 0; i < schedules.Length; i++)
        {
            Figures f = sums[i];
            string network = $"{options.Merge} {options.Schedule}{(options.WantedRecall is { } wanted ? $", {wanted:P0}" : "")}";
            table.Add(network, $"{schedules[i]}", $"{f.Tests / seeds:F3}", $"{f.Cost / seeds:F3}", $"{f.Recall / seeds:F3}",
                $"{f.FalsePositives / seeds:F0}", $"{100 * f.FalsePositives / seeds / (data.Rows.Length - data.Positives):F2}",
                $"{1e6 * seconds[i] / data.Rows.Length:F2}", $"{seconds[0] / seconds[i]:F2}");
        }
    }

    /// <summary>What merging four rows' inputs costs in recall, seed by seed: against one test a row by the same network, as both come and
    /// at as many false positives as a network for single rows gives.</summary>
    private static void ReportInputs(MLContext context, Data data)
    {
        const int Seeds = 12;
        GroupSchedule alone = GroupSchedule.Individual, four = GroupSchedule.TwoRounds(4);
        var same = new double[Seeds];
        var matchedSame = new double[Seeds];
        var matchedAlone = new double[Seeds];
        var table = new Table("seed", "alone", "FP", "same net", "FP", "4 -> 1", "FP", "at FP of alone: same", "4 -> 1");
        for (int seed = 1; seed <= Seeds; seed++)
        {
            GroupTestingOptions options = s_options with { Seed = seed };
            using GroupTestingTransformer single = context.ForwardSampling().GroupTesting(options with { Schedule = alone })
                .Fit(data.Train, data.Validation);
            using GroupTestingTransformer inputs = context.ForwardSampling().GroupTesting(options with
            { Merge = GroupMerge.Inputs, Schedule = four }).Fit(data.Train, data.Validation);
            Found own = Found.Of(single.Transform(data.Test), data, int.MaxValue);
            IDataView byOne = inputs.WithSchedule(alone, null).Transform(data.Test), byFour = inputs.Transform(data.Test);
            Found one = Found.Of(byOne, data, int.MaxValue), grouped = Found.Of(byFour, data, int.MaxValue);
            Found oneMatched = Found.Of(byOne, data, own.FalsePositives), groupedMatched = Found.Of(byFour, data, own.FalsePositives);
            same[seed - 1] = grouped.Recall - one.Recall;
            matchedSame[seed - 1] = groupedMatched.Recall - oneMatched.Recall;
            matchedAlone[seed - 1] = groupedMatched.Recall - own.Recall;
            table.Add($"{seed}", $"{own.Recall:F3}", $"{own.FalsePositives}", $"{one.Recall:F3}", $"{one.FalsePositives}",
                $"{grouped.Recall:F3}", $"{grouped.FalsePositives}", $"{oneMatched.Recall:F3}", $"{groupedMatched.Recall:F3}");
        }

        table.Print();
        foreach ((string what, double[] differences) in new[]
        {
            ("4 -> 1 less one test a row, same network, thresholds 0", same),
            ("the same at the false positives of the network for single rows", matchedSame),
            ("4 -> 1 less the network for single rows, at its false positives", matchedAlone),
        })
        {
            double half = Statistics.StudentT95(Seeds - 1) * Statistics.StandardDeviation(differences) / Math.Sqrt(Seeds);
            Console.WriteLine($"{what}: {differences.Average():+0.000;-0.000} ± {half:F3} (95 %)");
        }
    }

    /// <summary>What is found with at most so many false positives: rows of a score above 0, the highest first.</summary>
    private readonly record struct Found(double Recall, int FalsePositives)
    {
        public static Found Of(IDataView scored, Data data, int mostFalsePositives)
        {
            int found = 0, wrong = 0;
            foreach ((float score, bool isRare) in scored.GetColumn<float>("Score").Zip(data.Rows.Select(row => row.IsRare))
                .Where(row => row.First > 0f).OrderByDescending(row => row.First))
            {
                if (!isRare && wrong == mostFalsePositives)
                    break;
                (found, wrong) = isRare ? (found + 1, wrong) : (found, wrong + 1);
            }

            return new Found((double)found / data.Positives, wrong);
        }
    }

    /// <summary>Images with as many of the rare class as the prevalence says, in a shuffled order.</summary>
    private static Row[] Rare(IEnumerable<FashionImage> images, double prevalence, int seed)
    {
        var random = new Random(seed);
        FashionImage[] all = [.. images];
        FashionImage[] negatives = [.. all.Where(image => image.Label != s_rareClass)];
        FashionImage[] positives = [.. all.Where(image => image.Label == s_rareClass)
            .Take((int)Math.Round(negatives.Length * prevalence / (1 - prevalence)))];
        Row[] rows = [.. negatives.Concat(positives).Select(image =>
            new Row { Features = image.Features, IsRare = image.Label == s_rareClass })];
        random.Shuffle(rows);
        return rows;
    }

    /// <summary>Reads a Boolean column, and the features along with it where they are named.</summary>
    private static bool[] Read(IDataView view, string column, string? along = null)
    {
        using DataViewRowCursor cursor = view.GetRowCursor(view.Schema.Where(c => c.Name == column || c.Name == along));
        ValueGetter<bool> getter = cursor.GetGetter<bool>(view.Schema[column]);
        ValueGetter<VBuffer<float>>? features = along is null ? null : cursor.GetGetter<VBuffer<float>>(view.Schema[along]);
        VBuffer<float> buffer = default;
        var values = new List<bool>();
        while (cursor.MoveNext())
        {
            bool value = false;
            getter(ref value);
            features?.Invoke(ref buffer);
            values.Add(value);
        }

        return [.. values];
    }

    private sealed record Data(IDataView Train, IDataView Validation, IDataView Test, Row[] Rows)
    {
        public int Positives { get; } = Rows.Count(row => row.IsRare);
    }

    private record struct Figures(double Tests, double Cost, double Recall, double FalsePositives);

    private sealed class Row
    {
        [VectorType(FashionMnist.Pixels)]
        public float[] Features { get; set; } = [];

        public bool IsRare { get; set; }
    }
}
