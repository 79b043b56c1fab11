using Microsoft.ML.Data;
using static Microsoft.ML.ForwardSampling.ShapesOfData.ShapeRows;

namespace Microsoft.ML.ForwardSampling.ShapesOfData;

/// <summary>The shapes that the defaults must bear.</summary>
internal static class DataShapes
{
    private const int TestRows = 2000;

    public static IReadOnlyList<DataShape> All { get; } = [.. Regressions(), .. Binaries(), .. Multiclass(), .. WideShapes.All()];

    private static IEnumerable<DataShape> Regressions() =>
    [
        Regression("plain", 2000, 8, Linear(0, 1)),
        Regression("prices", 2000, 8, Linear(180_000, 80_000)),
        Regression("label 50, s.d. 10", 2000, 8, Linear(50, 10)),
        Regression("label of 1e-6", 2000, 8, Linear(3e-6f, 1e-6f)),
        Regression("label of 1e9", 2000, 8, Linear(0, 1e9f)),
        Regression("label offset 1e6", 2000, 8, Linear(1e6f, 30)),
        Regression("features of all scales", 2000, 8, (r, x) => x[0] * 1e3f + x[1] / 1e4f + x[2] + (0.1f * Normal(r)),
            (r, i) => Normal(r) * (i switch { 0 => 1e-3f, 1 => 1e4f, _ => 1 })),
        Regression("features with an offset", 2000, 4, (r, x) => (x[0] - 1e4f) + (2 * (x[1] + 500)) + (0.1f * Normal(r)),
            (r, i) => Normal(r) + (i switch { 0 => 1e4f, 1 => -500f, _ => 0 })),
        Regression("skewed counts", 2000, 6, (r, x) => MathF.Exp((0.5f * x[0]) + (0.3f * Normal(r))) * 100),
        // With one feature Sdca ends in weights that are not finite (Microsoft.ML 5.0.1): the generator's own R squared then.
        Regression("one feature", 500, 1, Linear(10, 3)) with { SdcaInstead = 0.938 },
        Regression("two hundred rows", 200, 5, Linear(5, 20)),
        Regression("curved", 3000, 5, (r, x) => 1000 * ((10 * MathF.Sin(MathF.PI * x[0] * x[1])) + (20 * (x[2] - 0.5f) * (x[2] - 0.5f))
            + (10 * x[3]) + (5 * x[4]) + Normal(r)), (r, _) => r.NextSingle()),
        Regression("steps", 3000, 6, (r, x) => (10 * Step(x[0] - 0.5f)) + (8 * Step(x[1]) * Step(-x[2])) + (5 * Step(x[3] + 1))
            + (0.5f * Normal(r))) with { TreeMargin = 0.25 },
    ];

    private static IEnumerable<DataShape> Binaries() =>
    [
        Binary("plain", 2000, 8, Direction(1.5f, 0)),
        Binary("1 in 1,000", 20_000, 8, Direction(2, -8.5f)),
        Binary("three rows", 3, 4, Direction(1, 0)),
        Binary("one feature", 500, 1, Direction(2, 0)),
        Binary("features of all scales", 2000, 8, x => [0, 2 * ((x[0] * 1e3f) + (x[1] / 1e4f) - x[2])],
            (r, i) => Normal(r) * (i switch { 0 => 1e-3f, 1 => 1e4f, _ => 1 })),
        Binary("features with an offset", 2000, 4, x => [0, (x[0] - 1e4f) + (2 * (x[1] + 500))],
            (r, i) => Normal(r) + (i switch { 0 => 1e4f, 1 => -500f, _ => 0 })),
        Binary("skewed counts", 2000, 6, x => [0, MathF.Log(1 + x[0]) - MathF.Log(1 + x[1])], Counts),
        Binary("a constant feature", 2000, 5, x => [0, 2 * (x[0] - x[1])], (r, i) => i == 2 ? 7 : Normal(r)),
        Binary("curved", 3000, 4, x => [0, 3 * x[0] * x[1]]),
        Binary("steps", 3000, 6, x => [0, 4 * ((Step(x[0] - 0.5f) * Step(x[1] + 0.5f)) + (Step(x[2]) * Step(-x[3])) - 0.5f)])
            with { TreeMargin = 0.1 },
    ];

    private static IEnumerable<DataShape> Multiclass() =>
    [
        Multiclass("plain", 2000, 8, Directions(4, 8, 1)),
        // Fifty thousand trees.
        Multiclass("500 classes", 10_000, 20, Directions(500, 20, 1.5f)) with { TreeMargin = null },
        Multiclass("three rows", 3, 4, Directions(3, 4, 1)),
        Multiclass("one feature", 500, 1, Directions(3, 1, 2)),
        Multiclass("features of all scales", 2000, 4, x => [0, 2 * x[0] * 1e3f, x[1] / 5e3f, -x[2]],
            (r, i) => Normal(r) * (i switch { 0 => 1e-3f, 1 => 1e4f, _ => 1 })),
        Multiclass("skewed counts", 2000, 6, x => [0, MathF.Log(1 + x[0]) - 2, MathF.Log(1 + x[1]) - 2], Counts),
        Multiclass("a rare class", 5000, 6, x => [x[0], x[1], x[2] - 6]),
        Multiclass("steps", 3000, 6, x => [4 * Step(x[0] - 0.5f) * Step(x[1]), 4 * Step(x[2]) * Step(-x[3]), 2]),
        Multiclass("a constant feature", 2000, 5, x => [0, 2 * x[0], x[1]], (r, i) => i == 2 ? 7 : Normal(r)),
    ];

    /// <param name="feature">One value; null: normal.</param>
    private static DataShape Regression(string name, int rows, int features, Func<Random, float[], float> label,
        Func<Random, int, float>? feature = null)
        => new(PredictionTask.Regression, name, ml => Split(rows, 1000, (random, _) =>
        {
            float[] x = Features(random, features, feature);
            return new NumberRow { Features = new VBuffer<float>(features, x), Label = label(random, x) };
        }, some => View(ml, some, features)));

    private static DataShape Binary(string name, int rows, int features, Func<float[], float[]> scores,
        Func<Random, int, float>? feature = null)
        => new(PredictionTask.Binary, name, ml => Split(rows, TestRows, (random, row) =>
        {
            float[] x = Features(random, features, feature);
            return new BinaryRow { Features = new VBuffer<float>(features, x), Label = Label(random, rows, row, scores(x)) == 1 };
        }, some => View(ml, some, features)));

    private static DataShape Multiclass(string name, int rows, int features, Func<float[], float[]> scores,
        Func<Random, int, float>? feature = null)
        => new(PredictionTask.Multiclass, name, ml => Split(rows, TestRows, (random, row) =>
        {
            float[] x = Features(random, features, feature);
            return new ClassRow { Features = new VBuffer<float>(features, x), Label = (uint)Label(random, rows, row, scores(x)) };
        }, some => View(ml, some, features, scores(new float[features]).Length)));

    private static float[] Features(Random random, int count, Func<Random, int, float>? feature)
        => [.. Enumerable.Range(0, count).Select(i => feature?.Invoke(random, i) ?? Normal(random))];

    /// <summary>Of a handful of rows every class has one, as a trainer needs.</summary>
    private static int Label(Random random, int rows, int row, float[] scores)
    {
        int drawn = Draw(random, scores);
        return rows < 10 && row < rows ? row % scores.Length : drawn;
    }

    private static (IDataView, IDataView) Split<TRow>(int rows, int testRows, Func<Random, int, TRow> draw, Func<TRow[], IDataView> view)
    {
        var random = new Random(11);
        TRow[] all = [.. Enumerable.Range(0, rows + testRows).Select(i => draw(random, i))];
        return (view(all[..rows]), view(all[rows..]));
    }

    private static Func<Random, float[], float> Linear(float mean, float deviation)
        => (r, x) => mean + (deviation * ((x.Select((value, i) => value * (i % 2 == 0 ? 1 : -1) / MathF.Sqrt(x.Length)).Sum() * 0.97f)
            + (0.25f * Normal(r))));

    private static float Step(float x) => x > 0 ? 1 : 0;

    private static float Counts(Random random, int feature) => MathF.Floor(MathF.Exp(2 + (1.5f * Normal(random))));

    private static Func<float[], float[]> Direction(float scale, float offset)
        => x => [0, offset + (scale * x.Select((value, i) => value * (i % 2 == 0 ? 1 : -1)).Sum() / MathF.Sqrt(x.Length) * 2)];

    /// <summary>A random direction for each class.</summary>
    private static Func<float[], float[]> Directions(int classes, int features, float scale)
    {
        var random = new Random(5);
        float[][] directions = [.. Enumerable.Range(0, classes).Select(_ => Enumerable.Range(0, features)
            .Select(_ => scale * Normal(random)).ToArray())];
        return x => Array.ConvertAll(directions, direction => direction.Zip(x, (a, b) => a * b).Sum());
    }
}
