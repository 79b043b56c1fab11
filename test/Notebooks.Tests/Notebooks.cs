using System.Runtime.CompilerServices;

namespace Microsoft.ML.ForwardSampling.Notebooks.Tests;

/// <summary>The notebooks of the repository.</summary>
internal static class Notebooks
{
    public static string Repository { get; } = Find();

    public static string Folder { get; } = Path.Combine(Repository, "src", "Examples", "notebooks");

    public static string[] Names { get; } =
        [.. Directory.GetFiles(Folder, "*.ipynb").Select(Path.GetFileNameWithoutExtension).Order(StringComparer.Ordinal)!];

    public static string PathOf(string name) => Path.Combine(Folder, $"{name}.ipynb");

    public static string TwinOf(string name) => Path.Combine(Folder, $"{name}.cs");

    /// <summary>Whether two cells have the same kind and text.</summary>
    public static bool SameSource(Cell one, Cell other) => (one.IsCode, one.Text) == (other.IsCode, other.Text);

    private static string Find([CallerFilePath] string path = "")
        => Path.GetFullPath(Path.Combine(Path.GetDirectoryName(path)!, "..", ".."));
}
