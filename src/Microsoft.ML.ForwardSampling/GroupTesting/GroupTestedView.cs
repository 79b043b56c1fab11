using Microsoft.ML.Data;
using Microsoft.ML.ForwardSampling.DataViews;

namespace Microsoft.ML.ForwardSampling.GroupTesting;

/// <summary>A view with the columns of a group-tested model; lazy. A cursor set is one cursor: groups are rows that follow each other in
/// the view, and a split would make others.</summary>
internal sealed class GroupTestedView(IDataView source, GroupTestingTransformer transformer, DataViewSchema.Column features) : IDataView
{
    public DataViewSchema Schema { get; } = transformer.Columns.Append(source.Schema);

    public bool CanShuffle => source.CanShuffle;

    public long? GetRowCount() => source.GetRowCount();

    public DataViewRowCursor GetRowCursor(IEnumerable<DataViewSchema.Column> columnsNeeded, Random? rand = null)
    {
        var active = new ActiveColumns(source.Schema, Schema, columnsNeeded);
        return Open(source.GetRowCursor(InputsFor(active), rand), active);
    }

    public DataViewRowCursor[] GetRowCursorSet(IEnumerable<DataViewSchema.Column> columnsNeeded, int n, Random? rand = null)
    {
        var active = new ActiveColumns(source.Schema, Schema, columnsNeeded);
        return [Open(source.GetRowCursorSet(InputsFor(active), 1, rand)[0], active)];
    }

    private DataViewSchema.Column[] InputsFor(ActiveColumns active)
    {
        bool[] needed = active.CopyPassedThrough();
        needed[features.Index] |= active.AnyAdded;
        return ActiveColumns.Choose(source.Schema, needed);
    }

    private GroupCursor Open(DataViewRowCursor input, ActiveColumns active)
    {
        try
        {
            return new GroupCursor(input, Schema, active, transformer, features);
        }
        catch
        {
            input.Dispose();
            throw;
        }
    }
}
