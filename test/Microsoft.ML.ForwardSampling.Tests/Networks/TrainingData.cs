using Microsoft.ML.Data;

namespace Microsoft.ML.ForwardSampling.Tests.Networks;

/// <summary>A row with a label for each task, all of them functions of the four features.</summary>
public class TrainingRow
{
    [VectorType(4)]
    public float[] Features { get; set; } = [];

    /// <summary>Friedman's first problem on four of its five variables, centred: between about -14 and 14.</summary>
    public float Label { get; set; }

    public bool IsHigh { get; set; }

    public string Band { get; set; } = "";

    public float Weight { get; set; } = 1f;
}

/// <summary>Small generated data for trainer tests; the same rows for the same seed.</summary>
internal static class TrainingData
{
    public static TrainingRow[] Rows(int count, int seed = 1)
    {
        var random = new Random(seed);
        var rows = new TrainingRow[count];
        for (int i = 0; i < count; i++)
        {
            float[] x = [random.NextSingle(), random.NextSingle(), random.NextSingle(), random.NextSingle()];
            float y = 10f * MathF.Sin(MathF.PI * x[0] * x[1]) + 20f * (x[2] - 0.5f) * (x[2] - 0.5f) + 10f * x[3] - 12f;
            rows[i] = new TrainingRow { Features = x, Label = y, IsHigh = y > 0f, Band = y < -3f ? "low" : y < 2f ? "mid" : "high" };
        }

        return rows;
    }

    public static IDataView View(MLContext context, int count, int seed = 1) => context.Data.LoadFromEnumerable(Rows(count, seed));

    /// <summary>The rows with the band as a key in column "BandKey".</summary>
    public static IDataView WithKey(MLContext context, IDataView rows)
        => context.Transforms.Conversion.MapValueToKey("BandKey", nameof(TrainingRow.Band)).Fit(rows).Transform(rows);

    public static float[] Scores(IDataView scored) => [.. scored.GetColumn<float>("Score")];
}
