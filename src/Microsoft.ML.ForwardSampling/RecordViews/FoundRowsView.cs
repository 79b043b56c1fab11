using Microsoft.ML.Data;
using Microsoft.ML.ForwardSampling.DataViews;
using Microsoft.ML.ForwardSampling.Records;

namespace Microsoft.ML.ForwardSampling.RecordViews;

/// <summary>The rows of a source, each with the record of its key; those without one are left out, or kept with
/// <see cref="None"/>.</summary>
internal sealed class FoundRowsView : IDataView
{
    /// <summary>What stands for a missing record: NaN, and version 0.</summary>
    public static readonly JoinedRecord None = new()
    {
        Loss = float.NaN,
        GradientNorm = float.NaN,
        Margin = float.NaN,
        Entropy = float.NaN,
        Residual = float.NaN,
        Label = float.NaN,
        KeepingProbability = float.NaN,
    };

    private readonly IDataView _source;
    private readonly DataViewSchema.Column _key;
    private readonly ReadOnlyMemory<byte> _keySecret;
    private readonly Dictionary<ulong, JoinedRecord> _records;
    private readonly bool _drops;
    private readonly Action<AttachedRowsReport> _completed;

    public FoundRowsView(IDataView source, DataViewSchema.Column key, ReadOnlyMemory<byte> keySecret,
        Dictionary<ulong, JoinedRecord> records, bool drops, Action<AttachedRowsReport> completed)
        => (_source, _key, _keySecret, _records, _drops, _completed) = (source, key, keySecret, records, drops, completed);

    public DataViewSchema Schema => _source.Schema;

    public bool CanShuffle => _source.CanShuffle;

    public long? GetRowCount() => _drops ? null : _source.GetRowCount();

    public DataViewRowCursor GetRowCursor(IEnumerable<DataViewSchema.Column> columnsNeeded, Random? rand = null)
    {
        var active = new ActiveColumns(Schema, Schema, columnsNeeded);
        return Wrap([_source.GetRowCursor(Needed(active), rand)], active)[0];
    }

    public DataViewRowCursor[] GetRowCursorSet(IEnumerable<DataViewSchema.Column> columnsNeeded, int n, Random? rand = null)
    {
        var active = new ActiveColumns(Schema, Schema, columnsNeeded);
        return Wrap(_source.GetRowCursorSet(Needed(active), n, rand), active);
    }

    private DataViewSchema.Column[] Needed(ActiveColumns active)
    {
        bool[] needed = active.CopyPassedThrough();
        needed[_key.Index] = true;
        return ActiveColumns.Choose(Schema, needed);
    }

    private DataViewRowCursor[] Wrap(DataViewRowCursor[] inputs, ActiveColumns active)
    {
        var pass = new Pass(this, inputs.Length);
        return InputCursors.Wrap(inputs, input => new Cursor(this, input, active, pass));
    }

    /// <summary>Adds up what the cursors of one pass counted; complete when all have reached the end.</summary>
    internal sealed class Pass(FoundRowsView view, int cursors)
    {
        private readonly object _gate = new();
        private int _open = cursors;
        private long _seen;
        private long _missing;

        public void End(long seen, long missing)
        {
            lock (_gate)
            {
                _seen += seen;
                _missing += missing;
                if (--_open == 0)
                    view._completed(new AttachedRowsReport { RowsSeen = _seen, RowsWithoutRecord = _missing });
            }
        }
    }

    internal sealed class Cursor : InputCursor
    {
        private readonly FoundRowsView _view;
        private readonly Pass _pass;
        private readonly Func<ulong?> _key;
        private JoinedRecord _record;
        private long _position = -1;
        private long _seen;
        private long _missing;
        private bool _ended;

        public Cursor(FoundRowsView view, DataViewRowCursor input, ActiveColumns active, Pass pass)
            : base(view.Schema, active, input)
        {
            (_view, _pass) = (view, pass);
            _key = RowKeyColumn.Open(input, input.Schema[view._key.Index], view._keySecret);
        }

        /// <summary>The record of the current row.</summary>
        public JoinedRecord Record => _position >= 0 ? _record : throw SchemaErrors.NoRow();

        public override long Position => _position;

        public override bool MoveNext()
        {
            if (_ended)
                return false;
            while (Input.MoveNext())
            {
                _seen++;
                _record = default;
                bool isFound = _key() is { } key && _view._records.TryGetValue(key, out _record);
                if (!isFound)
                {
                    _missing++;
                    if (_view._drops)
                        continue;
                    _record = None;
                }

                _position++;
                return true;
            }

            _ended = true;
            _position = -1;
            _pass.End(_seen, _missing);
            return false;
        }

        protected override void Close()
        {
            (_ended, _position) = (true, -1);
            base.Close();
        }
    }
}
