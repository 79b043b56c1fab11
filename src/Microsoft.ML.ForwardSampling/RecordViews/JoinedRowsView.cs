using Microsoft.ML.Data;
using Microsoft.ML.ForwardSampling.DataViews;
using Microsoft.ML.ForwardSampling.Records;

namespace Microsoft.ML.ForwardSampling.RecordViews;

/// <summary>Joined records as a data view: lazy, read anew by each cursor, row ids are positions.</summary>
internal sealed class JoinedRowsView : IDataView
{
    private readonly IEnumerable<JoinedRecord> _rows;
    private readonly JoinedColumns _columns;

    public JoinedRowsView(IEnumerable<JoinedRecord> rows, JoinedRowsOptions options)
    {
        _rows = rows;
        _columns = JoinedColumns.WithLabel(options);
        var builder = new DataViewSchema.Builder();
        builder.AddColumns(_columns.Detached);
        Schema = builder.ToSchema();
    }

    public DataViewSchema Schema { get; }

    public bool CanShuffle => false;

    public long? GetRowCount() => _rows.TryGetNonEnumeratedCount(out int count) ? count : null;

    public DataViewRowCursor GetRowCursor(IEnumerable<DataViewSchema.Column> columnsNeeded, Random? rand = null)
        => new Cursor(Schema, new ActiveColumns(Schema, Schema, columnsNeeded), _rows.GetEnumerator(), _columns);

    public DataViewRowCursor[] GetRowCursorSet(IEnumerable<DataViewSchema.Column> columnsNeeded, int n, Random? rand = null)
        => [GetRowCursor(columnsNeeded, rand)];

    private sealed class Cursor : ViewCursor
    {
        private readonly IEnumerator<JoinedRecord> _rows;
        private readonly Delegate[] _getters;
        private JoinedRecord _current;
        private long _position = -1;
        private bool _isOnRow;
        private bool _isClosed;

        public Cursor(DataViewSchema schema, ActiveColumns active, IEnumerator<JoinedRecord> rows, JoinedColumns columns)
            : base(schema, active)
        {
            _rows = rows;
            _getters = columns.Open(Current);
        }

        public override long Position => _position;

        public override long Batch => 0;

        public override bool MoveNext()
        {
            _isOnRow = !_isClosed && _rows.MoveNext();
            if (!_isOnRow)
            {
                _position = -1;
                return false;
            }

            _position++;
            _current = _rows.Current;
            return true;
        }

        public override ValueGetter<DataViewRowId> GetIdGetter() => (ref DataViewRowId id) =>
        {
            _ = Current();
            id = new DataViewRowId((ulong)_position, 0);
        };

        protected override ValueGetter<TValue>? GetterOf<TValue>(DataViewSchema.Column column)
            => _getters[column.Index] as ValueGetter<TValue>;

        protected override void Close()
        {
            _isClosed = true;
            _rows.Dispose();
        }

        private JoinedRecord Current() => _isOnRow ? _current : throw SchemaErrors.NoRow();
    }
}
