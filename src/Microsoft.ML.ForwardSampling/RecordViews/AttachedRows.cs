using Microsoft.ML.ForwardSampling.DataViews;
using Microsoft.ML.ForwardSampling.Records;

namespace Microsoft.ML.ForwardSampling.RecordViews;

/// <summary>A data view of rows with the statistics of their records joined on by key: what AttachForwardRecords returns, and what
/// SelectRows takes.</summary>
/// <remarks>
/// <para>The joined records are read once, when the view is made, and held: 76 bytes each, up to twice that when the sequence does not know
/// its length. Of several of one key the one scored last counts, at equal times the one that comes last. Several rows of one key all get
/// its record.</para>
/// <para>Everything else is lazy: a pass reads the key column, and of the other columns only what its reader asks for; the getters of a
/// dropped row are never called. As parallel and as shufflable as the input.</para>
/// </remarks>
public sealed class AttachedRows : IDataView
{
    private readonly AppendedColumnsView _view;
    private volatile AttachedRowsReport? _report;

    internal AttachedRows(IDataView rows, string keyColumn, IEnumerable<JoinedRecord> joined, AttachRecordsOptions options)
    {
        DataViewSchema.Column key = RowKeyColumn.Check(rows.Schema, keyColumn, nameof(rows), options.KeySecret);
        var records = new Dictionary<ulong, JoinedRecord>(joined.TryGetNonEnumeratedCount(out int count) ? count : 0);
        foreach (JoinedRecord record in joined)
        {
            if (records.TryAdd(record.Key, record))
                continue;
            Duplicates++;
            if (record.ScoredAt >= records[record.Key].ScoredAt)
                records[record.Key] = record;
        }

        Records = records.Count;
        Options = options;
        var found = new FoundRowsView(rows, key, options.KeySecret, records, options.Missing == RowsWithoutRecord.Drop,
            report => _report = report);
        _view = new AppendedColumnsView(found, new AttachedRecordsAppender(rows.Schema, JoinedColumns.WithoutLabel(options)));
    }

    /// <summary>Task, and what happens to rows without a record.</summary>
    public AttachRecordsOptions Options { get; }

    /// <summary>Different keys among the joined records.</summary>
    public int Records { get; }

    /// <summary>Joined records beyond the first of their key: of each key only the one scored last is used.</summary>
    public long Duplicates { get; }

    /// <summary>What the last completed pass counted; null until the cursors of one have been read to their end.</summary>
    public AttachedRowsReport? Report => _report;

    /// <summary>The input's columns at their own indices, then statistics, record weight, age (Single) and model version (UInt64). An added
    /// column hides an older one of its name.</summary>
    public DataViewSchema Schema => _view.Schema;

    /// <summary>True if the input can be shuffled.</summary>
    public bool CanShuffle => _view.CanShuffle;

    /// <summary>The input's number of rows where all are kept and the input knows it, else null.</summary>
    /// <returns>Rows, or null.</returns>
    public long? GetRowCount() => _view.GetRowCount();

    /// <summary>Opens a pass over the rows.</summary>
    /// <param name="columnsNeeded">Columns to read; only these are active.</param>
    /// <param name="rand">Handed to the input.</param>
    /// <returns>A cursor; id and batch are the input's.</returns>
    public DataViewRowCursor GetRowCursor(IEnumerable<DataViewSchema.Column> columnsNeeded, Random? rand = null) =>
        _view.GetRowCursor(columnsNeeded, rand);

    /// <summary>Opens a pass over the rows that several threads share.</summary>
    /// <param name="columnsNeeded">Columns to read; only these are active.</param>
    /// <param name="n">Most cursors.</param>
    /// <param name="rand">Handed to the input.</param>
    /// <returns>As many cursors as the input gives.</returns>
    public DataViewRowCursor[] GetRowCursorSet(IEnumerable<DataViewSchema.Column> columnsNeeded, int n, Random? rand = null) =>
        _view.GetRowCursorSet(columnsNeeded, n, rand);
}
