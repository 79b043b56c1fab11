namespace Microsoft.ML.ForwardSampling.Tests;

/// <summary>The folder this build was made from: the nearest one above the test binaries that holds the solution.</summary>
internal static class RepositoryFolder
{
    public static string Root { get; } = Find();

    private static string Find()
    {
        for (DirectoryInfo? folder = new(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            if (File.Exists(Path.Combine(folder.FullName, "ForwardSampling.slnx")))
                return folder.FullName;
        }

        throw new InvalidOperationException($"No folder above {AppContext.BaseDirectory} holds ForwardSampling.slnx.");
    }
}
