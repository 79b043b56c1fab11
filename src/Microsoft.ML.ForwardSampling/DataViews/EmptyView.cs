using Microsoft.ML.Data;

namespace Microsoft.ML.ForwardSampling.DataViews;

/// <summary>A schema with no rows.</summary>
internal sealed class EmptyView(DataViewSchema schema) : IDataView
{
    public DataViewSchema Schema { get; } = schema;

    public bool CanShuffle => true;

    public long? GetRowCount() => 0;

    public DataViewRowCursor GetRowCursor(IEnumerable<DataViewSchema.Column> columnsNeeded, Random? rand = null)
        => new Cursor(Schema, new ActiveColumns(Schema, Schema, columnsNeeded));

    public DataViewRowCursor[] GetRowCursorSet(IEnumerable<DataViewSchema.Column> columnsNeeded, int n, Random? rand = null)
        => [GetRowCursor(columnsNeeded, rand)];

    private sealed class Cursor(DataViewSchema schema, ActiveColumns active) : ViewCursor(schema, active)
    {
        public override long Position => -1;

        public override long Batch => 0;

        public override bool MoveNext() => false;

        public override ValueGetter<DataViewRowId> GetIdGetter() => static (ref DataViewRowId _) => throw SchemaErrors.NoRow();

        protected override ValueGetter<TValue>? GetterOf<TValue>(DataViewSchema.Column column)
            => typeof(TValue) == column.Type.RawType ? static (ref TValue _) => throw SchemaErrors.NoRow() : null;

        protected override void Close()
        {
        }
    }
}
