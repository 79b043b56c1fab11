using System.Globalization;
using Microsoft.ML.ForwardSampling.Records;

namespace Microsoft.ML.ForwardSampling.Nats;

/// <summary>A partition's part of a joiner's folder: for each epoch one folder, of which the latest counts, with the join's state and the
/// windows that no worker has completed.</summary>
/// <remarks>
/// <para>Each owner writes into the folder of its own epoch only. So one that was stopped and woken up disturbs nobody, and no lock, which
/// a stopped process keeps, is in the way of the next.</para>
/// <para>With a state store each save goes there too, and counts there: the folder is not forced to the disk then, and each window is a
/// file of its own, so that the store forgets it when it is completed.</para>
/// </remarks>
internal sealed class JoinerFolder : IDisposable
{
    private const string Epoch = "e", Temporary = ".new", Partial = "partial-", Extension = ".fsw", Selections = ".fsk",
        StateName = "join.state";

    private readonly string _partition;
    private readonly IJoinStateStore? _store;
    private readonly string _join;
    private HashSet<string> _stored = [];                   // what the store has of the present epoch
    private FileStream? _windows;                           // of the next save
    private KeptFile? _file;

    /// <summary>Opens the folder.</summary>
    /// <param name="directory">Of all partitions.</param>
    /// <param name="partition">Which.</param>
    /// <param name="store">Keeps the state; null: the folder does.</param>
    /// <param name="join">The partition's name there.</param>
    public JoinerFolder(string directory, int partition, IJoinStateStore? store, string join)
    {
        (_store, _join) = (store, join);
        _partition = Path.Combine(Path.GetFullPath(directory), string.Create(CultureInfo.InvariantCulture, $"p{partition}"));
        AtomicFile.CreateFolder(_partition, forced: true);
    }

    /// <summary>Where states are looked for, for a message.</summary>
    public string Place => _store is null ? "this folder" : "the state store";

    /// <summary>The latest epoch whose folder is whole; 0: none.</summary>
    private long Local => Epochs().Select(e => e.Number).DefaultIfEmpty().Max();

    /// <summary>Folder of an epoch.</summary>
    public string Of(long epoch) => Path.Combine(_partition, string.Create(CultureInfo.InvariantCulture, $"{Epoch}{epoch:D10}"));

    public string State(long epoch) => Path.Combine(Of(epoch), StateName);

    /// <summary>The latest epoch that has a state, in the store or here; 0: none.</summary>
    public async Task<long> FindLatest(CancellationToken cancellationToken)
        => Math.Max(Local, await FindStored(cancellationToken).ConfigureAwait(false));

    /// <summary>Makes an epoch's folder from the one before it, whole or not at all, and lets the store have it.</summary>
    public async Task Begin(long epoch, CancellationToken cancellationToken)
    {
        long former = Local, stored = await FindStored(cancellationToken).ConfigureAwait(false);
        string folder = Of(epoch), temporary = folder + Temporary;
        if (Directory.Exists(temporary))
            Directory.Delete(temporary, recursive: true);
        Directory.CreateDirectory(temporary);
        if (_store is not null && stored >= former)
        {
            // What is here is at most as late: it was handed over before anybody was told.
            if (stored > 0)
                await _store.FetchAsync(_join, stored, temporary, cancellationToken).ConfigureAwait(false);
        }
        else if (former > 0)
        {
            // The state first: a window that it counts on was there before it, and stays until a worker has completed it.
            if (File.Exists(State(former)))
                Copy(State(former), Path.Combine(temporary, StateName));
            // Windows before selections: a window that is gone meanwhile has its selection kept by then.
            foreach (string file in (string[])[.. Directory.GetFiles(Of(former), "*" + Extension),
                .. Directory.GetFiles(Of(former), "*" + Selections)])
                Copy(file, Path.Combine(temporary, Path.GetFileName(file)));
        }

        AtomicFile.FlushFolder(temporary);
        if (Directory.Exists(folder))
            Directory.Delete(folder, recursive: true);      // begun by one that could not tell the store
        Directory.Move(temporary, folder);
        AtomicFile.FlushFolder(_partition);
        await Store(epoch, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Hands the state that was saved over to the store, if there is one.</summary>
    public async Task Store(long epoch, CancellationToken cancellationToken)
    {
        if (_store is null)
            return;
        HashSet<string> files = [.. Directory.GetFiles(Of(epoch), "*" + Extension).Concat(Directory.GetFiles(Of(epoch), "*" + Selections))
            .Select(path => Path.GetFileName(path))];
        if (File.Exists(State(epoch)))
            files.Add(StateName);
        // Files are never written over, but for the state.
        await _store.SaveAsync(_join, epoch, Of(epoch), files, [.. files.Where(file => file == StateName || !_stored.Contains(file))],
            cancellationToken).ConfigureAwait(false);
        _stored = files;
    }

    /// <summary>Deletes the folders of epochs before this one, as far as the system lets it.</summary>
    public async Task ForgetBefore(long epoch, CancellationToken cancellationToken)
    {
        try
        {
            if (_store is not null)
                await _store.ForgetBeforeAsync(_join, epoch, cancellationToken).ConfigureAwait(false);
        }
        catch (IOException)
        {
            // The next owner does it.
        }

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

    /// <summary>Writes a window behind those that the next state will count on too: a file for each save, forced to the disk
    /// once.</summary>
    /// <param name="epoch">The owner's.</param>
    /// <param name="number">Of the window.</param>
    /// <param name="end">Rows that the join had given out with its last row.</param>
    /// <param name="bytes">What <see cref="WindowEncoding"/> makes of it.</param>
    public KeptWindow Append(long epoch, long number, long end, byte[] bytes)
    {
        _windows ??= new FileStream(PathOf(epoch, number, end, isPartial: false), FileMode.Create, FileAccess.Write,
            FileShare.ReadWrite | FileShare.Delete, 1);
        _file ??= new KeptFile(_windows.Name);
        var window = new KeptWindow(_file, _windows.Position, bytes.Length, number);
        _windows.Write(bytes);
        _file.Open++;
        if (_store is not null)
            Dispose();
        return window;
    }

    /// <summary>Writes the rows that are no window yet.</summary>
    /// <returns>The file's path.</returns>
    public string WritePartial(long epoch, long number, long end, byte[] bytes)
    {
        string path = PathOf(epoch, number, end, isPartial: true);
        using var stream = new FileStream(path, FileMode.Create, FileAccess.Write, FileShare.ReadWrite | FileShare.Delete, 1);
        stream.Write(bytes);
        stream.Flush(flushToDisk: _store is null);
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

    /// <summary>Forces the windows to the disk.</summary>
    public void FlushWindows()
    {
        if (_store is null)
            _windows?.Flush(flushToDisk: true);
        Dispose();
    }

    /// <summary>Forces the names of new files to the disk.</summary>
    public void Flush(long epoch)
    {
        if (_store is null)
            AtomicFile.FlushFolder(Of(epoch));
    }

    /// <summary>Keeps selections that were seen in the cluster, forced to the disk, so that their windows may be let go of.</summary>
    public KeptSelections Keep(long epoch, IReadOnlyList<(long Number, ReadOnlyMemory<byte> Bytes)> selections)
    {
        var kept = KeptSelections.Write(Path.Combine(Of(epoch),
            string.Create(CultureInfo.InvariantCulture, $"selections-{selections[0].Number:D12}{Selections}")), selections);
        AtomicFile.FlushFolder(Of(epoch));
        return kept;
    }

    /// <summary>The selections that were kept before.</summary>
    public List<KeptSelections> LoadSelections(long epoch)
        => [.. Directory.GetFiles(Of(epoch), "*" + Selections).Order(StringComparer.Ordinal).Select(KeptSelections.Scan)];

    /// <summary>Closes the file of windows, which no state counts on unless it was flushed.</summary>
    public void Dispose()
    {
        _windows?.Dispose();
        (_windows, _file) = (null, null);
    }

    /// <summary>The windows that a state counts on and that are not completed, and the rows that are no window yet; what was written for
    /// a state that was never saved is deleted.</summary>
    /// <exception cref="InvalidDataException">What belongs to the state is not there, or damaged.</exception>
    public (List<KeptWindow> Windows, (string Path, long Number, long End)? Partial) Load(long epoch, long savedRows)
    {
        (string Path, long Number, long End)? partial = null;
        foreach ((string path, long number, long end) in Files(epoch, isPartial: true))
        {
            if (end == savedRows)
                partial = (path, number, end);              // the last: one before it was closed short
            else
                File.Delete(path);
        }

        if (partial is null && File.Exists(State(epoch)))
            throw new InvalidDataException(
                $"{Of(epoch)} has a state of {savedRows} rows and no file of rows that belongs to it: bring the whole folder.");
        var windows = new List<KeptWindow>();
        foreach ((string path, long number, long end) in Files(epoch, isPartial: false))
        {
            // The second: closed short at rows that were saved already, and not saved itself. It may be torn, and nobody has seen it.
            if (end > savedRows || number >= partial?.Number)
                File.Delete(path);
            else
                windows.AddRange(KeptFile.Scan(path));
        }

        return (windows, partial);
    }

    /// <summary>Files of windows, in the order of their numbers: the first window's number, and its end.</summary>
    private IEnumerable<(string Path, long Number, long End)> Files(long epoch, bool isPartial)
    {
        foreach (string path in Directory.GetFiles(Of(epoch), (isPartial ? Partial : "") + "*" + Extension).Order(StringComparer.Ordinal))
        {
            string name = Path.GetFileNameWithoutExtension(path);
            if (name.StartsWith(Partial, StringComparison.Ordinal) != isPartial)
                continue;
            string[] parts = name[(isPartial ? Partial.Length : 0)..].Split('-');
            yield return (path, long.Parse(parts[0], CultureInfo.InvariantCulture), long.Parse(parts[1], CultureInfo.InvariantCulture));
        }
    }

    private Task<long> FindStored(CancellationToken cancellationToken)
        => _store?.FindLatestAsync(_join, cancellationToken) ?? Task.FromResult(0L);

    private string PathOf(long epoch, long number, long end, bool isPartial) => Path.Combine(Of(epoch),
        string.Create(CultureInfo.InvariantCulture, $"{(isPartial ? Partial : "")}{number:D12}-{end:D15}{Extension}"));

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
/// <param name="File">Its file.</param>
/// <param name="Offset">Where it begins there.</param>
/// <param name="Bytes">Its length.</param>
/// <param name="Number">From 0.</param>
internal sealed record KeptWindow(KeptFile File, long Offset, int Bytes, long Number)
{
    /// <summary>Its bytes.</summary>
    /// <exception cref="InvalidDataException">The file ends within it.</exception>
    public byte[] Read()
    {
        byte[] bytes = new byte[Bytes];
        using FileStream stream = File.OpenShared(FileAccess.Read);
        stream.Position = Offset;
        return stream.ReadAtLeast(bytes, Bytes, throwOnEndOfStream: false) == Bytes ? bytes
            : throw new InvalidDataException($"{File.Path} ends within the window that begins at byte {Offset}.");
    }
}

/// <summary>A file of windows, one behind the other, until workers have completed all of them. One that is completed begins with
/// 0.</summary>
internal sealed class KeptFile(string path)
{
    private const byte Completed = 0;
    private const byte Begins = (byte)'F';

    public string Path => path;

    /// <summary>Windows that no worker has completed.</summary>
    public int Open { get; set; }

    /// <summary>The windows of a file that are not completed.</summary>
    /// <exception cref="InvalidDataException">The file is damaged.</exception>
    public static List<KeptWindow> Scan(string path)
    {
        var file = new KeptFile(path);
        var windows = new List<KeptWindow>();
        using (FileStream stream = file.OpenShared(FileAccess.Read))
        {
            byte[] head = new byte[WindowEncoding.HeaderBytes];
            for (long at = 0; at < stream.Length;)
            {
                stream.Position = at;
                int read = stream.ReadAtLeast(head, head.Length, throwOnEndOfStream: false);
                bool isCompleted = head[0] == Completed;
                head[0] = isCompleted ? Begins : head[0];
                try
                {
                    (long number, int bytes) = WindowEncoding.ReadHeader(head.AsSpan(0, read));
                    if (bytes < head.Length || at + bytes > stream.Length)
                        throw new InvalidDataException($"The window of {bytes} bytes is not whole.");
                    if (!isCompleted)
                        windows.Add(new KeptWindow(file, at, bytes, number));
                    at += bytes;
                }
                catch (InvalidDataException e)
                {
                    throw new InvalidDataException($"{path} at byte {at}: {e.Message}", e);
                }
            }
        }

        file.Open = windows.Count;
        if (file.Open == 0)
            File.Delete(path);
        return windows;
    }

    /// <summary>A worker has completed a window: a file without others is deleted. One at a time.</summary>
    public void Forget(KeptWindow window)
    {
        if (--Open == 0)
        {
            File.Delete(path);
            return;
        }

        // Not forced to the disk, as little as a deletion is: a window that comes again has its selection already.
        using FileStream stream = OpenShared(FileAccess.Write);
        stream.Position = window.Offset;
        stream.WriteByte(Completed);
    }

    public FileStream OpenShared(FileAccess access)
        => new(path, FileMode.Open, access, FileShare.ReadWrite | FileShare.Delete, 1);
}
