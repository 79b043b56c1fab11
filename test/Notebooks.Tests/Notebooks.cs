namespace Microsoft.ML.ForwardSampling.Notebooks.Tests;

/// <summary>The notebooks of the repository.</summary>
internal static class Notebooks
{
    public static string Folder { get; } = Path.Combine(RepositoryFolder.Root, "src", "Examples", "notebooks");

    public static string[] Names { get; } =
        [.. Directory.GetFiles(Folder, "*.ipynb").Select(Path.GetFileNameWithoutExtension).Order(StringComparer.Ordinal)!];

    public static string PathOf(string name) => Path.Combine(Folder, $"{name}.ipynb");

    public static string TwinOf(string name) => Path.Combine(Folder, $"{name}.cs");

    /// <summary>Whether two cells have the same kind and text.</summary>
    public static bool SameSource(Cell one, Cell other) => (one.IsCode, one.Text) == (other.IsCode, other.Text);
}
