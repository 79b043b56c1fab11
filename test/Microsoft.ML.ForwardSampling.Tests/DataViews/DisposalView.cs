using Microsoft.ML.Data;

namespace Microsoft.ML.ForwardSampling.Tests.DataViews;

/// <summary>A bad source: its cursors give no getters. Counts how many are disposed.</summary>
internal sealed class DisposalView(IDataView source) : IDataView
{
    public int Disposed { get; private set; }

    public DataViewSchema Schema => source.Schema;

    public bool CanShuffle => false;

    public long? GetRowCount() => null;

    public DataViewRowCursor GetRowCursor(IEnumerable<DataViewSchema.Column> columnsNeeded, Random? rand = null) => new Cursor(this);

    public DataViewRowCursor[] GetRowCursorSet(IEnumerable<DataViewSchema.Column> columnsNeeded, int n, Random? rand = null)
        => [.. Enumerable.Range(0, n).Select(_ => new Cursor(this))];

    private sealed class Cursor(DisposalView view) : DataViewRowCursor
    {
        public override DataViewSchema Schema => view.Schema;

        public override long Position => -1;

        public override long Batch => 0;

        public override bool MoveNext() => false;

        public override bool IsColumnActive(DataViewSchema.Column column) => true;

        public override ValueGetter<TValue> GetGetter<TValue>(DataViewSchema.Column column) => throw new NotSupportedException();

        public override ValueGetter<DataViewRowId> GetIdGetter() => throw new NotSupportedException();

        protected override void Dispose(bool disposing) => view.Disposed++;
    }
}
