using Microsoft.ML.Data;

namespace Microsoft.ML.ForwardSampling.Tests.DataViews;

/// <summary>A bad source: every other cursor shows the rows shifted by a number of rows, or fewer or more of them.</summary>
internal sealed class ReorderingView(IDataView source, int skipEveryOther = 1) : IDataView
{
    private int _opened;

    public DataViewSchema Schema => source.Schema;

    public bool CanShuffle => false;

    public long? GetRowCount() => null;

    public DataViewRowCursor GetRowCursor(IEnumerable<DataViewSchema.Column> columnsNeeded, Random? rand = null)
    {
        DataViewRowCursor cursor = source.GetRowCursor(columnsNeeded);
        if (Interlocked.Increment(ref _opened) % 2 == 0)
        {
            for (int i = 0; i < skipEveryOther; i++)
                cursor.MoveNext();
        }

        return cursor;
    }

    public DataViewRowCursor[] GetRowCursorSet(IEnumerable<DataViewSchema.Column> columnsNeeded, int n, Random? rand = null) =>
        [GetRowCursor(columnsNeeded)];
}
