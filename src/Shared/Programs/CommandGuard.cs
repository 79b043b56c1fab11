namespace Microsoft.ML.ForwardSampling.Shared;

/// <summary>Was stopped before its end, and has written what was finished.</summary>
/// <param name="message">What was written, and how to go on.</param>
/// <param name="cancellation">What stopped it.</param>
internal sealed class PartialResultsException(string message, CancellationToken cancellation)
    : OperationCanceledException(message, cancellation);

/// <summary>Runs what a command line asks for, and turns exceptions into a message and an exit code.</summary>
internal static class CommandGuard
{
    /// <summary>Between Ctrl-C and the process's end: the longest step that is not interrupted is a test of the network.</summary>
    public static readonly TimeSpan TimeToStop = TimeSpan.FromSeconds(15);

    private const int Failed = 1;
    private const int Stopped = 130; // as a shell reports Ctrl-C

    /// <summary>Runs on another thread, so that Ctrl-C is heard.</summary>
    /// <param name="error">Where a failure is told.</param>
    /// <param name="run">What to do.</param>
    /// <param name="cancellation">Stops it.</param>
    /// <returns>0; 1 after a failure; 130 when stopped.</returns>
    public static async Task<int> RunAsync(TextWriter error, Action run, CancellationToken cancellation)
    {
        try
        {
            await Task.Run(run, CancellationToken.None);
            return 0;
        }
        catch (PartialResultsException e)
        {
            await error.WriteLineAsync(e.Message);
            return Stopped;
        }
        catch (OperationCanceledException) when (cancellation.IsCancellationRequested)
        {
            await error.WriteLineAsync("Stopped before the end: no result was written.");
            return Stopped;
        }
        catch (Exception e) when (e is IOException or InvalidDataException or UnauthorizedAccessException or DllNotFoundException)
        {
            // These messages say what to do; the place in the code would only hide it.
            await error.WriteLineAsync(e.Message);
            return Failed;
        }
        catch (Exception e)
        {
            await error.WriteLineAsync(e.ToString());
            return Failed;
        }
    }
}
