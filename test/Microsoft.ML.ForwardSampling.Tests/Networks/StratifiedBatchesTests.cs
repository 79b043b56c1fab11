using FsCheck;
using FsCheck.Fluent;
using Microsoft.ML.Data;
using Microsoft.ML.ForwardSampling.Networks;
using Microsoft.ML.ForwardSampling.Selection;

namespace Microsoft.ML.ForwardSampling.Tests.Networks;

public class StratifiedBatchesTests
{
    [Fact]
    public void Deal_AnyRows_EachOnceInABatchOfAtMostTheSize_OneOfEveryRun()
        => Properties.Hold(from m in Gen.Choose(0, 300)
                           from size in Gen.Choose(1, 40)
                           from classes in Gen.Choose(0, 5)
                           from seed in Gen.Choose(0, 1000)
                           select (m, size, classes, seed), one =>
       {
           var random = new Random(one.seed);
           int[] rows = [.. Enumerable.Range(0, one.m)];
           float[] labels = one.classes == 0 ? [] : [.. rows.Select(_ => (float)random.Next(one.classes))];
           float[] keys = [.. rows.Select(i => i % 17 == 0 ? float.NaN : (float)(random.NextDouble() - 0.5))];
           var batches = new StratifiedBatches();
           batches.Deal(rows, labels, keys, one.size, random);
           Assert.Equal((one.m + one.size - 1) / one.size, batches.Count);
           int[][] all = [.. Enumerable.Range(0, batches.Count).Select(n => batches.Batch(n).ToArray())];
           Assert.Equal(rows, all.SelectMany(b => b).Order());
           Assert.All(all, b => Assert.InRange(b.Length, one.m / Math.Max(1, batches.Count), one.size));

           // Ranks: by label, then key, NaN last. Each whole run of K neighbours gives every batch one row.
           int[] sorted = [.. rows.OrderBy(i => one.classes == 0 ? 0 : labels[i])
               .ThenBy(i => float.IsNaN(keys[i]) ? float.PositiveInfinity : keys[i])];
           for (int t = 0; (t + 1) * batches.Count <= one.m && batches.Count > 0; t++)
           {
               float[] lowest = [.. sorted.Skip(t * batches.Count).Take(batches.Count).Select(Rank)];
               Assert.Equal(lowest.Order(), all.Select(b => Rank(b[t])).Order());
           }

           float Rank(int i) => (one.classes == 0 ? 0 : labels[i]) + (float.IsNaN(keys[i]) ? 0.75f : keys[i] / 4);
       });

    [Fact]
    public void Deal_ManyTimes_ARowIsInEachBatchEquallyOften_AndWithEachOtherStrataEquallyOften()
    {
        const int Rows = 12, Size = 3, Times = 24_000;      // 4 batches of 3 strata of 4 neighbours
        int[] rows = [.. Enumerable.Range(0, Rows)];
        float[] keys = [.. rows.Select(i => (float)i)];
        var batches = new StratifiedBatches();
        var random = new Random(5);
        var place = new int[Rows, Rows / Size];
        var together = new int[Rows, Rows];
        for (int n = 0; n < Times; n++)
        {
            batches.Deal(rows, [], keys, Size, random);
            for (int k = 0; k < batches.Count; k++)
            {
                ReadOnlySpan<int> batch = batches.Batch(k);
                foreach (int row in batch)
                {
                    place[row, k]++;
                    foreach (int other in batch)
                        together[row, other]++;
                }
            }
        }

        // s.d. of a count is √(n·¼·¾) = 67.
        for (int row = 0; row < Rows; row++)
        {
            for (int k = 0; k < Rows / Size; k++)
                Assert.InRange(place[row, k], (Times / 4) - 340, (Times / 4) + 340);
            for (int other = 0; other < Rows; other++)
            {
                if (other / 4 == row / 4)
                    Assert.Equal(other == row ? Times : 0, together[row, other]);
                else
                    Assert.InRange(together[row, other], (Times / 4) - 340, (Times / 4) + 340);
            }
        }
    }

    [Fact]
    public void Deal_BatchesOfEqualSize_MeanOfABatchIsUnbiased_AndVariesLessThanShuffled()
    {
        const int Rows = 64, Size = 16, Times = 2000;
        var random = new Random(3);
        int[] rows = [.. Enumerable.Range(0, Rows)];
        float[] values = [.. rows.Select(_ => (float)Math.Pow(random.NextDouble(), 3))];
        float[] gradients = [.. values.Select(v => v + (0.02f * (float)random.NextDouble()))];
        var batches = new StratifiedBatches();
        double sum = 0, squares = 0, shuffledSquares = 0, mean = gradients.Average(g => (double)g);
        for (int n = 0; n < Times; n++)
        {
            batches.Deal(rows, [], values, Size, random);
            double first = batches.Batch(0).ToArray().Average(i => (double)gradients[i]);
            sum += first;
            squares += (first - mean) * (first - mean);
            int[] shuffled = [.. rows];
            random.Shuffle(shuffled);
            double other = shuffled.Take(Size).Average(i => (double)gradients[i]) - mean;
            shuffledSquares += other * other;
        }

        Assert.InRange(sum / Times, mean - (4 * Math.Sqrt(squares) / Times), mean + (4 * Math.Sqrt(squares) / Times));
        Assert.InRange(squares / shuffledSquares, 0, 0.1);
    }

    [Fact]
    public void Deal_AfterWarmUp_AllocatesNothing()
    {
        int[] rows = [.. Enumerable.Range(0, 1000)];
        float[] keys = [.. rows.Select(i => (float)(i * 7919 % 1000))];
        var batches = new StratifiedBatches();
        var random = new Random(1);
        batches.Deal(rows, keys, keys, 16, random);
        long before = GC.GetAllocatedBytesForCurrentThread();
        batches.Deal(rows, keys, keys, 16, random);
        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
    }

    [Theory]
    [InlineData(false, false)]
    [InlineData(false, true)]
    [InlineData(true, false)]
    [InlineData(true, true)]
    public void Fit_Stratified_CountsItsSteps_Repeats_AndLearns(bool selects, bool regression)
    {
        var context = new MLContext(1);
        IDataView data = TrainingData.View(context, 1000);
        if (!regression)
            data = context.Transforms.CustomMapping<LabelOnly, Sign>((from, to) => to.Positive = from.Label > 0, null).Fit(data)
                .Transform(data);
        NetworkTrainerOptions options = new()
        {
            HiddenLayers = [8],
            BatchSize = 16,
            Epochs = 3,
            Seed = 1,
            LabelColumnName = regression ? "Label" : "Positive",
            Batches = BatchComposition.Stratified,
            Selection = selects ? new InTrainingSelection { WindowSize = 300, Budget = 0.25 } : null,
        };
        NetworkTrainers trainers = context.ForwardSampling().Trainers;
        using NetworkPredictionTransformer one = Fit(options), again = Fit(options),
            shuffled = Fit(options with { Batches = BatchComposition.Shuffled });
        TrainingReport report = one.Model.Report!;
        // Windows of 300, 300, 300 and 100 rows give 75, 75, 75 and 25: steps of their own each.
        Assert.Equal(selects ? (3 * ((3 * 5) + 2), 750) : (3 * 63, 3000), (report.Steps, report.BackwardRows));
        Assert.Equal(Scores(one), Scores(again));
        Assert.NotEqual(Scores(one), Scores(shuffled));
        Assert.InRange(report.FinalLoss, 0, 2 * shuffled.Model.Report!.FinalLoss);

        NetworkPredictionTransformer Fit(NetworkTrainerOptions with) => regression ? trainers.Regression(with).Fit(data)
            : trainers.BinaryClassification(with).Fit(data);

        float[] Scores(NetworkPredictionTransformer model) => [.. model.Transform(data).GetColumn<float>("Score")];
    }

    [Theory]
    [InlineData(false, null, true, 64, BatchComposition.Shuffled)]
    [InlineData(true, null, true, 16, BatchComposition.Stratified)]
    [InlineData(true, null, false, 16, BatchComposition.Shuffled)]     // the order of the rows is the user's
    [InlineData(false, 640, true, 16, BatchComposition.Stratified)]    // 64 rows of each window: four batches
    [InlineData(false, 640, false, 16, BatchComposition.Stratified)]   // a window keeps the order of the rows
    [InlineData(false, 160, true, 16, BatchComposition.Shuffled)]      // 16 rows of each: nothing to deal
    public void WithBatches_NothingSaid_DependsOnWhetherRowsAreSelected(bool isSelected, int? window, bool shuffle, int rows,
        BatchComposition composition)
    {
        NetworkTrainerOptions options = new()
        {
            Shuffle = shuffle,
            Selection = window is { } size ? new InTrainingSelection { WindowSize = size, Budget = 0.1 } : null
        };

        NetworkTrainerOptions settled = options.WithBatches(isSelected);

        Assert.Equal((rows, composition), (settled.BatchRows, settled.Batches));
        NetworkTrainerOptions said = (options with { BatchSize = 7, Batches = BatchComposition.Shuffled }).WithBatches(isSelected);
        Assert.Equal((7, BatchComposition.Shuffled), (said.BatchRows, said.Batches));
    }

    [Fact]
    public void WithBatches_NetworkThatTorchTrains_KeepsItsBatches_AndStratifiesThem()
    {
        NetworkTrainerOptions[] byTorch = [new() { Dropout = 0.1 }, new() { Normalization = Normalization.Batch },
            new() { Device = "cuda" },
            new() { Network = (inputs, outputs, device) => TorchSharp.torch.nn.Linear(inputs, outputs, device: device) }];

        Assert.All(byTorch.Select(options => options.WithBatches(isSelected: true)),
            settled => Assert.Equal((64, BatchComposition.Stratified), (settled.BatchRows, settled.Batches)));
    }

    [Fact]
    public void Fit_NothingSaid_TakesSmallBatchesOfSelectedRowsAlone()
    {
        var context = new MLContext(1);
        ForwardSamplingCatalog fs = context.ForwardSampling();
        IDataView data = TrainingData.View(context, 1000);
        NetworkTrainerOptions options = new() { HiddenLayers = [4], Epochs = 1, Seed = 1 };
        IDataView selected = fs.SelectRows(data, new UniformPolicy(), new SelectionOptions { WindowSize = 500, Budget = 0.32 });
        using NetworkPredictionTransformer all = fs.Trainers.Regression(options).Fit(data),
            some = fs.Trainers.Regression(options).Fit(selected);

        Assert.Equal((16, 1000), (all.Model.Report!.Steps, all.Model.Report.BackwardRows));
        Assert.Equal((20, 320), (some.Model.Report!.Steps, some.Model.Report.BackwardRows));
    }

    [Fact]
    public void Options_StratifiedWithoutShuffling_IsRefused_UnlessAWindowKeepsTheOrder()
    {
        NetworkTrainers trainers = new MLContext(1).ForwardSampling().Trainers;
        NetworkTrainerOptions options = new() { Batches = BatchComposition.Stratified, Shuffle = false };
        Assert.StartsWith("NetworkTrainerOptions.Batches is Stratified, which makes an order of its own, and Shuffle is false",
            Assert.Throws<ArgumentException>(() => trainers.Regression(options)).Message, StringComparison.Ordinal);
        _ = trainers.Regression(options with { Selection = new InTrainingSelection() });
    }

    private sealed class LabelOnly
    {
        public float Label { get; set; }
    }

    private sealed class Sign
    {
        public bool Positive { get; set; }
    }
}
