using Microsoft.ML.Data;
using Microsoft.ML.ForwardSampling.Records;

namespace Microsoft.ML.ForwardSampling.Tests.RecordViews;

/// <summary>What docs/pitfalls.md says of empty labels in text files.</summary>
public class EmptyLabelTests
{
    [Theory]
    [InlineData(DataKind.Boolean, true, 0f)]
    [InlineData(DataKind.Single, false, 0f)]
    [InlineData(DataKind.Single, true, float.NaN)]
    public void EmptyField_IsAFalseLabel_UnlessReadAsSingleWithMissingValues(DataKind kind, bool missing, float expected)
    {
        var context = new MLContext();
        string file = Path.GetTempFileName();
        try
        {
            File.WriteAllText(file, "1,1\n2,\n3,0\n");
            IDataView rows = context.Data.CreateTextLoader(new TextLoader.Options
            {
                Separators = [','],
                MissingRealsAsNaNs = missing,
                Columns = [new TextLoader.Column("VisitId", DataKind.String, 0), new TextLoader.Column("Clicked", kind, 1)],
            }).Load(file);
            Assert.Equal([1f, expected, 0f], context.ForwardSampling().LabelsOf(rows, "VisitId", "Clicked").Select(l => l.Label));
            Assert.Equal(float.IsNaN(expected), !BinaryRecord.FromScore(1, 1).Accepts(expected));
        }
        finally
        {
            File.Delete(file);
        }
    }

    [Fact]
    public void EmptyText_IsDroppedByAPredicate_AndMadeZeroByMapValue()
    {
        var context = new MLContext();
        IDataView rows = context.Data.LoadFromEnumerable(
            new[] { new Row { ClickedText = "true" }, new Row(), new Row { ClickedText = "false" } });
        IDataView labelled = context.Data.FilterByCustomPredicate<Row>(rows, row => row.ClickedText.Length == 0);
        var map = context.Transforms.Conversion.MapValue("Clicked", [KeyValuePair.Create("true", 1f), KeyValuePair.Create("false", 0f)],
            "ClickedText");
        Assert.Equal([1f, 0f], map.Fit(labelled).Transform(labelled).GetColumn<float>("Clicked"));
        Assert.Equal([1f, 0f, 0f], map.Fit(rows).Transform(rows).GetColumn<float>("Clicked"));
    }

    private sealed class Row
    {
        public string ClickedText { get; set; } = "";
    }
}
