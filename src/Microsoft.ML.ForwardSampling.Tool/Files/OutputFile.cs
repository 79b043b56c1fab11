namespace Microsoft.ML.ForwardSampling.Tool.Files;

/// <summary>A file that is written at the end of long work: found out about before the work.</summary>
internal static class OutputFile
{
    /// <summary>Whether it can be written, and nothing else is lost by it. Changes no file; makes the folder.</summary>
    /// <param name="option">The option that names it.</param>
    /// <param name="path">The file.</param>
    /// <param name="begins">What a file of this kind begins with: another one is not written over.</param>
    /// <param name="others">Files that it must not be, with the options that name them.</param>
    /// <exception cref="InvalidDataException">It cannot be written, or should not be; the message says why.</exception>
    public static void Check(string option, string path, char begins, IEnumerable<(string Option, string? Path)> others)
    {
        string full = Path.GetFullPath(path);
        if (Path.EndsInDirectorySeparator(path) || Directory.Exists(full))
            throw new InvalidDataException($"{option} must be a file, and '{path}' is a folder.");
        foreach ((string other, string? taken) in others)
        {
            if (taken is not null && Path.GetFullPath(taken) == full)
                throw new InvalidDataException($"{option} must be a file of its own, and '{path}' is that of {other}.");
        }

        // It would be replaced by a file.
        if (!OperatingSystem.IsWindows() && full.StartsWith("/dev/", StringComparison.Ordinal))
            throw new InvalidDataException($"{option} must be a file, and '{path}' is a device.");
        try
        {
            Directory.CreateDirectory(Path.GetDirectoryName(full)!);
            string probe = NewName(full);
            bool wasThere = File.Exists(probe);
            using (new FileStream(probe, FileMode.OpenOrCreate, FileAccess.Write))
            {
            }

            if (!wasThere)
                File.Delete(probe);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or NotSupportedException)
        {
            throw new InvalidDataException($"{option} '{path}' cannot be written: {e.Message}", e);
        }

        if (!File.Exists(full))
            return;
        using InputFile there = InputFile.Open(option, path);
        using Stream bytes = there.OpenRead();
        int first = First(bytes);
        if (first >= 0 && first != begins)
            throw new InvalidDataException($"{option} would write over '{path}', which is no file of this program: it begins with "
                + $"'{(char)first}' instead of '{begins}'. Give another name, or delete it.");
    }

    /// <summary>Writes a file under another name first: whoever looks finds a whole one.</summary>
    public static void Write(string path, string content)
    {
        string full = Path.GetFullPath(path);
        Directory.CreateDirectory(Path.GetDirectoryName(full)!);
        File.WriteAllText(NewName(full), content);
        File.Move(NewName(full), full, overwrite: true);
    }

    /// <summary>Writes a file that is too large for memory, in the same way; nothing is left behind when that fails.</summary>
    public static void Write(string path, Action<Stream> write)
    {
        string full = Path.GetFullPath(path);
        Directory.CreateDirectory(Path.GetDirectoryName(full)!);
        try
        {
            using (var stream = new FileStream(NewName(full), FileMode.Create, FileAccess.ReadWrite))
                write(stream);
            File.Move(NewName(full), full, overwrite: true);
        }
        catch
        {
            File.Delete(NewName(full));
            throw;
        }
    }

    private static string NewName(string path) => path + ".new";

    /// <summary>The first byte that is neither space nor byte-order mark; -1: there is none.</summary>
    private static int First(Stream bytes)
    {
        int next;
        do
            next = bytes.ReadByte();
        while (next is ' ' or '\t' or '\r' or '\n' or 0xEF or 0xBB or 0xBF);
        return next;
    }
}
