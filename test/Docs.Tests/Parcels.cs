using Microsoft.ML.Data;

namespace Microsoft.ML.ForwardSampling.Docs.Tests;

/// <summary>A parcel on its way: what the pages learn from.</summary>
public sealed class Parcel
{
    public string Id { get; set; } = "";

    [VectorType(4)]
    public float[] Features { get; set; } = [];

    /// <summary>A function of the features with a little noise.</summary>
    public float Minutes { get; set; }

    /// <summary>True for about one parcel in twenty, the slowest.</summary>
    public bool Late { get; set; }

    public string Carrier { get; set; } = "";

    /// <summary>Words of which two say how long it takes.</summary>
    public string Note { get; set; } = "";

    /// <summary>Above 0.</summary>
    public float Worth { get; set; }
}

/// <summary>The same parcels for the same seed.</summary>
internal static class Parcels
{
    private static readonly string[] s_places = ["valley", "harbour", "island", "summit"];

    public static Parcel[] Rows(int count, int seed)
    {
        var random = new Random(seed);
        return [.. Enumerable.Range(0, count).Select(i =>
        {
            float[] x = [random.NextSingle(), random.NextSingle(), random.NextSingle(), random.NextSingle()];
            int place = random.Next(4);
            float minutes = 20 * x[0] * x[1] + 8 * MathF.Sin(3 * x[2]) + 2 * random.NextSingle();
            return new Parcel
            {
                Id = $"P{seed}-{i}",
                Features = x,
                Minutes = minutes + place,
                Late = minutes > 21,
                Carrier = x[3] < 0.5f ? "north" : x[0] < 0.5f ? "east" : "south",
                Note = $"to the {s_places[place]} {(minutes > 15 ? "slow road" : "fast road")}",
                Worth = 1 + 9 * random.NextSingle(),
            };
        })];
    }
}
