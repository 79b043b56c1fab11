using Microsoft.ML.ForwardSampling.Records;

namespace Microsoft.ML.ForwardSampling.Examples.ServeAndTrain;

/// <summary>The process that has the labels: customers answer some time after their order was served, in another order, too late, or
/// never.</summary>
internal static class LabelRole
{
    private static readonly TimeSpan Tick = TimeSpan.FromMilliseconds(50);

    /// <summary>Passes answers on until all have come; after a crash, those that were not acknowledged.</summary>
    public static void Run(RunFolder run, TextWriter output, CancellationToken cancellation)
    {
        using IDisposable role = run.TakeRole("label", output, cancellation);
        using IRecordStore store = run.OpenStore();
        using IRecordWriter<LabelEvent> labels = store.OpenLabels();
        HashSet<ulong> passedOn = [.. Journal.KeysOf(run.Labelled)];
        using var journal = new Journal(run.Labelled);
        if (passedOn.Count > 0)
            output.WriteLine($"goes on after {passedOn.Count:N0} labels");

        var served = new Journal.Follower(run.Served);
        var waiting = new PriorityQueue<ulong, DateTime>();
        int expected = run.CountLabels();
        for (int count = passedOn.Count; count < expected;)
        {
            cancellation.WaitHandle.WaitOne(Tick);
            cancellation.ThrowIfCancellationRequested();

            // 1. Orders that were served since: when will their customers answer?
            foreach ((DateTime time, ulong[] keys) in served.ReadNew())
            {
                foreach (ulong key in keys)
                {
                    if (Orders.AnswerAfter(key, run.Options.Seed, run.Options.Wait) is TimeSpan after && !passedOn.Contains(key))
                        waiting.Enqueue(key, time + after);
                }
            }

            // 2. The answers that have come. A label carries the time when it became known: an outage of this process makes it arrive late,
            // and does not make it late.
            var answers = new List<LabelEvent>();
            DateTime now = DateTime.UtcNow;
            while (waiting.TryPeek(out ulong key, out DateTime time) && time <= now)
                answers.Add(new LabelEvent(waiting.Dequeue(), Orders.Of(key, run.Options.Seed).Label ? 1 : 0, time));
            if (answers.Count == 0)
                continue;

            // 3. Write them, wait for the acknowledgement, and note it. Killed before the note, these labels are written again, and the
            // join counts the second ones.
            labels.Append(answers.ToArray(), cancellation);
            labels.Flush(cancellation);
            journal.Add(now, answers.Select(answer => answer.Key));
            if (count * 10L / expected != (count + answers.Count) * 10L / expected)
                output.WriteLine($"{count + answers.Count:N0} labels passed on, {waiting.Count:N0} to come for orders served");
            count += answers.Count;
        }
    }
}
