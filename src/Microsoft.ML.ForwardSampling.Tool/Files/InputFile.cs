namespace Microsoft.ML.ForwardSampling.Tool.Files;

/// <summary>A file that can be read again and again: as it lies on disk, or a copy of what a pipe brings; gzip is unpacked on the
/// way, and Parquet written as text beside it.</summary>
internal sealed class InputFile : IDisposable
{
    /// <summary>What stands for standard input.</summary>
    public const string StandardInput = "-";

    // A file opens at once; a named pipe, when something writes to it.
    private static readonly TimeSpan TimeToOpen = TimeSpan.FromSeconds(10);

    // A query may take its time before its first row.
    private static readonly TimeSpan TimeOfSilence = TimeSpan.FromMinutes(10);

    private readonly string _path;
    private readonly FileStream? _copy;
    private readonly bool _isPipe;

    private InputFile(string name, string path, FileStream? copy, bool isPipe, bool isParquet = false)
        => (Name, _path, _copy, _isPipe, IsParquet) = (name, path, copy, isPipe, isParquet);

    /// <summary>What messages call it.</summary>
    public string Name { get; }

    /// <summary>What tables call it.</summary>
    public string ShortName => _isPipe ? Name : Path.GetFileName(Name);

    /// <summary>Whether it was a Parquet file: what is read is UTF-8 with commas.</summary>
    public bool IsParquet { get; }

    /// <summary>Opens a file, a pipe or standard input.</summary>
    /// <param name="option">The option that names it.</param>
    /// <param name="path">The path, or <see cref="StandardInput"/>.</param>
    /// <param name="cancellation">Ends the wait for what a pipe brings.</param>
    /// <param name="patience">How long a pipe may have no writer, and be silent; null: 10 seconds, and 10 minutes.</param>
    /// <param name="orElse">What else the option takes.</param>
    /// <exception cref="FileNotFoundException">There is no such file.</exception>
    /// <exception cref="InvalidDataException">It is a folder, or a pipe that nothing writes to.</exception>
    public static InputFile Open(string option, string path, CancellationToken cancellation = default, TimeSpan? patience = null,
        string orElse = "")
    {
        if (path == StandardInput)
        {
            if (!Console.IsInputRedirected)
                throw new InvalidDataException($"{option} - reads standard input, and nothing is piped into it.");
            using Stream input = Console.OpenStandardInput();
            return AsText(Copy("standard input", input, patience ?? TimeOfSilence, cancellation), cancellation);
        }

        if (Directory.Exists(path))
            throw new InvalidDataException($"{option} must be a file, and {path} is a folder.");
        if (!File.Exists(path))
            throw new FileNotFoundException($"{path} is missing: {option} takes a file, - for standard input{orElse}. "
                + $"It was looked for at {Path.GetFullPath(path)}.", path);
        FileStream file = OpenStream(option, path, patience ?? TimeToOpen, cancellation);
        if (file.CanSeek)
        {
            using (file)
                return AsText(new InputFile(path, path, null, isPipe: false), cancellation);
        }

        using (file)
            return AsText(Copy(path, file, patience ?? TimeOfSilence, cancellation), cancellation);
    }

    /// <summary>Its bytes from the beginning.</summary>
    public Stream OpenRead()
    {
        var file = new FileStream(_path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete, 1 << 16,
            FileOptions.SequentialScan);
        Span<byte> first = stackalloc byte[2];
        int count = file.ReadAtLeast(first, 2, throwOnEndOfStream: false);
        file.Position = 0;
        bool isPacked = Name.EndsWith(".gz", StringComparison.OrdinalIgnoreCase) || (count == 2 && first is [0x1F, 0x8B]);
        return isPacked ? new WholeGZip(Name, file) : file;
    }

    /// <summary>Deletes the copy of a pipe.</summary>
    public void Dispose() => _copy?.Dispose();

    /// <summary>Opens a file for reading without waiting for ever on a pipe.</summary>
    /// <exception cref="InvalidDataException">Nothing writes to the pipe.</exception>
    private static FileStream OpenStream(string option, string path, TimeSpan patience, CancellationToken cancellation)
    {
        // The thread of a pipe that never opens ends with the process.
        Task<FileStream> opened = Task.Factory.StartNew(
            () => new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete, bufferSize: 1),
            CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);
        try
        {
            return opened.WaitAsync(patience, cancellation).GetAwaiter().GetResult();
        }
        catch (TimeoutException)
        {
            throw new InvalidDataException($"{option} {path} is a pipe, and nothing began to write to it within {patience.TotalSeconds} "
                + $"seconds. Start the writer first, or give a file.");
        }
    }

    /// <summary>The same file; of a Parquet file its text, as a copy.</summary>
    /// <exception cref="InvalidDataException">It is damaged, or holds what is no table of single values.</exception>
    private static InputFile AsText(InputFile input, CancellationToken cancellation)
    {
        try
        {
            using FileStream parquet = new(input._path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
            if (!ParquetText.Is(parquet))
                return input;
            parquet.Position = 0;
            FileStream copy = CreateCopy(out string path);
            try
            {
                ParquetText.WriteAsync(input.Name, parquet, copy, cancellation).GetAwaiter().GetResult();
                copy.Flush();
            }
            catch
            {
                copy.Dispose();
                throw;
            }

            input.Dispose();
            return new InputFile(input.Name, path, copy, input._isPipe, isParquet: true);
        }
        catch
        {
            input.Dispose();
            throw;
        }
    }

    private static FileStream CreateCopy(out string path)
    {
        path = Path.Combine(Path.GetTempPath(), $"forward-sampling-{Path.GetRandomFileName()}");
        var options = new FileStreamOptions
        {
            Mode = FileMode.CreateNew,
            Access = FileAccess.Write,
            Share = FileShare.ReadWrite | FileShare.Delete,
            Options = FileOptions.DeleteOnClose,
        };
        if (!OperatingSystem.IsWindows())
            options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite; // the rows are the user's alone
        return new FileStream(path, options);
    }

    private static InputFile Copy(string name, Stream pipe, TimeSpan silence, CancellationToken cancellation)
    {
        FileStream copy = CreateCopy(out string path);
        try
        {
            // A read that waits cannot be called back: it is left behind.
            byte[] buffer = new byte[1 << 16];
            while (Task.Run(() => pipe.Read(buffer), CancellationToken.None).WaitAsync(silence, cancellation).GetAwaiter().GetResult()
                is > 0 and int count)
                copy.Write(buffer.AsSpan(0, count));
            copy.Flush();
            return new InputFile(name, path, copy, isPipe: true);
        }
        catch (TimeoutException)
        {
            copy.Dispose();
            throw new InvalidDataException($"{name} is a pipe, and nothing came through it for {silence.TotalSeconds} seconds. Does its "
                + "writer wait for something? Give a file.");
        }
        catch
        {
            copy.Dispose();
            throw;
        }
    }
}
