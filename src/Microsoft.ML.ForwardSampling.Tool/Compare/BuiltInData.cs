using System.Globalization;

namespace Microsoft.ML.ForwardSampling.Tool.Compare;

/// <summary>The data sets that need no file of the user's.</summary>
/// <remarks>Their learning rates suit Uniform at a budget of 10 %: a policy must not win because the rate is too low for an even draw.
/// docs/benchmarks.md shows the others that were tried.</remarks>
internal static class BuiltInData
{
    private const int MadeTestSeed = 1_000_000;

    /// <summary>Their names, and what makes each.</summary>
    public static IReadOnlyDictionary<string, Func<TabularData>> All { get; } = new Dictionary<string, Func<TabularData>>
    {
        ["fashion-mnist"] = () => Fashion(FashionMnist.DebianFolder),
        ["friedman1"] = () => FriedmanWith(64_000, 5_000, Friedman1Noise.Outliers, "friedman1",
            "the label is off by 4 to 12 standard deviations in 3 % of the training rows"),
        ["friedman1-t2"] = () => FriedmanWith(64_000, 5_000, Friedman1Noise.StudentT2, "friedman1-t2",
            "the training labels carry noise of Student's t with 2 degrees of freedom"),
        ["visits"] = () => VisitsOf(200_000, 50_000),
    };

    /// <summary>Fashion-MNIST, from a folder with its four files.</summary>
    /// <exception cref="FileNotFoundException">A file is missing.</exception>
    /// <exception cref="InvalidDataException">A file is damaged.</exception>
    public static TabularData Fashion(string folder)
    {
        var images = FashionMnist.Load(folder);
        return new TabularData
        {
            Name = "fashion-mnist",
            Task = PredictionTask.Multiclass,
            Training = [.. images.Training.Select(ToRow)],
            Test = [.. images.Test.Select(ToRow)],
            Classes = ["T-shirt", "Trouser", "Pullover", "Dress", "Coat", "Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot"],
            Notes = ["Pixels have mean 0 and standard deviation 1 over the training images."],
            Defaults = new CompareDefaults([256, 128], 2e-3, 8),
            PictureWidth = 28,
        };

        static TabularRow ToRow(FashionImage image) => new() { Features = image.Features, Class = image.Label };
    }

    /// <summary>Friedman's first problem; the test set knows the truth.</summary>
    public static TabularData FriedmanWith(int rows, int testRows, Friedman1Noise noise, string name, string what) => new()
    {
        Name = name,
        Task = PredictionTask.Regression,
        Training = [.. Friedman1.Rows(rows, noise, 1).Select(ToRow)],
        Test = [.. Friedman1.Rows(testRows, Friedman1Noise.None, MadeTestSeed).Select(ToRow)],
        Notes = [$"Generated (Friedman's first problem): {what}. The test label has no noise: an error of 0 is perfect, and the label's "
            + $"standard deviation is 1."],
        Defaults = new CompareDefaults([64, 64], 1e-2, 8),
    };

    /// <summary>Made-up visits, of which a few end in a click.</summary>
    public static TabularData VisitsOf(int rows, int testRows)
    {
        Visit[] test = Visits.Rows(testRows, MadeTestSeed);
        double best = test.Average(visit => -Math.Log2(visit.Label ? Visits.ChanceOfClick(visit.Features)
            : 1 - Visits.ChanceOfClick(visit.Features)));
        return new TabularData
        {
            Name = "visits",
            Task = PredictionTask.Binary,
            Training = [.. Visits.Rows(rows, 1).Select(ToRow)],
            Test = [.. test.Select(ToRow)],
            Classes = ["no click", "click"],
            Notes = [string.Create(CultureInfo.InvariantCulture,
                $"Generated: {test.Average(visit => visit.Label ? 1.0 : 0):P1} of the test rows are clicks, and the true chances have a "
                + $"log-loss of {best:0.0000} bits on them: no model can do better.")],
            Defaults = new CompareDefaults([64, 64], 1e-2, 4),
        };

        static TabularRow ToRow(Visit visit) => new() { Features = visit.Features, Flag = visit.Label };
    }

    private static TabularRow ToRow(Friedman1Row row) => new() { Features = row.Features, Number = row.Label };
}
