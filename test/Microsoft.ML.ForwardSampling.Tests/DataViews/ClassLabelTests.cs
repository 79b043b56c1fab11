using Microsoft.ML.Data;
using Microsoft.ML.ForwardSampling.DataViews;

namespace Microsoft.ML.ForwardSampling.Tests.DataViews;

public class ClassLabelTests
{
    [Fact]
    public void Open_Key_IsRawValueLessOne_MissingIsUnknown()
        => Assert.Equal([0, 2, ClassLabel.Unknown], Read([new Labels { Key = 0 }, new Labels { Key = 2 }, new Labels { Key = 3 }], "Key"));

    [Fact]
    public void Open_ByteKey_IsRead()
        => Assert.Equal([1], Read([new Labels { Small = 1 }], "Small"));

    [Fact]
    public void Open_Boolean_IsZeroOrOne()
        => Assert.Equal([1, 0], Read([new Labels { Flag = true }, new Labels()], "Flag"));

    [Fact]
    public void Open_Single_IsTheClassItself_NaNIsUnknown_OthersAreInvalid()
        => Assert.Equal(
            [0, 7, ClassLabel.Unknown, ClassLabel.Invalid, ClassLabel.Invalid, ClassLabel.Invalid, ClassLabel.Invalid],
            Read([.. ((float[])[0, 7, float.NaN, -1, 1.5f, 1e12f, float.PositiveInfinity])
                .Select(number => new Labels { Number = number })], "Number"));

    private static List<int> Read(Labels[] rows, string name)
    {
        IDataView data = new MLContext().Data.LoadFromEnumerable(rows);
        using DataViewRowCursor cursor = data.GetRowCursor([data.Schema[name]]);
        Func<int> label = ClassLabel.Open(cursor, data.Schema[name]);
        var read = new List<int>();
        while (cursor.MoveNext())
            read.Add(label());
        return read;
    }

    private sealed class Labels
    {
        [KeyType(3)]
        public uint Key { get; set; }

        [KeyType(3)]
        public byte Small { get; set; }

        public bool Flag { get; set; }

        public float Number { get; set; }
    }
}
