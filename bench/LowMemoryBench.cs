using System.Globalization;
using Microsoft.ML.Data;
using Microsoft.ML.ForwardSampling.LowMemory;
using Microsoft.ML.ForwardSampling.Shared;
using Microsoft.ML.ForwardSampling.Tests.LowMemory;
using Microsoft.ML.Trainers;

namespace Microsoft.ML.ForwardSampling.Benchmarks;

/// <summary>One pass over generated clicks on 2^20 slots: rows a second, held-out log-loss and bytes a feature of the low-memory trainer,
/// of its learner with other memories, and of ML.NET's linear trainers; and their log-loss on real e-mails with crosses.</summary>
internal static class LowMemoryBench
{
    private const int Slots = 1 << 20;

    public static int Run(string[] args)
    {
        if (args is ["spam"])
        {
            PrintSpam(new MLContext(seed: 1));
            return 0;
        }

        int rows = args is [var given, ..] ? int.Parse(given, CultureInfo.InvariantCulture) : 200_000;
        double rate = args is [_, var second, ..] ? double.Parse(second, CultureInfo.InvariantCulture)
            : new LowMemoryTrainerOptions().LearningRate;
        var train = new ClickStream(rows, Slots, seed: 1);
        var test = new ClickStream(rows / 4, Slots, seed: 2);
        var context = new MLContext(seed: 1);
        double share = test.Clicked.Average(clicked => clicked ? 1.0 : 0.0);
        double constant = -(share * Math.Log(share) + (1 - share) * Math.Log(1 - share));
        Console.WriteLine($"{rows:N0} rows of {train.Rows.Average(row => row.Length):F1} non-zeros in {Slots:N0} slots, {share:P1} "
            + $"clicked; log-loss of a constant {constant:F4}, learning rate {rate}");
        var table = new Table("Learner", "rows/s", "log-loss", "to float", "bytes");
        foreach (ControlLearner learner in Controls(rate))          // compiled before it is timed
        {
            for (int pass = 0; pass < 2; pass++)
                learner.Learn(test);
        }

        _ = Trainer(context, rate).Fit(test);
        double reference = 0;
        foreach (ControlLearner learner in Controls(rate))
        {
            double seconds = Turns.Seconds(() => learner.Learn(train)), loss = learner.LossOf(test);
            reference = reference == 0 ? loss : reference;
            Add(learner.Name, rows / seconds, loss, reference, learner.Bytes.ToString(CultureInfo.InvariantCulture));
        }

        foreach (var (name, bytes, fit) in Trainers(context, rate))
        {
            ITransformer model = null!;
            double seconds = Turns.Seconds(() => model = fit(train));
            model = Calibrated(context, model, train);
            Add(name, rows / seconds, LossOf(model, test), reference, bytes);
            if (model is not LowMemoryPredictionTransformer ours)
                continue;
            foreach (int bits in new[] { 7, 5, 3 })
            {
                LowMemoryPredictionTransformer small = ours.ForPrediction(bits, seed: 1);
                Add($"  scoring alone, q2.{bits}", double.NaN, LossOf(small, test), reference,
                    ((double)small.Model.Bytes / Slots).ToString("F2", CultureInfo.InvariantCulture));
            }
        }

        table.Print();
        PrintRegression(context, train, test);
        PrintSpam(context);
        return 0;

        void Add(string name, double rowsPerSecond, double loss, double reference, string bytes)
            => table.Add(name, double.IsNaN(rowsPerSecond) ? "" : $"{rowsPerSecond:N0}", $"{loss:F4}",
                $"{100 * (loss / reference - 1):+0.00;-0.00;0.00} %", bytes);
    }

    /// <summary>One pass over three quarters of the e-mails in some order, the loss on the others; means over orders, differences to float
    /// in pairs.</summary>
    private static void PrintSpam(MLContext context)
    {
        const int Orders = 20;
        const double Rate = 0.2;
        (int[] Slots, bool IsSpam)[] mails = SpamRows.Load(Slots);
        int longest = mails.Max(mail => mail.Slots.Length);
        Console.WriteLine($"{mails.Length:N0} e-mails of {mails.Average(mail => mail.Slots.Length):F0} non-zeros (crosses of all pairs) "
            + $"in {Slots:N0} slots, {mails.Average(mail => mail.IsSpam ? 1.0 : 0.0):P1} spam; learning rate {Rate}, mean of {Orders} "
            + $"orders, to float in pairs with its 95 % interval");
        var table = new Table("Learner", "rows/s", "log-loss", "to float");
        string[] names = [.. Controls(Rate).Select(learner => learner.Name), .. Trainers(context, Rate).Select(trainer => trainer.Name)];
        var losses = new double[names.Length, Orders];
        var seconds = new double[names.Length];
        int rows = 0;
        for (int order = 0; order < Orders; order++)
        {
            new Random(order).Shuffle(mails);
            int quarter = mails.Length / 4;
            ClickStream test = Stream(mails[..quarter]), train = Stream(mails[quarter..]);
            rows += train.Rows.Count;
            int n = 0;
            foreach (ControlLearner learner in Controls(Rate))
            {
                seconds[n] += Turns.Seconds(() => learner.Learn(train));
                losses[n++, order] = learner.LossOf(test);
            }

            foreach (var (_, _, fit) in Trainers(context, Rate))
            {
                ITransformer model = null!;
                seconds[n] += Turns.Seconds(() => model = fit(train));
                losses[n++, order] = LossOf(Calibrated(context, model, train), test);
            }
        }

        for (int n = 0; n < names.Length; n++)
        {
            double[] own = [.. Enumerable.Range(0, Orders).Select(order => losses[n, order])];
            double[] ratios = [.. own.Select((loss, order) => 100 * (loss / losses[0, order] - 1))];
            double half = Statistics.StudentT95(Orders - 1) * Statistics.StandardDeviation(ratios) / Math.Sqrt(Orders);
            table.Add(names[n], $"{rows / seconds[n]:N0}", $"{own.Average():F4}", $"{ratios.Average():+0.00;-0.00;0.00} ± {half:F2} %");
        }

        table.Print();

        ClickStream Stream((int[] Slots, bool IsSpam)[] some) => new([.. some.Select(mail => mail.Slots)],
            [.. some.Select(mail => mail.IsSpam)], Slots, longest);
    }

    /// <summary>The model, with a calibrator where it gives no probability.</summary>
    private static ITransformer Calibrated(MLContext context, ITransformer model, ClickStream train)
        => model.GetOutputSchema(train.Schema).Any(column => column.Name == "Probability") ? model
            : model.Append(context.BinaryClassification.Calibrators.Platt().Fit(model.Transform(train)));

    private static void PrintRegression(MLContext context, ClickStream train, ClickStream test)
    {
        var table = new Table("Regression", "rows/s", "RMSE");
        RegressionCatalog.RegressionTrainers trainers = context.Regression.Trainers;
        (string Name, Func<ITransformer> Fit)[] ways =
        [
            ("LowMemoryRegression, one pass", () => context.ForwardSampling().Trainers.LowMemoryRegression(
                new LowMemoryTrainerOptions { LabelColumnName = "Number", Seed = 1 }).Fit(train)),
            ("ML.NET OnlineGradientDescent, one pass", () => trainers.OnlineGradientDescent("Number").Fit(train)),
            ("ML.NET OnlineGradientDescent, one pass, rate 0.01", () => trainers.OnlineGradientDescent("Number", learningRate: 0.01f)
                .Fit(train)),
            ("ML.NET Sdca, default", () => trainers.Sdca("Number").Fit(train)),
        ];
        foreach (var (name, fit) in ways)
        {
            ITransformer model = null!;
            double seconds = Turns.Seconds(() => model = fit());
            double error = context.Regression.Evaluate(model.Transform(test), "Number").RootMeanSquaredError;
            table.Add(name, $"{train.Rows.Count / seconds:N0}", $"{error:F3}");
        }

        table.Print();
    }

    private static ControlLearner[] Controls(double rate) =>
    [
        ControlLearner.Float(Slots, rate), ControlLearner.FixedExact(Slots, rate), ControlLearner.Fixed(Slots, rate, 13),
        ControlLearner.Adaptive(Slots, rate), ControlLearner.Fixed(Slots, rate, 7), ControlLearner.Nearest(Slots, rate, 7),
    ];

    private static LowMemoryTrainer Trainer(MLContext context, double rate) => context.ForwardSampling().Trainers
        .LowMemoryBinaryClassification(new LowMemoryTrainerOptions { LearningRate = rate, Seed = 1 });

    private static (string Name, string Bytes, Func<IDataView, ITransformer> Fit)[] Trainers(MLContext context, double rate)
    {
        BinaryClassificationCatalog.BinaryClassificationTrainers trainers = context.BinaryClassification.Trainers;
        return
        [
            ("LowMemoryBinaryClassification.Fit, one pass", "3", data => Trainer(context, rate).Fit(data)),
            ("ML.NET AveragedPerceptron, one pass, Platt after", "", data => trainers.AveragedPerceptron(numberOfIterations: 1).Fit(data)),
            ("ML.NET SdcaLogisticRegression, one pass", "", data => trainers.SdcaLogisticRegression(
                new SdcaLogisticRegressionBinaryTrainer.Options { MaximumNumberOfIterations = 1 }).Fit(data)),
            ("ML.NET SdcaLogisticRegression, L2 1e-5", "", data => trainers.SdcaLogisticRegression(
                new SdcaLogisticRegressionBinaryTrainer.Options { L2Regularization = 1e-5f }).Fit(data)),
            ("ML.NET SdcaLogisticRegression, default", "", data => trainers.SdcaLogisticRegression().Fit(data)),
        ];
    }

    private static double LossOf(ITransformer model, ClickStream test)
    {
        IDataView scored = model.Transform(test);
        double sum = 0;
        int row = 0;
        foreach (float probability in scored.GetColumn<float>("Probability"))
            sum -= Math.Log(Math.Max(1e-15, test.Clicked[row++] ? probability : 1 - (double)probability));
        return sum / row;
    }
}
