using System.Globalization;
using Microsoft.ML.ForwardSampling.ShapesOfData;

namespace Microsoft.ML.ForwardSampling.Benchmarks;

/// <summary>The default trainers beside ML.NET's Sdca and LightGBM, no option set, on every shape of data that the tests hold them to; and
/// beside themselves with no row held out. Called by <c>./build.sh bench defaults</c>.</summary>
internal static class DefaultsBench
{
    /// <summary>Prints one table; the best of the first three is bold.</summary>
    public static int Run()
    {
        Console.WriteLine("| Task | Shape | Default | Sdca | LightGBM | Default, no row held out |\n| --- | --- | ---: | ---: | ---: | "
            + "---: |");
        foreach (DataShape shape in DataShapes.All)
        {
            double own = shape.Own(new MLContext(1)), whole = shape.Own(new MLContext(1), heldOutShare: 0f);
            double[] all = [own, shape.Sdca(new MLContext(1)), shape.LightGbm(new MLContext(1))];
            double best = shape.Task == PredictionTask.Regression ? all.Max() : all.Min();
            Console.WriteLine($"| {shape.Task}, {(shape.Task == PredictionTask.Regression ? "R²" : "log-loss")} | {shape.Name} | "
                + $"{string.Join(" | ", all.Select(quality => Text(quality, quality == best)))} | "
                + $"{(whole == own ? "the same" : Text(whole, bold: false))} |");
        }

        return 0;
    }

    private static string Text(double quality, bool bold)
    {
        string text = quality.ToString("F3", CultureInfo.InvariantCulture);
        return bold ? $"**{text}**" : text;
    }
}
