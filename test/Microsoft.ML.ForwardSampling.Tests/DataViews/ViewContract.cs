using Microsoft.ML.Data;
using Microsoft.ML.ForwardSampling.DataViews;

namespace Microsoft.ML.ForwardSampling.Tests.DataViews;

/// <summary>What every data view of ours owes its readers. Call <see cref="Check"/> with a small view of scalars and vectors.</summary>
internal static class ViewContract
{
    public static void Check(IDataView view)
    {
        DataViewSchema.Column[] all = [.. view.Schema];
        IReadOnlyList<string> rows = Read(view.GetRowCursor(all));
        if (view.GetRowCount() is { } count)
            Assert.Equal(rows.Count, count);
        Assert.Equal(rows, Read(view.GetRowCursor(all)));
        Assert.Equal(rows.Order(), ReadSet(view, all, 1).Order());
        Assert.Equal(rows.Order(), ReadSet(view, all, 4).Order());

        NothingActive(view, rows.Count);
        foreach (DataViewSchema.Column column in all)
            OnlyActive(view, column);
        Assert.Throws<ArgumentNullException>(() => view.GetRowCursor(null!));
    }

    /// <summary>Every row as text: id, then the active columns' values. Disposes the cursor.</summary>
    public static IReadOnlyList<string> Read(DataViewRowCursor cursor)
    {
        var rows = new List<string>();
        using (cursor)
        {
            Assert.Equal(-1, cursor.Position);
            Func<string>[] cells = [.. cursor.Schema.Where(cursor.IsColumnActive).Select(column => Cell(cursor, column))];
            ValueGetter<DataViewRowId> id = cursor.GetIdGetter();
            while (cursor.MoveNext())
            {
                Assert.Equal(rows.Count, cursor.Position);
                DataViewRowId current = default;
                id(ref current);
                rows.Add(current + ": " + string.Join(" | ", cells.Select(cell => cell())));
            }

            Assert.False(cursor.MoveNext());
        }

        return rows;
    }

    /// <summary>A reader of one column's value as text.</summary>
    public static Func<string> Cell(DataViewRow row, DataViewSchema.Column column)
    {
        // The column buffer knows every type, and is tested in ColumnBufferTests.
        var slot = new BufferedRow { Slot = 0 };
        ColumnBuffer buffer = ColumnBuffer.Create(row, column, slot, 1);
        return buffer.Getter switch
        {
            ValueGetter<float> getter => () => Text(buffer, getter),
            ValueGetter<bool> getter => () => Text(buffer, getter),
            ValueGetter<int> getter => () => Text(buffer, getter),
            ValueGetter<uint> getter => () => Text(buffer, getter),
            ValueGetter<ulong> getter => () => Text(buffer, getter),
            ValueGetter<byte> getter => () => Text(buffer, getter),
            ValueGetter<ReadOnlyMemory<char>> getter => () => Text(buffer, getter),
            ValueGetter<VBuffer<float>> getter => () => VectorText(buffer, getter),
            Delegate other => throw new NotSupportedException($"The contract does not print {other.GetType()}."),
        };
    }

    private static string Text<T>(ColumnBuffer buffer, ValueGetter<T> getter)
    {
        buffer.Fill(0);
        T value = default!;
        getter(ref value);
        return value!.ToString()!;
    }

    private static string VectorText(ColumnBuffer buffer, ValueGetter<VBuffer<float>> getter)
    {
        buffer.Fill(0);
        VBuffer<float> value = default;
        getter(ref value);
        return string.Join(",", value.DenseValues());
    }

    private static List<string> ReadSet(IDataView view, DataViewSchema.Column[] columns, int n)
    {
        DataViewRowCursor[] cursors = view.GetRowCursorSet(columns, n);
        Assert.InRange(cursors.Length, 1, n);
        Assert.All(cursors, cursor => Assert.Same(cursors[0].Schema, cursor.Schema));

        // One thread a cursor, as ML.NET reads them: cursors of a split wait for one another.
        return [.. cursors.Select(cursor => Task.Factory.StartNew(() => Read(cursor), TaskCreationOptions.LongRunning)).ToArray()
            .SelectMany(task => task.Result)];
    }

    private static void NothingActive(IDataView view, int rows)
    {
        using DataViewRowCursor cursor = view.GetRowCursor([]);
        Assert.All(view.Schema, column => Assert.False(cursor.IsColumnActive(column)));
        int count = 0;
        while (cursor.MoveNext())
            count++;
        Assert.Equal(rows, count);
    }

    private static void OnlyActive(IDataView view, DataViewSchema.Column column)
    {
        using DataViewRowCursor cursor = view.GetRowCursor([column]);
        Assert.All(view.Schema, other => Assert.Equal(other.Index == column.Index, cursor.IsColumnActive(other)));
        foreach (DataViewSchema.Column other in view.Schema)
        {
            if (other.Index != column.Index)
                Assert.ThrowsAny<Exception>(() => cursor.GetGetter<float>(other));
        }

        Assert.ThrowsAny<Exception>(() => cursor.GetGetter<Guid>(column));
        if (cursor.MoveNext())
            Cell(cursor, column)();
    }
}
