namespace Microsoft.ML.ForwardSampling.ModelStress;

/// <summary>Files that are not damaged.</summary>
internal static class WholeFiles
{
    private static string Tests => Path.Combine(RepositoryFolder.Root, "test");

    /// <summary>Files of every version whose formats are kept.</summary>
    public static string[] Saved(string pattern) => [.. Directory.GetFiles(
        Path.Combine(Tests, "Microsoft.ML.ForwardSampling.Tests", "SavedFormats", "files"), pattern, SearchOption.AllDirectories)
        .Order(StringComparer.Ordinal)];

    /// <summary>Results of a comparison.</summary>
    public static string Results => Path.Combine(Tests, "Microsoft.ML.ForwardSampling.Tool.Tests", "Compare", "earlier.json");
}
