namespace Microsoft.ML.ForwardSampling.DataViews;

/// <summary>An MLContext of our own, for helpers that the user did not ask for.</summary>
/// <remarks>
/// Every component registered on a context moves the random stream of the components after it. Borrowed shapes and caches
/// are created here, so that using this library changes no seed of the user's.
/// </remarks>
internal static class PrivateContext
{
    public static MLContext Instance { get; } = new(seed: 0);
}
