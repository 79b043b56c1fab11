using System.Globalization;

namespace Microsoft.ML.ForwardSampling.Tool.Pages;

/// <summary>An axis before the values are known: what stands beside it, and how its ticks are written.</summary>
/// <param name="Title">What it measures, with the unit.</param>
/// <param name="Format">Text of a tick.</param>
internal sealed record PlotAxis(string Title, Func<double, string> Format)
{
    /// <summary>Whether equal distances are equal ratios; values must be positive then.</summary>
    public bool IsLogarithmic { get; init; }

    /// <summary>Names for the values 0, 1, 2, ..., each a tick of its own; null: a scale of numbers.</summary>
    public IReadOnlyList<string>? Names { get; init; }

    /// <summary>A scale of counts, with thousands marked.</summary>
    public static PlotAxis Counts(string title) => new(title, value => value.ToString("N0", CultureInfo.InvariantCulture))
    { IsLogarithmic = true };

    /// <summary>A scale of shares, written in per cent.</summary>
    public static PlotAxis Shares(string title) => new(title, value => string.Create(CultureInfo.InvariantCulture, $"{100 * value:0.#} %"));

    /// <summary>A scale of numbers.</summary>
    public static PlotAxis Numbers(string title) => new(title, value => value.ToString("G4", CultureInfo.InvariantCulture));

    /// <summary>One place for each name.</summary>
    public static PlotAxis Of(string title, IReadOnlyList<string> names) => new(title, value => names[(int)value]) { Names = names };

    /// <summary>Lays the axis along pixels.</summary>
    public PlotScale Fit(IEnumerable<double> values, double fromPixel, double toPixel)
    {
        double[] all = [.. values];
        (double low, double high) = (all.Min(), all.Max());
        if (Names is not null)
            return new PlotScale(-0.5, Names.Count - 0.5, fromPixel, toPixel, false,
                [.. Enumerable.Range(0, Names.Count).Select(i => (double)i)]);
        return IsLogarithmic ? Logarithmic(low, high, fromPixel, toPixel) : Linear(low, high, fromPixel, toPixel);
    }

    private static PlotScale Logarithmic(double low, double high, double fromPixel, double toPixel)
    {
        if (low == high)
            (low, high) = (low / 2, high * 2);
        IEnumerable<double> ticks = Enumerable.Range(-6, 18).SelectMany(e => new[] { 1, 2, 5 }.Select(m => m * Math.Pow(10, e)));
        return new PlotScale(Math.Log(low), Math.Log(high), fromPixel, toPixel, true, [.. ticks.Where(t => t >= low && t <= high)]);
    }

    private static PlotScale Linear(double low, double high, double fromPixel, double toPixel)
    {
        double range = Math.Max(high - low, Math.Max(1e-3 * Math.Abs(high), 1e-12));
        double power = Math.Pow(10, Math.Floor(Math.Log10(range / 8)));
        double step = new[] { 1, 2, 5, 10 }.Select(m => m * power).First(s => range / s <= 8);
        double from = Math.Floor(low / step) * step;
        int steps = Math.Max(1, (int)Math.Ceiling((high - from) / step - 1e-9));
        double[] ticks = [.. Enumerable.Range(0, steps + 1).Select(i => from + i * step)];
        return new PlotScale(from, ticks[^1], fromPixel, toPixel, false, ticks);
    }
}

/// <summary>An axis laid along pixels.</summary>
internal sealed record PlotScale(double From, double To, double FromPixel, double ToPixel, bool IsLogarithmic, double[] Ticks)
{
    /// <summary>The pixel of a value.</summary>
    public double At(double value) => FromPixel + ((IsLogarithmic ? Math.Log(value) : value) - From) / (To - From) * (ToPixel - FromPixel);
}
