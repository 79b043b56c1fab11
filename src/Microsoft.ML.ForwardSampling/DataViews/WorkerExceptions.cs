using System.Runtime.ExceptionServices;

namespace Microsoft.ML.ForwardSampling.DataViews;

/// <summary>ML.NET's parallel cursors, Sdca, Cache and Evaluate wrap what a getter throws in one or two InvalidOperationExceptions; this
/// looks through them.</summary>
internal static class WorkerExceptions
{
    /// <summary>Throws the cancellation that <paramref name="exception"/> wraps, if it does, as it was thrown.</summary>
    public static void ThrowIfCancelled(Exception exception)
    {
        if (exception is not OperationCanceledException && FindCancellation(exception) is { } cancelled)
            ExceptionDispatchInfo.Throw(cancelled);
    }

    /// <summary>The cancellation that <paramref name="exception"/> is or wraps; null if it is another failure.</summary>
    public static OperationCanceledException? FindCancellation(Exception exception)
    {
        for (Exception? e = exception; e is not null; e = e.InnerException)
        {
            if (e is OperationCanceledException cancelled)
                return cancelled;
            if (e is AggregateException { InnerExceptions.Count: > 1 } several)
                return several.InnerExceptions.Select(FindCancellation).FirstOrDefault(found => found is not null);
        }

        return null;
    }
}
