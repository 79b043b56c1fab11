namespace Microsoft.ML.ForwardSampling.Tests.DataViews;

/// <summary>Notes how it is opened: with which columns, as one cursor or a set, and whether cursors are disposed.</summary>
internal sealed class SpyView(IDataView source) : IDataView
{
    public List<string> Opened { get; } = [];

    public DataViewSchema Schema => source.Schema;

    public bool CanShuffle => source.CanShuffle;

    public long? GetRowCount() => source.GetRowCount();

    public DataViewRowCursor GetRowCursor(IEnumerable<DataViewSchema.Column> columnsNeeded, Random? rand = null)
    {
        Opened.Add($"cursor({Names(columnsNeeded)}){(rand is null ? "" : " shuffled")}");
        return source.GetRowCursor(columnsNeeded, rand);
    }

    public DataViewRowCursor[] GetRowCursorSet(IEnumerable<DataViewSchema.Column> columnsNeeded, int n, Random? rand = null)
    {
        Opened.Add($"set{n}({Names(columnsNeeded)}){(rand is null ? "" : " shuffled")}");
        return source.GetRowCursorSet(columnsNeeded, n, rand);
    }

    private static string Names(IEnumerable<DataViewSchema.Column> columns) => string.Join(",", columns.Select(column => column.Name));
}
