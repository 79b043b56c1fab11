namespace Microsoft.ML.ForwardSampling.DataViews;

/// <summary>How many rows are taken together.</summary>
internal static class RowBlocks
{
    /// <summary>Values that are taken together at most.</summary>
    public const int MostValues = MostBytes / sizeof(float);

    private const int MostBytes = 16 << 20;

    /// <summary>At most <paramref name="most"/> rows, fewer where their features would take more than 16 MiB, and at least one.</summary>
    public static int RowsFor(int featureCount, int most) => Math.Clamp(MostBytes / sizeof(float) / featureCount, 1, most);
}
