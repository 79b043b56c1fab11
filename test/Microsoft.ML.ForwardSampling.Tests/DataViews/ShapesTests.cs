using Microsoft.ML.Data;
using Microsoft.ML.ForwardSampling.DataViews;

namespace Microsoft.ML.ForwardSampling.Tests.DataViews;

public class ShapesTests
{
    [Fact]
    public void Of_EveryKindOfColumn_KeepsNameKindTypeKeyAndAnnotations()
    {
        var annotations = new DataViewSchema.Annotations.Builder();
        annotations.AddPrimitiveValue("IsNormalized", BooleanDataViewType.Instance, true);
        var builder = new DataViewSchema.Builder();
        builder.AddColumn("Hidden", TextDataViewType.Instance);
        builder.AddColumn("Hidden", NumberDataViewType.Int32);
        builder.AddColumn("Scalar", NumberDataViewType.Single, annotations.ToAnnotations());
        builder.AddColumn("Known", new VectorDataViewType(NumberDataViewType.Double, 4));
        builder.AddColumn("Variable", new VectorDataViewType(TextDataViewType.Instance));
        builder.AddColumn("Key", new KeyDataViewType(typeof(uint), 5));
        builder.AddColumn("Keys", new VectorDataViewType(new KeyDataViewType(typeof(byte), 5), 2));

        SchemaShape shape = Shapes.Of(builder.ToSchema());

        Assert.Equal(
            [
                "Hidden Scalar Int32 False 0",
                "Scalar Scalar Single False 1",
                "Known Vector Double False 0",
                "Variable VariableVector String False 0",
                "Key Scalar UInt32 True 0",
                "Keys Vector Byte True 0",
            ],
            shape.Select(column => $"{column.Name} {column.Kind} {column.ItemType} {column.IsKey} {column.Annotations.Count}"));
    }

    [Fact]
    public void Append_NameThatIsThere_ReplacesIt()
    {
        SchemaShape one = Shapes.Of([new DataViewSchema.DetachedColumn("A", NumberDataViewType.Single),
            new DataViewSchema.DetachedColumn("B", TextDataViewType.Instance)]);
        SchemaShape other = Shapes.Of([new DataViewSchema.DetachedColumn("A", BooleanDataViewType.Instance)]);

        SchemaShape appended = Shapes.Append(one, other);

        Assert.Equal(["A Boolean", "B String"], appended.Select(column => $"{column.Name} {column.ItemType}"));
    }

    [Fact]
    public void Of_LeavesTheUsersSeedsAlone()
    {
        Assert.Equal(FirstDraw(borrow: false), FirstDraw(borrow: true));

        static int FirstDraw(bool borrow)
        {
            var ml = new MLContext(seed: 5);
            IDataView data = ml.Data.LoadFromEnumerable(RecordedRow.Make(3));
            if (borrow)
                Shapes.Of(data.Schema);
            return ((Microsoft.ML.Runtime.IHostEnvironment)ml).Register("Next").Rand.Next();
        }
    }
}
