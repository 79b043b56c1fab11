using Microsoft.ML.Data;
using Microsoft.ML.ForwardSampling.DataViews;

namespace Microsoft.ML.ForwardSampling.Tests.DataViews;

public class ColumnBufferTests
{
    private readonly MLContext _ml = new(seed: 1);

    [Fact]
    public void Getter_EverySlot_ServesTheRowThatFilledIt()
    {
        RecordedRow[] rows = RecordedRow.Make(8);
        IDataView data = _ml.Data.LoadFromEnumerable(rows);
        using DataViewRowCursor cursor = data.GetRowCursor(data.Schema);
        var slot = new BufferedRow();
        ColumnBuffer number = Buffer("Number"), features = Buffer("Features"), key = Buffer("Class"), flag = Buffer("Flag");
        ColumnBuffer<DataViewRowId> ids = ColumnBuffer.CreateForIds(cursor, slot, 8);

        for (int i = 0; cursor.MoveNext(); i++)
        {
            foreach (ColumnBuffer buffer in (ColumnBuffer[])[number, features, key, flag, ids])
                buffer.Fill(i);
        }

        for (int i = 7; i >= 0; i--)
        {
            slot.Slot = i;
            Assert.Equal(i, Get<int>(number));
            Assert.Equal(rows[i].Features, Get<VBuffer<float>>(features).DenseValues());
            Assert.Equal(rows[i].Class + 1, Get<uint>(key));
            Assert.Equal(rows[i].Flag, Get<bool>(flag));
            Assert.Equal((ulong)i, Get<DataViewRowId>(ids).Low);
        }

        ColumnBuffer Buffer(string name) => ColumnBuffer.Create(cursor, data.Schema[name], slot, 8);
    }

    [Fact]
    public void Getter_Vector_GivesACopyThatTheCallerMayOverwrite()
    {
        IDataView data = _ml.Data.LoadFromEnumerable(RecordedRow.Make(1));
        using DataViewRowCursor cursor = data.GetRowCursor(data.Schema);
        ColumnBuffer buffer = ColumnBuffer.Create(cursor, data.Schema["Features"], new BufferedRow { Slot = 0 }, 1);
        cursor.MoveNext();
        buffer.Fill(0);
        VBuffer<float> first = Get<VBuffer<float>>(buffer);
        float kept = first.GetValues()[0];

        VBufferEditor<float> editor = VBufferEditor.Create(ref first, 3);
        editor.Values[0] = -99;

        Assert.Equal(kept, Get<VBuffer<float>>(buffer).GetValues()[0]);
    }

    [Fact]
    public void Create_TypeThatCannotBeCopied_SaysSo()
    {
        Assert.False(ColumnBuffer.CanCopy(new Opaque()));
        var builder = new DataViewSchema.Builder();
        builder.AddColumn("Image", new Opaque());
        DataViewSchema schema = builder.ToSchema();
        using DataViewRowCursor cursor = new EmptyView(schema).GetRowCursor(schema);

        var error = Assert.Throws<NotSupportedException>(() => ColumnBuffer.Create(cursor, schema["Image"], new BufferedRow(), 4));

        Assert.Equal("Values of column 'Image' (Opaque) cannot be copied: only scalars and vectors can be read ahead.", error.Message);
    }

    [Fact]
    public void Create_NoCapacity_IsRefused()
    {
        IDataView data = _ml.Data.LoadFromEnumerable(RecordedRow.Make(1));
        using DataViewRowCursor cursor = data.GetRowCursor(data.Schema);
        Assert.Throws<ArgumentOutOfRangeException>(() => ColumnBuffer.Create(cursor, data.Schema["X"], new BufferedRow(), 0));
    }

    private static T Get<T>(ColumnBuffer buffer)
    {
        T value = default!;
        Assert.IsType<ValueGetter<T>>(buffer.Getter)(ref value);
        return value;
    }

    internal sealed class Opaque() : StructuredDataViewType(typeof(Uri))
    {
        public override bool Equals(DataViewType? other) => other is Opaque;

        public override int GetHashCode() => 1;

        public override string ToString() => "Opaque";
    }
}
