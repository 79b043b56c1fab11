using System.Diagnostics;
using Microsoft.ML.ForwardSampling.Networks;
using Microsoft.ML.ForwardSampling.Records;
using Microsoft.ML.ForwardSampling.RecordViews;

namespace Microsoft.ML.ForwardSampling.Examples.ServeAndTrain;

/// <summary>The process that serves: scores orders as they come, with the newest model, and records what it scored.</summary>
internal static class ServeRole
{
    private static readonly TimeSpan Tick = TimeSpan.FromMilliseconds(50);

    /// <summary>Serves until all orders are acknowledged; after a crash, from the first that is not.</summary>
    public static void Run(RunFolder run, TextWriter output, CancellationToken cancellation)
    {
        using IDisposable role = run.TakeRole("serve", output, cancellation);
        using IRecordStore store = run.OpenStore();
        using IRecordWriter<BinaryRecord> records = store.OpenRecords();
        ulong next = Journal.KeysOf(run.Served).LastOrDefault(ulong.MaxValue) + 1;
        using var journal = new Journal(run.Served);
        ulong first = next, end = (ulong)run.Options.Rows;
        if (first > 0 && first < end)
            output.WriteLine($"goes on at order {first:N0}");

        var mlContext = new MLContext(run.Options.Seed);
        int version = WaitForModel(run.Models, cancellation);
        NetworkPredictionTransformer model = run.Models.Load(mlContext, version);
        long started = Stopwatch.GetTimestamp();
        while (next < end)
        {
            // The orders that have come since the last turn; after a stop they have queued up nowhere, so this goes on at its rate.
            cancellation.WaitHandle.WaitOne(Tick);
            cancellation.ThrowIfCancellationRequested();
            ulong due = Math.Min(end, first + (ulong)(Stopwatch.GetElapsedTime(started).TotalSeconds * run.Options.Rate));
            if (due <= next)
                continue;
            Order[] orders = [.. Numbers(next, due).Select(number => Orders.Of(number, run.Options.Seed))];

            // 1. A model that was handed over takes over between two calls.
            if (run.Models.Newest() is int newest && newest > version)
            {
                model.Dispose();
                (model, version) = (run.Models.Load(mlContext, newest), newest);
            }

            // 2. Score, record each row as it is scored, and wait for the acknowledgement: of files and of a database alike.
            IDataView scored = model.Transform(mlContext.Data.LoadFromEnumerable(orders));
            DateTime now = DateTime.UtcNow;
            mlContext.ForwardSampling().AppendRecords(scored, records,
                new RecordToOptions { KeyColumnName = nameof(Order.Key), ModelVersion = (ulong)version }, cancellation);

            // 3. Note it. Killed before the note, these orders are served again, and the join drops the second records.
            journal.Add(now, Numbers(next, due));
            if (next * 10 / end != due * 10 / end)
                output.WriteLine($"{due:N0} orders served, model {version} in service");
            next = due;
        }

        model.Dispose();
    }

    private static int WaitForModel(ModelFolder models, CancellationToken cancellation)
    {
        int? version;
        while ((version = models.Newest()) is null)
        {
            cancellation.WaitHandle.WaitOne(Tick);
            cancellation.ThrowIfCancellationRequested();
        }

        return version.Value;
    }

    private static IEnumerable<ulong> Numbers(ulong from, ulong to)
    {
        for (ulong number = from; number < to; number++)
            yield return number;
    }
}
