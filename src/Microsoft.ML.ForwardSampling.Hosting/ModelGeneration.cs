using System.Collections.Concurrent;

namespace Microsoft.ML.ForwardSampling.Hosting;

/// <summary>A loaded model with its engines. It lives until it has been retired and the last prediction that uses it is done.</summary>
internal sealed class ModelGeneration<TInput, TOutput>(MLContext context, ITransformer model, ServedModel facts, int mostIdle)
    where TInput : class
    where TOutput : class, new()
{
    private readonly ConcurrentStack<PredictionEngine<TInput, TOutput>> _idle = new();
    private int _idleCount;
    private int _users = 1;                                 // predictions at work, and one for the pool that serves it

    public ServedModel Facts => facts;

    /// <summary>Takes part in its life; false when that is over.</summary>
    public bool TryEnter()
    {
        for (int users = Volatile.Read(ref _users); users > 0;)
        {
            int seen = Interlocked.CompareExchange(ref _users, users + 1, users);
            if (seen == users)
                return true;
            users = seen;
        }

        return false;
    }

    /// <summary>Takes no part any more; the last one out disposes of the model.</summary>
    public void Exit()
    {
        if (Interlocked.Decrement(ref _users) > 0)
            return;
        while (_idle.TryPop(out PredictionEngine<TInput, TOutput>? engine))
            engine.Dispose();
        (model as IDisposable)?.Dispose();
    }

    /// <summary>An engine for one thread, after <see cref="TryEnter"/>.</summary>
    public PredictionEngine<TInput, TOutput> Take()
    {
        if (!_idle.TryPop(out PredictionEngine<TInput, TOutput>? engine))
            return context.Model.CreatePredictionEngine<TInput, TOutput>(model,
                new PredictionEngineOptions { OwnsTransformer = false });
        Interlocked.Decrement(ref _idleCount);
        return engine;
    }

    /// <summary>Gives an engine back.</summary>
    public void Return(PredictionEngine<TInput, TOutput> engine)
    {
        if (Interlocked.Increment(ref _idleCount) <= mostIdle)
        {
            _idle.Push(engine);
            return;
        }

        Interlocked.Decrement(ref _idleCount);
        engine.Dispose();
    }
}
