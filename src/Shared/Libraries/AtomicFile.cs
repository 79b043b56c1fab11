namespace Microsoft.ML.ForwardSampling;

/// <summary>Files that are replaced as a whole.</summary>
internal static class AtomicFile
{
    /// <summary>Full path of the file itself: of a symbolic link, of what it points to in the end, there or not.</summary>
    /// <exception cref="IOException">The links go round in a circle.</exception>
    public static string Target(string path)
    {
        var file = new FileInfo(Path.GetFullPath(path));
        return file.LinkTarget is null ? file.FullName : file.ResolveLinkTarget(returnFinalTarget: true)!.FullName;
    }
}
