using System.Globalization;

namespace Microsoft.ML.ForwardSampling.Tool.Compare;

/// <summary>Figures as text, the same in the terminal, the page and the documents.</summary>
internal static class CompareText
{
    /// <summary>A value of a figure.</summary>
    public static string Value(CompareMetric metric, double value)
        => metric.IsShare ? string.Create(CultureInfo.InvariantCulture, $"{100 * value:0.00} %")
            : string.Create(CultureInfo.InvariantCulture, $"{value:0.0000}");

    /// <summary>A mean with half the width of its 95 % interval; alone for one seed.</summary>
    public static string Mean(CompareMetric metric, CompareEstimate estimate) => double.IsNaN(estimate.HalfWidth)
        ? Value(metric, estimate.Mean)
        : metric.IsShare ? string.Create(CultureInfo.InvariantCulture, $"{100 * estimate.Mean:0.00} ± {100 * estimate.HalfWidth:0.00} %")
            : string.Create(CultureInfo.InvariantCulture, $"{estimate.Mean:0.0000} ± {estimate.HalfWidth:0.0000}");

    /// <summary>A difference with its sign, in points for a share.</summary>
    public static string Difference(CompareMetric metric, double difference)
        => metric.IsShare ? string.Create(CultureInfo.InvariantCulture, $"{100 * difference:+0.00;−0.00;0.00}")
            : string.Create(CultureInfo.InvariantCulture, $"{difference:+0.0000;−0.0000;0.0000}");

    /// <summary>A difference with its interval; alone for one seed.</summary>
    public static string Difference(CompareMetric metric, PairedDifference difference) => double.IsNaN(difference.Low)
        ? Difference(metric, difference.Mean)
        : $"{Difference(metric, difference.Mean)} [{Difference(metric, difference.Low)}, {Difference(metric, difference.High)}]";

    /// <summary>A share in per cent, with half the width of its interval; alone for one seed.</summary>
    public static string Share(CompareEstimate share) => double.IsNaN(share.HalfWidth)
        ? string.Create(CultureInfo.InvariantCulture, $"{100 * share.Mean:0} %")
        : string.Create(CultureInfo.InvariantCulture, $"{100 * share.Mean:0} ± {100 * share.HalfWidth:0} %");

    /// <summary>An adjusted chance.</summary>
    public static string Chance(double p) => double.IsNaN(p) ? "–" : p < 0.001 ? "<0.001"
        : string.Create(CultureInfo.InvariantCulture, $"{p:0.000}");

}
