using Microsoft.ML.ForwardSampling.Records;

namespace Microsoft.ML.ForwardSampling.Examples.ServeAndTrain;

/// <summary>Records and labels in logs, in folders of the run.</summary>
internal sealed class FileStore(RunFolder run) : IRecordStore
{
    private string Records => run.In("records");

    private string Labels => run.In("labels");

    public IRecordWriter<BinaryRecord> OpenRecords() => new ForwardRecordLog<BinaryRecord>(Records);

    public IRecordWriter<LabelEvent> OpenLabels() => new ForwardRecordLog<LabelEvent>(Labels);

    public IWindowSource OpenWindows() => new JoinedWindows(OpenJoin(), run);

    public StoreCounts Count(IReadOnlySet<ulong> served, IReadOnlySet<ulong> labelled)
    {
        (long rowsFound, long rowsAgain) = Find<BinaryRecord>(Records, served);
        (long labelsFound, _) = Find<LabelEvent>(Labels, labelled);
        using ForwardRecordJoin<BinaryRecord> join = OpenJoin();
        LabelJoinReport report = join.Report;
        return new StoreCounts
        {
            RowsFound = rowsFound,
            RowsAgain = rowsAgain,
            LabelsFound = labelsFound,
            Joined = report.Joined,
            WithoutLabel = report.Expired + report.PendingRecords,
            LateLabels = report.LateLabels,
            LateRecords = report.LateRecords,
        };
    }

    public void Dispose()
    {
    }

    private ForwardRecordJoin<BinaryRecord> OpenJoin() => new(Records, Labels, run.In("join.state"), run.Options.Join());

    /// <summary>How many of the keys a log holds, and how many of its records repeat one.</summary>
    private static (long Found, long Again) Find<T>(string folder, IReadOnlySet<ulong> keys)
        where T : struct, ILogRecord<T>
    {
        using var reader = new ForwardRecordReader<T>(folder);
        var seen = new HashSet<ulong>();
        long again = 0;
        var records = new T[4096];
        for (int n; (n = reader.Read(records)) > 0;)
            again += records.AsSpan(0, n).ToArray().Count(record => !seen.Add(record.Key));
        return (keys.Count(seen.Contains), again);
    }

    /// <summary>Windows of the join's rows. The order of things makes each row be trained on once: window written, join saved, model
    /// trained and handed over.</summary>
    private sealed class JoinedWindows : IWindowSource
    {
        private readonly ForwardRecordJoin<BinaryRecord> _join;
        private readonly WindowFolder _windows;
        private readonly JoinedRecord[] _rows;
        private int _count;                                 // rows read for the next window
        private int _saved;                                 // windows that the saved join has given

        public JoinedWindows(ForwardRecordJoin<BinaryRecord> join, RunFolder run)
        {
            (_join, _windows, _rows) = (join, run.Windows, new JoinedRecord[run.Options.WindowRows]);
            _saved = (int)((_join.Rows + _rows.Length - 1) / _rows.Length);
            // A window written after the join was last saved does not count: its rows come again, perhaps in other windows.
            _windows.DeleteFrom(_saved);
        }

        public TrainingWindow? Next(int version, bool ended)
        {
            if (version < _saved)
                return _windows.TryRead(version);           // not trained before the crash

            _count += _join.Read(_rows.AsSpan(_count));
            if (ended && _count < _rows.Length)
            {
                _join.Complete();
                _count += _join.Read(_rows.AsSpan(_count));
            }

            if (_count < _rows.Length && !ended)
                return null;
            TrainingWindow? window = _count > 0 ? new TrainingWindow(version, _rows[.._count]) : null;
            if (window is not null)
                _windows.Write(window);
            _join.Save();
            (_count, _saved) = (0, window is null ? _saved : _saved + 1);
            return window;
        }

        public void Complete(TrainingWindow window, IReadOnlyList<SelectedKey> selected)
        {
            // The model itself is the mark: its version says which windows went into it.
        }

        public void Dispose() => _join.Dispose();
    }
}
