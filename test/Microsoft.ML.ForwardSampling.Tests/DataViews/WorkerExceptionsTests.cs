using Microsoft.ML.ForwardSampling.DataViews;

namespace Microsoft.ML.ForwardSampling.Tests.DataViews;

public class WorkerExceptionsTests
{
    [Fact]
    public void FindCancellation_LooksThroughEveryWrapping()
    {
        var cancelled = new OperationCanceledException();
        Assert.Same(cancelled, WorkerExceptions.FindCancellation(cancelled));
        Assert.Same(cancelled, WorkerExceptions.FindCancellation(
            new InvalidOperationException("", new InvalidOperationException("", cancelled))));
        Assert.Same(cancelled, WorkerExceptions.FindCancellation(
            new AggregateException(new InvalidOperationException(), new InvalidOperationException("", cancelled))));
        Assert.Null(WorkerExceptions.FindCancellation(new InvalidOperationException("", new FormatException())));
    }
}
