namespace Microsoft.ML.ForwardSampling.Networks;

/// <summary>A few threads that do pieces of work together: for pieces of a fraction of a millisecond, in which waking a thread would be
/// most of the time.</summary>
/// <remarks>A thread that waits spins a little, then gives its processor away, then sleeps: between two steps it mostly spins.</remarks>
internal sealed class ThreadTeam : IDisposable
{
    private const int Spins = 200;
    private const int Yields = 2000;
    private const int PausesPerSpin = 30;

    private readonly Lock _failures = new();
    private readonly object _gate = new();
    private readonly Thread[] _workers;
    private Action<int>? _work;
    private Exception? _failure;
    private int _round;
    private int _running;
    private bool _ended;

    /// <param name="size">Threads, the caller's among them; at least 1.</param>
    public ThreadTeam(int size)
    {
        Size = size;
        _workers = new Thread[size - 1];
        for (int i = 0; i < _workers.Length; i++)
        {
            int member = i + 1;
            _workers[i] = new Thread(() => WorkAs(member)) { IsBackground = true, Name = $"network training {member}" };
            _workers[i].Start();
        }
    }

    /// <summary>Threads, the caller's among them.</summary>
    public int Size { get; }

    /// <summary>Runs the work on every thread, each with its number from 0, and returns when all are done.</summary>
    /// <exception cref="AggregateException">The work threw on one of them.</exception>
    public void Run(Action<int> work)
    {
        if (Size == 1)
        {
            work(0);
            return;
        }

        _failure = null;
        _work = work;
        Volatile.Write(ref _running, _workers.Length);
        lock (_gate)
        {
            _round++;
            Monitor.PulseAll(_gate);
        }

        Try(work, 0);
        for (int waited = 0; Volatile.Read(ref _running) > 0; waited++)
            Wait(waited);
        if (_failure is not null)
            throw new AggregateException(_failure);
    }

    public void Dispose()
    {
        lock (_gate)
        {
            _ended = true;
            Monitor.PulseAll(_gate);
        }

        foreach (Thread worker in _workers)
            worker.Join();
    }

    private static void Wait(int waited)
    {
        if (waited < Spins)
            Thread.SpinWait(PausesPerSpin);
        else
            Thread.Sleep(0);
    }

    private void WorkAs(int member)
    {
        for (int done = 0; ; done++)
        {
            for (int waited = 0; Volatile.Read(ref _round) == done && !Volatile.Read(ref _ended); waited++)
            {
                if (waited < Yields)
                {
                    Wait(waited);
                    continue;
                }

                lock (_gate)
                {
                    while (_round == done && !_ended)
                        Monitor.Wait(_gate);
                }
            }

            if (Volatile.Read(ref _round) == done)
                return; // ended
            Try(_work!, member);
            Interlocked.Decrement(ref _running);
        }
    }

    private void Try(Action<int> work, int member)
    {
        try
        {
            work(member);
        }
        catch (Exception e)
        {
            lock (_failures)
                _failure ??= e;
        }
    }
}
