using System.Runtime.CompilerServices;
using Microsoft.ML.ForwardSampling.DataViews;
using Microsoft.ML.ForwardSampling.Records;

namespace Microsoft.ML.ForwardSampling.RecordViews;

/// <summary>A scored data view that appends one record a row to a record writer (a log, a database) while somebody reads it: what RecordTo
/// returns.</summary>
/// <remarks>
/// <para>Same columns, same rows, same order as its input. A row's record is appended when a cursor moves onto the row, whatever columns
/// are read; the column that the record is made from is computed once for the reader and the record. Labels need not exist. A score that is
/// NaN is recorded: its statistics are NaN.</para>
/// <para><b>Every pass of every cursor appends again.</b> Read the view once, where rows are served: what trains on or evaluates it may
/// pass many times (put <c>mlContext.Data.Cache</c> behind, or use AppendRecords). Nothing is appended before somebody reads, and a pass
/// that stops early has recorded the rows it had reached.</para>
/// <para>Appending does not wait for the disk or the server: <see cref="IRecordWriter{TRecord}.Flush"/> does. When the writer's memory is
/// full, a cursor waits or throws as <see cref="RecordOverflow"/> says.</para>
/// <para>Any number of cursors at once, each for one thread. No allocation per row.</para>
/// </remarks>
/// <typeparam name="TRecord">Kind of record, which says what the model predicts.</typeparam>
public sealed class LoggedRows<TRecord> : IDataView
    where TRecord : struct, IForwardRecord<TRecord>
{
    private readonly IDataView _source;
    private readonly DataViewSchema.Column[] _reads;
    private LoggedRowsCounts _counts;

    internal LoggedRows(IDataView source, IRecordWriter<TRecord> writer, RecordToOptions options, string parameter)
    {
        _reads = ScoredRows.Columns<TRecord>(source.Schema, options, parameter);
        _source = source;
        Writer = writer;
        Options = options;
    }

    /// <summary>Where the records go; it stays yours to dispose.</summary>
    public IRecordWriter<TRecord> Writer { get; }

    /// <summary>Columns, model version and share of the rows.</summary>
    public RecordToOptions Options { get; }

    /// <summary>What was counted so far, over all cursors that are disposed.</summary>
    public LoggedRowsReport Report => _counts.Report;

    /// <summary>The input's.</summary>
    public DataViewSchema Schema => _source.Schema;

    /// <summary>As the input.</summary>
    public bool CanShuffle => _source.CanShuffle;

    /// <summary>As the input.</summary>
    /// <returns>Number of rows, or null when the input does not know it.</returns>
    public long? GetRowCount() => _source.GetRowCount();

    /// <summary>Opens a pass that records every row it moves onto.</summary>
    /// <param name="columnsNeeded">Columns to read; only these are active.</param>
    /// <param name="rand">Passed on to the input.</param>
    /// <returns>A cursor over the input's rows.</returns>
    public DataViewRowCursor GetRowCursor(IEnumerable<DataViewSchema.Column> columnsNeeded, Random? rand = null)
    {
        var active = new ActiveColumns(Schema, Schema, columnsNeeded);
        return Wrap([_source.GetRowCursor(Inputs(active), rand)], active)[0];
    }

    /// <summary>Opens a pass in several cursors, each with a part of the rows; together they record every row once.</summary>
    /// <param name="columnsNeeded">Columns to read; only these are active.</param>
    /// <param name="n">Number of cursors to aim at.</param>
    /// <param name="rand">Passed on to the input.</param>
    /// <returns>As many cursors as the input opens.</returns>
    public DataViewRowCursor[] GetRowCursorSet(IEnumerable<DataViewSchema.Column> columnsNeeded, int n, Random? rand = null)
    {
        var active = new ActiveColumns(Schema, Schema, columnsNeeded);
        return Wrap(_source.GetRowCursorSet(Inputs(active), n, rand), active);
    }

    /// <summary>A number for each cursor's draws: two cursors that record into one writer draw differently, also with the same seed and in
    /// different views.</summary>
    internal long NextStream() => Interlocked.Increment(ref LoggedRowsStreams.Of(Writer).Value);

    internal void Add(in LoggedRowsCounts counts) => _counts.AddInterlocked(in counts);

    private DataViewSchema.Column[] Inputs(ActiveColumns active)
    {
        bool[] needed = active.CopyPassedThrough();
        foreach (DataViewSchema.Column column in _reads)
            needed[column.Index] = true;
        return ActiveColumns.Choose(Schema, needed);
    }

    private DataViewRowCursor[] Wrap(DataViewRowCursor[] inputs, ActiveColumns active)
        => InputCursors.Wrap(inputs, input => new LoggedRowsCursor<TRecord>(this, input, active));
}

/// <summary>How many cursors have recorded into a writer.</summary>
internal static class LoggedRowsStreams
{
    private static readonly ConditionalWeakTable<object, StrongBox<long>> s_streams = [];

    public static StrongBox<long> Of(object writer) => s_streams.GetOrCreateValue(writer);
}

/// <summary>Counts of one cursor, or of all.</summary>
internal struct LoggedRowsCounts
{
    public long Rows;
    public long Records;
    public long NotDrawn;
    public long Refused;
    public long WithoutKey;

    public LoggedRowsReport Report => new()
    {
        Rows = Interlocked.Read(ref Rows),
        Records = Interlocked.Read(ref Records),
        NotDrawn = Interlocked.Read(ref NotDrawn),
        Refused = Interlocked.Read(ref Refused),
        WithoutKey = Interlocked.Read(ref WithoutKey),
    };

    public void AddInterlocked(in LoggedRowsCounts counts)
    {
        Interlocked.Add(ref Rows, counts.Rows);
        Interlocked.Add(ref Records, counts.Records);
        Interlocked.Add(ref NotDrawn, counts.NotDrawn);
        Interlocked.Add(ref Refused, counts.Refused);
        Interlocked.Add(ref WithoutKey, counts.WithoutKey);
    }
}
