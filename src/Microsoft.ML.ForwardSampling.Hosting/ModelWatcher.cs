using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Microsoft.ML.ForwardSampling.Hosting;

/// <summary>Makes a pool look at its file: when a watcher hears something, and every poll interval.</summary>
internal sealed partial class ModelWatcher<TInput, TOutput>(PredictionPool<TInput, TOutput> pool,
    ILogger<PredictionPool<TInput, TOutput>> logger) : BackgroundService
    where TInput : class
    where TOutput : class, new()
{
    private static readonly TimeSpan s_settling = TimeSpan.FromMilliseconds(50);

    private readonly SemaphoreSlim _heard = new(0, 1);
    private string? _told;

    /// <summary>The model is there, or known not to be, before the host says that it has started.</summary>
    public override Task StartAsync(CancellationToken cancellationToken)
    {
        Look();
        return base.StartAsync(cancellationToken);
    }

    public override void Dispose()
    {
        base.Dispose();
        _heard.Dispose();
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        await Task.Yield();                                 // the host goes on
        FileSystemWatcher? watcher = null;
        try
        {
            while (!stoppingToken.IsCancellationRequested)
            {
                watcher ??= TryWatch();
                if (await _heard.WaitAsync(pool.Options.PollInterval, stoppingToken).ConfigureAwait(false))
                {
                    // Who writes in place is heard several times: the look after this one finds the file settled.
                    Look();
                    await Task.Delay(s_settling, stoppingToken).ConfigureAwait(false);
                }

                Look();
            }
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
        }
        finally
        {
            watcher?.Dispose();
        }
    }

    private void Look()
    {
        try
        {
            bool isNew = pool.Look();
            if (isNew && pool.Current is { } model)
                LogModel(pool.Name, model.Version, model.Bytes);
            if (pool.Failure is { } failure && failure.Message != _told)
                LogFailure(pool.Name, failure.Message);
            _told = pool.Failure?.Message;
        }
        catch (ObjectDisposedException)
        {
            // The container went before the host stopped.
        }
    }

    /// <summary>Null when the folder is not there, or the system has no watcher left: then polling alone must do, and this is tried
    /// again.</summary>
    private FileSystemWatcher? TryWatch()
    {
        string path = Path.GetFullPath(pool.Options.ModelPath);
        FileSystemWatcher? watcher = null;
        try
        {
            watcher = new FileSystemWatcher(Path.GetDirectoryName(path)!);
            watcher.Created += Hear;
            watcher.Changed += Hear;
            watcher.Renamed += Hear;
            watcher.EnableRaisingEvents = true;
            return watcher;
        }
        catch (Exception e) when (e is IOException or ArgumentException or UnauthorizedAccessException)
        {
            watcher?.Dispose();
            return null;
        }

        void Hear(object sender, FileSystemEventArgs change)
        {
            try
            {
                if (_heard.CurrentCount == 0)
                    _heard.Release();
            }
            catch (Exception e) when (e is SemaphoreFullException or ObjectDisposedException)
            {
                // Another thread was faster, or the watcher is at its end.
            }
        }
    }

    [LoggerMessage(Level = LogLevel.Information, Message = "Model {Name}, version {Version:X16}, {Bytes} bytes, is in service.")]
    private partial void LogModel(string name, ulong version, long bytes);

    [LoggerMessage(Level = LogLevel.Error, Message = "Model {Name}: {Failure}")]
    private partial void LogFailure(string name, string failure);
}
