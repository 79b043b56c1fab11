namespace Microsoft.ML.ForwardSampling.Records;

/// <summary>Joins whole sequences of records and labels.</summary>
public static class LabelJoin
{
    /// <summary>The rows of two sequences, merged by time into a <see cref="LabelJoiner{TRecord}"/>; at their ends every window
    /// ends.</summary>
    /// <remarks>Lazy: each enumeration reads both sequences once, with a joiner of its own, and gives the same rows if they give the same
    /// events. Each should be in order of time, within <see cref="LabelJoinOptions.Lateness"/>.</remarks>
    /// <typeparam name="TRecord"><see cref="RegressionRecord"/>, <see cref="BinaryRecord"/> or <see cref="MulticlassRecord"/>.</typeparam>
    /// <param name="records">The records.</param>
    /// <param name="labels">The labels. Those without a time come first in the sequence, and count as of the first record.</param>
    /// <param name="options">The rules; left out, the defaults.</param>
    /// <param name="limit">How much may wait in memory; left out, the defaults.</param>
    /// <param name="completed">Called with the counts at the end of each enumeration.</param>
    /// <returns>The rows.</returns>
    /// <exception cref="ArgumentNullException"><paramref name="records"/> or <paramref name="labels"/> is null.</exception>
    /// <exception cref="ArgumentException">Labels of classes cannot be summed or averaged; or, while enumerating, there are labels without
    /// a time and no records.</exception>
    public static IEnumerable<JoinedRecord> Run<TRecord>(
        IEnumerable<TRecord> records, IEnumerable<LabelEvent> labels, LabelJoinOptions? options = null, PendingLimit? limit = null,
        Action<LabelJoinReport>? completed = null)
        where TRecord : struct, IForwardRecord<TRecord>
    {
        ArgumentNullException.ThrowIfNull(records);
        ArgumentNullException.ThrowIfNull(labels);
        _ = new LabelJoiner<TRecord>(options, limit);              // complains now, not at the first row
        return Rows(records, labels, options, limit, completed);
    }

    private static IEnumerable<JoinedRecord> Rows<TRecord>(
        IEnumerable<TRecord> records, IEnumerable<LabelEvent> labels, LabelJoinOptions? options, PendingLimit? limit,
            Action<LabelJoinReport>? completed)
        where TRecord : struct, IForwardRecord<TRecord>
    {
        using IEnumerator<TRecord> record = records.GetEnumerator();
        using IEnumerator<LabelEvent> label = labels.GetEnumerator();
        var joiner = new LabelJoiner<TRecord>(options, limit);
        var feed = new JoinFeed<TRecord>(joiner, to => Fill(record, to), to => Fill(label, to));
        var rows = new JoinedRecord[256];
        for (bool more = true; more;)
        {
            if (!feed.TryPush())
            {
                joiner.Complete();
                // full under Refuse: what is held is given out, and the rest is late
                more = feed.Records.Count + feed.Labels.Count > 0;
            }

            for (int n; (n = joiner.Read(rows)) > 0;)
            {
                for (int i = 0; i < n; i++)
                    yield return rows[i];
            }
        }

        completed?.Invoke(joiner.Report);
    }

    private static int Fill<T>(IEnumerator<T> source, T[] to)
    {
        int count = 0;
        while (count < to.Length && source.MoveNext())
            to[count++] = source.Current;
        return count;
    }
}
