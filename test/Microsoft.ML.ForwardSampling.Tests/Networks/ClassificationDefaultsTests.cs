using Microsoft.ML.Data;
using Microsoft.ML.ForwardSampling.Networks;

namespace Microsoft.ML.ForwardSampling.Tests.Networks;

/// <summary>The default classifiers on data as people have them: no value of their options set, against ML.NET's trainers with none
/// set.</summary>
/// <remarks>Wide sparse rows are missing here: few rows of 20,000 slots are learnt by heart by the defaults, and Sdca's log-loss is a
/// third of theirs.</remarks>
public class ClassificationDefaultsTests
{
    /// <summary>Log-loss on other rows by which the peer may be better: nats, and a share of its own where that is more.</summary>
    private const double Margin = 0.05, Share = 0.1;

    private const int TestRows = 2000;

    private readonly MLContext _context = new(1);

    private static readonly Dictionary<string, Shape> s_binary = new()
    {
        ["plain"] = new(2000, 8, Linear(1.5f, 0)),
        ["1 in 1,000"] = new(20_000, 8, Linear(2, -8.5f)),
        ["three rows"] = new(3, 4, Linear(1, 0)),
        ["one feature"] = new(500, 1, Linear(2, 0)),
        ["features of all scales"] = new(2000, 8, x => [0, 2 * ((x[0] * 1e3f) + (x[1] / 1e4f) - x[2])],
            (r, i) => Normal(r) * (i switch { 0 => 1e-3f, 1 => 1e4f, _ => 1 })),
        ["features with an offset"] = new(2000, 4, x => [0, (x[0] - 1e4f) + (2 * (x[1] + 500))],
            (r, i) => Normal(r) + (i switch { 0 => 1e4f, 1 => -500f, _ => 0 })),
        ["skewed counts"] = new(2000, 6, x => [0, MathF.Log(1 + x[0]) - MathF.Log(1 + x[1])],
            (r, _) => MathF.Floor(MathF.Exp(2 + (1.5f * Normal(r))))),
        ["a constant feature"] = new(2000, 5, x => [0, 2 * (x[0] - x[1])], (r, i) => i == 2 ? 7 : Normal(r)),
        ["curved"] = new(3000, 4, x => [0, 3 * x[0] * x[1]]),
    };

    private static readonly Dictionary<string, Shape> s_multiclass = new()
    {
        ["plain"] = new(2000, 8, Directions(4, 8, 1)),
        ["500 classes"] = new(10_000, 20, Directions(500, 20, 1.5f)),
        ["three rows"] = new(3, 4, Directions(3, 4, 1)),
        ["one feature"] = new(500, 1, Directions(3, 1, 2)),
        ["features of all scales"] = new(2000, 4, x => [0, 2 * x[0] * 1e3f, x[1] / 5e3f, -x[2]],
            (r, i) => Normal(r) * (i switch { 0 => 1e-3f, 1 => 1e4f, _ => 1 })),
        ["skewed counts"] = new(2000, 6, x => [0, MathF.Log(1 + x[0]) - 2, MathF.Log(1 + x[1]) - 2],
            (r, _) => MathF.Floor(MathF.Exp(2 + (1.5f * Normal(r))))),
        ["a rare class"] = new(5000, 6, x => [x[0], x[1], x[2] - 6]),
        ["a constant feature"] = new(2000, 5, x => [0, 2 * x[0], x[1]], (r, i) => i == 2 ? 7 : Normal(r)),
    };

    public static TheoryData<string> BinaryShapes => [.. s_binary.Keys];

    public static TheoryData<string> MulticlassShapes => [.. s_multiclass.Keys];

    [Theory]
    [MemberData(nameof(BinaryShapes))]
    public void Binary_NoOptionSet_IsWithinAMarginOfSdca(string shape)
    {
        (IDataView train, IDataView test) = Binary(s_binary[shape]);
        using NetworkPredictionTransformer model = _context.ForwardSampling().Trainers.BinaryClassification().Fit(train);
        double own = BinaryLoss(model, test);
        double peer = BinaryLoss(_context.BinaryClassification.Trainers.SdcaLogisticRegression().Fit(train), test);
        Compare(shape, own, peer);
    }

    [Theory]
    [MemberData(nameof(MulticlassShapes))]
    public void Multiclass_NoOptionSet_IsWithinAMarginOfSdca(string shape)
    {
        (IDataView train, IDataView test) = Multiclass(s_multiclass[shape]);
        using NetworkPredictionTransformer model = _context.ForwardSampling().Trainers.MulticlassClassification().Fit(train);
        double own = MulticlassLoss(model, test);
        double peer = MulticlassLoss(_context.MulticlassClassification.Trainers.SdcaMaximumEntropy().Fit(train), test);
        Compare(shape, own, peer);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Binary_OneClassOnly_PredictsIt(bool label)
    {
        IDataView rows = View([.. Enumerable.Range(0, 200).Select(i => new BinaryRow { Features = [i % 7, i % 11], Label = label })], 2);
        using NetworkPredictionTransformer model = _context.ForwardSampling().Trainers.BinaryClassification().Fit(rows);
        float[] probabilities = [.. model.Transform(rows).GetColumn<float>("Probability").Select(p => label ? p : 1 - p)];
        Assert.All(probabilities, p => Assert.InRange(p, 0.5f, 1f));
        Assert.InRange(probabilities.Average(), 0.9, 1);
    }

    [Fact]
    public void Multiclass_OneOfThreeClassesOnly_PredictsIt_AndAKeyOfOneClassIsRefused()
    {
        ClassRow[] rows = [.. Enumerable.Range(0, 200).Select(i => new ClassRow { Features = [i % 7, i % 11], Label = 1 })];
        IDataView view = View(rows, 2, classes: 3);
        using NetworkPredictionTransformer model = _context.ForwardSampling().Trainers.MulticlassClassification().Fit(view);
        Assert.All(model.Transform(view).GetColumn<uint>("PredictedLabel"), key => Assert.Equal(2u, key));
        foreach (ClassRow row in rows)
            row.Label = 0;
        Assert.Contains("must have between 2 and 1048576 classes. Its type Key<UInt32, 0-0> has 1.",
            Assert.Throws<ArgumentOutOfRangeException>(() => _context.ForwardSampling().Trainers.MulticlassClassification()
                .Fit(View(rows, 2, classes: 1))).Message, StringComparison.Ordinal);
    }

    private static void Compare(string shape, double own, double peer)
    {
        TestContext.Current.TestOutputHelper?.WriteLine($"{shape}: log-loss {own:F4}, Sdca {peer:F4}");
        Assert.True(own < peer + Math.Max(Margin, Share * peer), $"{shape}: log-loss {own:F4}, Sdca {peer:F4}");
    }

    private static double BinaryLoss(ITransformer model, IDataView test)
    {
        IDataView scored = model.Transform(test);
        return scored.GetColumn<bool>("Label").Zip(scored.GetColumn<float>("Probability"),
            (label, probability) => Loss(label ? probability : 1 - probability)).Average();
    }

    private static double MulticlassLoss(ITransformer model, IDataView test)
    {
        IDataView scored = model.Transform(test);
        return scored.GetColumn<uint>("Label").Zip(scored.GetColumn<VBuffer<float>>("Score"),
            (label, probabilities) => Loss(probabilities.GetItemOrDefault((int)label - 1))).Average();
    }

    /// <summary>In nats; no row counts more than 34.5.</summary>
    private static double Loss(double probability) => -Math.Log(Math.Clamp(probability, 1e-15, 1));

    private (IDataView Train, IDataView Test) Binary(Shape shape)
    {
        var random = new Random(11);
        BinaryRow[] rows = [.. Enumerable.Range(0, shape.Rows + TestRows).Select(i =>
        {
            (float[] x, int label) = shape.Draw(random, i, classes: 2);
            return new BinaryRow { Features = x, Label = label == 1 };
        })];
        return (View(rows[..shape.Rows], shape.Features), View(rows[shape.Rows..], shape.Features));
    }

    private (IDataView Train, IDataView Test) Multiclass(Shape shape)
    {
        var random = new Random(11);
        int classes = shape.Scores(new float[shape.Features]).Length;
        ClassRow[] rows = [.. Enumerable.Range(0, shape.Rows + TestRows).Select(i =>
        {
            (float[] x, int label) = shape.Draw(random, i, classes);
            return new ClassRow { Features = x, Label = (uint)label };
        })];
        return (View(rows[..shape.Rows], shape.Features, classes), View(rows[shape.Rows..], shape.Features, classes));
    }

    private IDataView View<TRow>(TRow[] rows, int features, int classes = 0)
        where TRow : class
    {
        var schema = SchemaDefinition.Create(typeof(TRow));
        schema["Features"].ColumnType = new VectorDataViewType(NumberDataViewType.Single, features);
        if (classes > 0)
            schema["Label"].ColumnType = new KeyDataViewType(typeof(uint), classes);
        return _context.Data.LoadFromEnumerable(rows, schema);
    }

    private static Func<float[], float[]> Linear(float scale, float offset)
        => x => [0, offset + (scale * x.Select((value, i) => value * (i % 2 == 0 ? 1 : -1)).Sum() / MathF.Sqrt(x.Length) * 2)];

    /// <summary>A random direction for each class.</summary>
    private static Func<float[], float[]> Directions(int classes, int features, float scale)
    {
        var random = new Random(5);
        float[][] directions = [.. Enumerable.Range(0, classes).Select(_ => Enumerable.Range(0, features)
            .Select(_ => scale * Normal(random)).ToArray())];
        return x => Array.ConvertAll(directions, direction => direction.Zip(x, (a, b) => a * b).Sum());
    }

    private static float Normal(Random random) =>
        (float)(Math.Sqrt(-2 * Math.Log(1 - random.NextDouble())) * Math.Cos(2 * Math.PI * random.NextDouble()));

    /// <summary>How rows come about.</summary>
    /// <param name="Rows">To train on.</param>
    /// <param name="Features">Of a row.</param>
    /// <param name="Scores">Of a row's classes; the label is drawn from their softmax.</param>
    /// <param name="Feature">One value; null: normal.</param>
    private sealed record Shape(int Rows, int Features, Func<float[], float[]> Scores, Func<Random, int, float>? Feature = null)
    {
        public (float[] X, int Label) Draw(Random random, int row, int classes)
        {
            float[] x = [.. Enumerable.Range(0, Features).Select(i => Feature?.Invoke(random, i) ?? Normal(random))];
            float[] scores = Scores(x);
            float largest = scores.Max();
            double[] chances = Array.ConvertAll(scores, score => Math.Exp(score - largest));
            double left = random.NextDouble() * chances.Sum();
            int label = 0;
            while (label < classes - 1 && (left -= chances[label]) > 0)
                label++;
            // Of a handful of rows every class has one, as a trainer needs.
            return (x, Rows < 10 && row < Rows ? row % classes : label);
        }
    }

    private sealed class BinaryRow
    {
        public float[] Features { get; set; } = [];

        public bool Label { get; set; }
    }

    private sealed class ClassRow
    {
        public float[] Features { get; set; } = [];

        /// <summary>From 0, as LoadFromEnumerable takes the values of a key.</summary>
        public uint Label { get; set; }
    }
}
