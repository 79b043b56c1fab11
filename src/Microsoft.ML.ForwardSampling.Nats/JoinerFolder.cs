using System.Globalization;

namespace Microsoft.ML.ForwardSampling.Nats;

/// <summary>A partition's part of a joiner's folder: for each epoch one folder, of which the latest counts, with the join's state and the
/// windows that no worker has completed.</summary>
/// <remarks>Each owner writes into the folder of its own epoch only. So one that was stopped and woken up disturbs nobody, and no lock,
/// which a stopped process keeps, is in the way of the next.</remarks>
internal sealed class JoinerFolder
{
    private const string Epoch = "e", Temporary = ".new", Partial = "partial-", Extension = ".fsw", StateName = "join.state";

    private readonly string _partition;

    public JoinerFolder(string directory, int partition)
    {
        _partition = Path.Combine(Path.GetFullPath(directory), string.Create(CultureInfo.InvariantCulture, $"p{partition}"));
        AtomicFile.CreateFolder(_partition, forced: true);
    }

    /// <summary>The latest epoch whose folder is whole; 0: none.</summary>
    public long Latest => Epochs().Select(e => e.Number).DefaultIfEmpty().Max();

    /// <summary>Folder of an epoch.</summary>
    public string Of(long epoch) => Path.Combine(_partition, string.Create(CultureInfo.InvariantCulture, $"{Epoch}{epoch:D10}"));

    public string State(long epoch) => Path.Combine(Of(epoch), StateName);

    /// <summary>Makes an epoch's folder from the one before it, whole or not at all.</summary>
    public void Begin(long epoch)
    {
        long former = Latest;
        string folder = Of(epoch), temporary = folder + Temporary;
        if (Directory.Exists(temporary))
            Directory.Delete(temporary, recursive: true);
        Directory.CreateDirectory(temporary);
        if (former > 0)
        {
            // The state first: a window that it counts on was there before it, and stays until a worker has completed it.
            if (File.Exists(State(former)))
                Copy(State(former), Path.Combine(temporary, StateName));
            foreach (string window in Directory.GetFiles(Of(former), "*" + Extension))
                Copy(window, Path.Combine(temporary, Path.GetFileName(window)));
        }

        AtomicFile.FlushFolder(temporary);
        Directory.Move(temporary, folder);
        AtomicFile.FlushFolder(_partition);
    }

    /// <summary>Deletes the folders of epochs before this one, as far as the system lets it.</summary>
    public void ForgetBefore(long epoch)
    {
        foreach ((long number, string folder) in Epochs())
        {
            try
            {
                if (number < epoch)
                    Directory.Delete(folder, recursive: true);
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
            }
        }
    }

    /// <summary>Writes rows beside the state that will count on them.</summary>
    /// <param name="epoch">The owner's.</param>
    /// <param name="number">Of the window, or that it will have.</param>
    /// <param name="end">Rows that the join had given out with its last row.</param>
    /// <param name="isPartial">The window is not full yet.</param>
    /// <param name="bytes">What <see cref="WindowEncoding"/> makes of it.</param>
    /// <returns>Its path.</returns>
    public string Write(long epoch, long number, long end, bool isPartial, byte[] bytes)
    {
        string path = Path.Combine(Of(epoch), string.Create(CultureInfo.InvariantCulture,
            $"{(isPartial ? Partial : "")}{number:D12}-{end:D15}{Extension}"));
        using var stream = new FileStream(path, FileMode.Create, FileAccess.Write, FileShare.ReadWrite | FileShare.Delete, 1);
        stream.Write(bytes);
        stream.Flush(flushToDisk: true);
        return path;
    }

    /// <summary>Deletes the rows that earlier states counted on.</summary>
    public void ForgetPartials(long epoch, string present)
    {
        foreach (string path in Directory.GetFiles(Of(epoch), Partial + "*" + Extension))
        {
            if (path != present)
                File.Delete(path);
        }
    }

    /// <summary>Forces the names of new files to the disk.</summary>
    public void Flush(long epoch) => AtomicFile.FlushFolder(Of(epoch));

    /// <summary>The windows that a state counts on, and the rows that are no window yet; what was written for a state that was never saved
    /// is deleted.</summary>
    /// <exception cref="InvalidDataException">What belongs to the state is not there.</exception>
    public (List<KeptWindow> Windows, KeptWindow? Partial) Load(long epoch, long savedRows)
    {
        var windows = new List<KeptWindow>();
        KeptWindow? partial = null;
        foreach (string path in Directory.GetFiles(Of(epoch), "*" + Extension).Order(StringComparer.Ordinal))
        {
            string name = Path.GetFileNameWithoutExtension(path);
            bool isPartial = name.StartsWith(Partial, StringComparison.Ordinal);
            string[] parts = name[(isPartial ? Partial.Length : 0)..].Split('-');
            var kept = new KeptWindow(path, long.Parse(parts[0], CultureInfo.InvariantCulture),
                long.Parse(parts[1], CultureInfo.InvariantCulture));
            if (kept.End > savedRows || (isPartial && kept.End < savedRows))
                File.Delete(path);
            else if (isPartial)
                partial = kept;
            else
                windows.Add(kept);
        }

        return partial is not null || !File.Exists(State(epoch)) ? (windows, partial) : throw new InvalidDataException(
            $"{Of(epoch)} has a state of {savedRows} rows and no file of rows that belongs to it: bring the whole folder.");
    }

    private IEnumerable<(long Number, string Folder)> Epochs()
        => Directory.GetDirectories(_partition, Epoch + "*").Select(folder => (long.TryParse(Path.GetFileName(folder).AsSpan(Epoch.Length),
            NumberStyles.None, CultureInfo.InvariantCulture, out long number) ? number : 0, folder)).Where(e => e.Item1 > 0);

    private static void Copy(string from, string to)
    {
        try
        {
            using FileStream source = new(from, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
            using FileStream target = new(to, FileMode.CreateNew);
            source.CopyTo(target);
            target.Flush(flushToDisk: true);
        }
        catch (FileNotFoundException)
        {
            // A former owner that is still awake has deleted a window that was completed.
        }
    }
}

/// <summary>A window in the joiner's folder.</summary>
/// <param name="Path">Its file.</param>
/// <param name="Number">From 0.</param>
/// <param name="End">Rows that the join had given out with its last row.</param>
internal sealed record KeptWindow(string Path, long Number, long End);
