using Microsoft.ML.Data;
using Microsoft.ML.ForwardSampling.GroupTesting;

namespace Microsoft.ML.ForwardSampling.Tests.GroupTesting;

/// <summary>A row of a rare class, or of one of many others.</summary>
public class RareRow
{
    [VectorType(RareRows.FeatureCount)]
    public float[] Features { get; set; } = [];

    public bool Label { get; set; }

    public float Number { get; set; }
}

/// <summary>Rows around the ends of 25 lines through the origin, one line of which is the rare class: more lines than dimensions, and both
/// ends of each, so that the mean of several rows says little of each of them. The same rows for the same seed.</summary>
internal static class RareRows
{
    public const int FeatureCount = 16;

    private const int Lines = 25;
    private const float Length = 3f;
    private const float Noise = 0.4f;

    public static RareRow[] Create(int count, int seed, double prevalence = 0.01)
    {
        float[][] ends = Ends();
        var random = new Random(seed);
        var rows = new RareRow[count];
        for (int i = 0; i < count; i++)
        {
            bool isRare = random.NextDouble() < prevalence;
            float[] end = ends[isRare ? 0 : random.Next(1, Lines)];
            float sign = random.Next(2) == 0 ? -1f : 1f;
            rows[i] = new RareRow { Features = [.. end.Select(x => (sign * x) + (Noise * Normal(random)))], Label = isRare, Number = i };
        }

        return rows;
    }

    public static IDataView View(MLContext context, int count, int seed, double prevalence = 0.01)
        => context.Data.LoadFromEnumerable(Create(count, seed, prevalence));

    /// <summary>A small network whose body costs twenty times its stem.</summary>
    public static GroupTestingOptions Options(GroupMerge merge, GroupSchedule schedule, int steps) => new()
    {
        Merge = merge,
        Schedule = schedule,
        StemLayers = [32],
        PairLayers = [32],
        BodyLayers = [96, 64],
        Steps = steps,
        Seed = 1,
    };

    private static float[][] Ends()
    {
        var random = new Random(12);
        return [.. Enumerable.Range(0, Lines).Select(_ =>
        {
            float[] end = [.. Enumerable.Range(0, FeatureCount).Select(_ => Normal(random))];
            float norm = MathF.Sqrt(end.Sum(x => x * x));
            return end.Select(x => Length * x / norm).ToArray();
        })];
    }

    private static float Normal(Random random)
        => MathF.Sqrt(-2f * MathF.Log(1f - random.NextSingle())) * MathF.Cos(MathF.Tau * random.NextSingle());
}

/// <summary>What a transformer gave for rows.</summary>
internal sealed record Tested(float[] Scores, float[] Probabilities, bool[] Predicted, float[] Tests, GroupTestingReport Report)
{
    /// <summary>Reads all rows once, by a transformer with counts of its own.</summary>
    public static Tested Of(GroupTestingTransformer model, IDataView rows, GroupSchedule schedule, params float[] thresholds)
    {
        GroupTestingTransformer counted = model.WithSchedule(schedule, thresholds.Length == 0 ? null : thresholds);
        IDataView cached = new MLContext(seed: 1).Data.Cache(counted.Transform(rows), "Score", "Probability", "PredictedLabel",
            ForwardColumns.Tests);
        float[] scores = [.. cached.GetColumn<float>("Score")];
        return new Tested(scores, [.. cached.GetColumn<float>("Probability")], [.. cached.GetColumn<bool>("PredictedLabel")],
            [.. cached.GetColumn<float>(ForwardColumns.Tests)], counted.Report);
    }

    public double Recall(RareRow[] rows)
        => (double)rows.Where((row, i) => row.Label && Predicted[i]).Count() / rows.Count(row => row.Label);

    public int FalsePositives(RareRow[] rows) => rows.Where((row, i) => !row.Label && Predicted[i]).Count();
}
