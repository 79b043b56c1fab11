using System.Globalization;
using System.Text;

namespace Microsoft.ML.ForwardSampling.Tool.Tests.Compare;

/// <summary>Writes small files with numbers, texts, gaps and columns that say nothing.</summary>
internal static class TinyCsv
{
    public const int Rows = 1500;

    /// <summary>A file whose label columns Bought (yes, no), Kind (a, b, c) and Price follow from size, weight and colour.</summary>
    public static string Write(TemporaryFolder folder, string name = "rows.csv", int rows = Rows, int seed = 1)
    {
        var random = new Random(seed);
        string[] colours = ["red", "green", "dark, blue"];
        var text = new StringBuilder("Id,Size,Weight,Colour,Country,Bought,Kind,Price\n");
        for (int i = 0; i < rows; i++)
        {
            double size = 100 + 20 * (2 * random.NextDouble() - 1), weight = random.NextDouble();
            int colour = random.Next(3);
            double score = (size - 100) / 20 + (colour - 1);
            text.Append(CultureInfo.InvariantCulture,
                $"row{i},{size:0.###},{(i % 10 == 3 ? "" : weight.ToString("0.###", CultureInfo.InvariantCulture))}"
                + $",\"{colours[colour]}\",NL,");
            text.Append(CultureInfo.InvariantCulture,
                $"{(score > 0 ? "yes" : "no")},{(score < -0.5 ? "a" : score < 0.5 ? "b" : "c")},{1000 + 50 * score:0.###}\n");
        }

        string path = folder.File(name);
        File.WriteAllText(path, text.ToString());
        return path;
    }
}
