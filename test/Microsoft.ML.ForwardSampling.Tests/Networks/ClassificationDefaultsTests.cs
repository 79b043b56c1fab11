using Microsoft.ML.Data;
using Microsoft.ML.ForwardSampling.Networks;
using Microsoft.ML.ForwardSampling.ShapesOfData;

namespace Microsoft.ML.ForwardSampling.Tests.Networks;

/// <summary>The default classifiers where there is one class only.</summary>
public class ClassificationDefaultsTests
{
    private readonly MLContext _context = new(1);

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Binary_OneClassOnly_PredictsIt(bool label)
    {
        IDataView rows = ShapeRows.View(_context, [.. Enumerable.Range(0, 200).Select(i => new ShapeRows.BinaryRow
        { Features = new VBuffer<float>(2, [i % 7, i % 11]), Label = label })], 2);
        using NetworkPredictionTransformer model = _context.ForwardSampling().Trainers.BinaryClassification().Fit(rows);
        float[] probabilities = [.. model.Transform(rows).GetColumn<float>("Probability").Select(p => label ? p : 1 - p)];
        Assert.All(probabilities, p => Assert.InRange(p, 0.5f, 1f));
        Assert.InRange(probabilities.Average(), 0.9, 1);
    }

    [Fact]
    public void Multiclass_OneOfThreeClassesOnly_PredictsIt_AndAKeyOfOneClassIsRefused()
    {
        ShapeRows.ClassRow[] rows = [.. Enumerable.Range(0, 200).Select(i => new ShapeRows.ClassRow
        { Features = new VBuffer<float>(2, [i % 7, i % 11]), Label = 1 })];
        IDataView view = ShapeRows.View(_context, rows, 2, classes: 3);
        using NetworkPredictionTransformer model = _context.ForwardSampling().Trainers.MulticlassClassification().Fit(view);
        Assert.All(model.Transform(view).GetColumn<uint>("PredictedLabel"), key => Assert.Equal(2u, key));
        foreach (ShapeRows.ClassRow row in rows)
            row.Label = 0;
        Assert.Contains("must have between 2 and 1048576 classes. Its type Key<UInt32, 0-0> has 1.",
            Assert.Throws<ArgumentOutOfRangeException>(() => _context.ForwardSampling().Trainers.MulticlassClassification()
                .Fit(ShapeRows.View(_context, rows, 2, classes: 1))).Message, StringComparison.Ordinal);
    }
}
