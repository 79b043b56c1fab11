namespace Microsoft.ML.ForwardSampling.Selection;

/// <summary>How a row's chance follows its loss's percentile in <see cref="AdaptivePercentilePolicy"/>.</summary>
internal enum PercentileCurve
{
    /// <summary>All alike.</summary>
    Flat,

    /// <summary>High losses more.</summary>
    Rising,

    /// <summary>High losses far more.</summary>
    Steeper,

    /// <summary>Middle losses more: neither what is learned nor what may be mislabelled.</summary>
    Hump,

    /// <summary>Low losses more.</summary>
    Falling,
}
