using System.Globalization;
using System.Text.Json;

namespace Microsoft.ML.ForwardSampling.Examples.ServeAndTrain;

/// <summary>The folder of a run: all that its processes share.</summary>
internal sealed record RunFolder(string Path, ServeAndTrainOptions Options)
{
    private static readonly TimeSpan Poll = TimeSpan.FromMilliseconds(100);

    /// <summary>Rows that were acknowledged to the serving process.</summary>
    public string Served => In("served.log");

    /// <summary>Labels that were acknowledged to the labelling process.</summary>
    public string Labelled => In("labelled.log");

    /// <summary>There once everything is served, labelled and trained on.</summary>
    public string Finished => In("finished");

    public WindowFolder Windows => new(In("windows"));

    public ModelFolder Models => new(In("models"));

    /// <summary>Makes the folder, or joins the run that is there.</summary>
    /// <param name="path">The folder.</param>
    /// <param name="change">Applies what the command line asked for; on a run that is there it may change nothing.</param>
    /// <exception cref="InvalidDataException">The run that is there has other options.</exception>
    public static RunFolder Open(string path, Func<ServeAndTrainOptions, ServeAndTrainOptions> change)
    {
        path = System.IO.Path.GetFullPath(path);
        Directory.CreateDirectory(path);
        string file = System.IO.Path.Combine(path, "options.json");
        if (!File.Exists(file))
        {
            string own = $"{file}.{Guid.NewGuid():N}";
            File.WriteAllText(own, JsonSerializer.Serialize(change(new ServeAndTrainOptions())));
            try
            {
                File.Move(own, file);
            }
            catch (IOException) when (File.Exists(file))
            {
                File.Delete(own);                           // another process was first
            }
        }

        ServeAndTrainOptions there = JsonSerializer.Deserialize<ServeAndTrainOptions>(File.ReadAllText(file))!;
        return change(there) == there
            ? new RunFolder(path, there)
            : throw new InvalidDataException(
                $"{path} holds a run with other options: {File.ReadAllText(file)} Leave them out to go on with it, or name another "
                + $"--directory.");
    }

    /// <summary>Path of a file or folder of the run.</summary>
    public string In(string name) => System.IO.Path.Combine(Path, name);

    /// <summary>Waits until no other process has this role here. The operating system ends the lock with the process, however that
    /// ends.</summary>
    public IDisposable TakeRole(string role, TextWriter output, CancellationToken cancellation)
    {
        for (bool told = false; ; told = true)
        {
            try
            {
                return new FileStream(In($"{role}.lock"), FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
            }
            catch (IOException) when (File.Exists(In($"{role}.lock")))
            {
                if (!told)
                    output.WriteLine($"another process has this role in {Path}: waiting until it ends");
                cancellation.WaitHandle.WaitOne(Poll);
                cancellation.ThrowIfCancellationRequested();
            }
        }
    }

    /// <summary>The store, as this process sees it.</summary>
    public IRecordStore OpenStore() => Options.Store switch
    {
        StoreKind.Files => new FileStore(this),
        StoreKind.Postgres => new PostgreSqlStore(this),
        _ => new NatsStore(this),
    };

    /// <summary>The customers' answers that will come in this run, in no order.</summary>
    public int CountLabels() => Enumerable.Range(0, Options.Rows)
        .Count(n => Orders.AnswerAfter((ulong)n, Options.Seed, Options.Wait) is not null);

    public override string ToString() => string.Create(CultureInfo.InvariantCulture,
        $"{Options.Rows:N0} orders at {Options.Rate:N0} a second, windows of {Options.WindowRows:N0}, "
        + $"{Options.Store.ToString().ToLowerInvariant()} store, in {Path}");
}
