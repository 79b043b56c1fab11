using Microsoft.ML.Data;
using Microsoft.ML.ForwardSampling.DataViews;

namespace Microsoft.ML.ForwardSampling.Tests.DataViews;

public class AppendedColumnsViewTests
{
    private readonly MLContext _ml = new(seed: 1);

    [Fact]
    public void View_KeepsTheContract()
    {
        IDataView data = _ml.Data.LoadFromEnumerable(RecordedRow.Make(20));
        ViewContract.Check(new AppendedColumnsView(data, new Negative(data.Schema)));
    }

    [Fact]
    public void GetRowCursor_OpensTheSourceTheSameWay_WithOnlyTheColumnsNeeded()
    {
        var spy = new SpyView(_ml.Data.LoadFromEnumerable(RecordedRow.Make(5)));
        var view = new AppendedColumnsView(spy, new Negative(spy.Schema));

        view.GetRowCursor([view.Schema["Label"]]).Dispose();
        view.GetRowCursor([view.Schema["Negative"], view.Schema["Flag"]], new Random(1)).Dispose();
        foreach (DataViewRowCursor cursor in view.GetRowCursorSet([view.Schema["Negative"]], 1))
            cursor.Dispose();
        view.GetRowCursor([]).Dispose();

        Assert.Equal(["cursor(Label)", "cursor(X,Flag) shuffled", "set1(X)", "cursor()"], spy.Opened);
    }

    [Fact]
    public void GetGetter_ColumnReadOnlyToComputeAnother_StaysInactive()
    {
        IDataView data = _ml.Data.LoadFromEnumerable(RecordedRow.Make(5));
        var view = new AppendedColumnsView(data, new Negative(data.Schema));
        using DataViewRowCursor cursor = view.GetRowCursor([view.Schema["Negative"]]);

        Assert.False(cursor.IsColumnActive(view.Schema["X"]));
        var error = Assert.Throws<InvalidOperationException>(() => cursor.GetGetter<float>(view.Schema["X"]));
        Assert.Equal("Column 'X' (index 1) is not active in this row: name it in the columns that the cursor is opened with.",
            error.Message);
    }

    [Fact]
    public void GetGetter_WrongType_NamesBothTypes()
    {
        IDataView data = _ml.Data.LoadFromEnumerable(RecordedRow.Make(5));
        var view = new AppendedColumnsView(data, new Negative(data.Schema));
        using DataViewRowCursor cursor = view.GetRowCursor([view.Schema["Negative"]]);

        var error = Assert.Throws<InvalidOperationException>(() => cursor.GetGetter<int>(view.Schema["Negative"]));
        Assert.Equal("Invalid type of getter for column 'Negative': expected System.Single, got System.Int32.", error.Message);
    }

    [Fact]
    public void GetRowCursor_ColumnOfALargerSchema_IsRefused()
    {
        IDataView data = _ml.Data.LoadFromEnumerable(RecordedRow.Make(5));
        var view = new AppendedColumnsView(data, new Negative(data.Schema));
        var wider = new AppendedColumnsView(view, new Negative(view.Schema));

        var error = Assert.Throws<ArgumentOutOfRangeException>(() => view.GetRowCursor([wider.Schema[wider.Schema.Count - 1]]));
        Assert.StartsWith("Column 'Negative' has index 12; the schema has 12 columns.", error.Message);
    }

    [Fact]
    public void Schema_ColumnOfTheSameName_HidesTheOlderOne()
    {
        IDataView data = _ml.Data.LoadFromEnumerable(RecordedRow.Make(5));
        var once = new AppendedColumnsView(data, new Negative(data.Schema));
        var twice = new AppendedColumnsView(once, new Negative(once.Schema, "Negative"));

        Assert.True(twice.Schema[once.Schema.Count - 1].IsHidden);
        Assert.Equal(once.Schema.Count, twice.Schema["Negative"].Index);
        ViewContract.Check(twice);
    }

    [Fact]
    public void GetRowCursor_BindingFails_DisposesTheInput()
    {
        var spy = new DisposalView(_ml.Data.LoadFromEnumerable(RecordedRow.Make(5)));
        var view = new AppendedColumnsView(spy, new Negative(spy.Schema, failToBind: true));

        Assert.Throws<NotSupportedException>(() => view.GetRowCursor([view.Schema["Negative"]]));
        Assert.Equal(1, spy.Disposed);
        Assert.Throws<NotSupportedException>(() => view.GetRowCursorSet([view.Schema["Negative"]], 3));
        Assert.Equal(4, spy.Disposed);
    }

    /// <summary>Adds −X.</summary>
    private sealed class Negative(DataViewSchema input, string name = "Negative", bool failToBind = false)
        : ColumnAppender(input, [new DataViewSchema.DetachedColumn(name, NumberDataViewType.Single)])
    {
        public override AddedValues Bind(DataViewRow input, ReadOnlySpan<bool> activeAdded)
            => failToBind ? throw new NotSupportedException() : new Values(input.GetGetter<float>(input.Schema["X"]));

        protected override void MarkDependencies(ReadOnlySpan<bool> activeAdded, Span<bool> needed) =>
            needed[InputSchema["X"].Index] = true;

        private sealed class Values(ValueGetter<float> x) : AddedValues
        {
            public override Delegate GetGetter(int added) => (ValueGetter<float>)((ref float value) =>
            {
                x(ref value);
                value = -value;
            });
        }
    }
}
