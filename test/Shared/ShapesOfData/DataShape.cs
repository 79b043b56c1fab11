using Microsoft.ML.Data;
using Microsoft.ML.ForwardSampling.Networks;
using Microsoft.ML.Trainers.LightGbm;

namespace Microsoft.ML.ForwardSampling.ShapesOfData;

/// <summary>A kind of data as people have it: rows to train on and others to test by, and what trainers make of them with no option
/// set.</summary>
/// <param name="Task">What is predicted.</param>
/// <param name="Name">What tells it from the others of its task.</param>
/// <param name="Make">Both views.</param>
internal sealed record DataShape(PredictionTask Task, string Name, Func<MLContext, (IDataView Train, IDataView Test)> Make)
{
    private const double NoRowCountsMore = 1e-15;

    /// <summary>How far the default may be behind Sdca: R squared, or nats beside a tenth of Sdca's log-loss.</summary>
    public double Margin { get; init; } = 0.05;

    /// <summary>How far it may be behind LightGBM, in the same units; null: not compared. Trees are another class of functions: they cut
    /// along single features, which suits some shapes and not others.</summary>
    public double? TreeMargin { get; init; } = 0.05;

    /// <summary>What a peer gives where it cannot train.</summary>
    public double? SdcaInstead { get; init; }

    public override string ToString() => $"{Task} {Name}";

    /// <summary>Quality on the other rows: R squared, or the mean log-loss in nats.</summary>
    /// <param name="ml">Seeded.</param>
    /// <param name="heldOutShare">The one option that may be set, to compare with; null: not set.</param>
    public double Own(MLContext ml, double? heldOutShare = null)
    {
        (IDataView train, IDataView test) = Make(ml);
        NetworkTrainers trainers = ml.ForwardSampling().Trainers;
        var options = new NetworkTrainerOptions { HeldOutShare = heldOutShare };
        using NetworkPredictionTransformer model = (Task switch
        {
            PredictionTask.Regression => trainers.Regression(options),
            PredictionTask.Binary => trainers.BinaryClassification(options),
            _ => trainers.MulticlassClassification(options),
        }).Fit(train);
        return Quality(ml, model, test);
    }

    /// <summary>Sdca's quality.</summary>
    public double Sdca(MLContext ml)
    {
        if (SdcaInstead is { } instead)
            return instead;
        (IDataView train, IDataView test) = Make(ml);
        ITransformer model = Task switch
        {
            PredictionTask.Regression => ml.Regression.Trainers.Sdca().Fit(train),
            PredictionTask.Binary => ml.BinaryClassification.Trainers.SdcaLogisticRegression().Fit(train),
            _ => ml.MulticlassClassification.Trainers.SdcaMaximumEntropy().Fit(train),
        };
        return Quality(ml, model, test);
    }

    /// <summary>LightGBM's quality.</summary>
    public double LightGbm(MLContext ml)
    {
        (IDataView train, IDataView test) = Make(ml);
        // One thread: which others the machine has is no part of the result.
        ITransformer model = Task switch
        {
            PredictionTask.Regression => ml.Regression.Trainers
                .LightGbm(new LightGbmRegressionTrainer.Options { NumberOfThreads = 1 }).Fit(train),
            PredictionTask.Binary => ml.BinaryClassification.Trainers
                .LightGbm(new LightGbmBinaryTrainer.Options { NumberOfThreads = 1 }).Fit(train),
            _ => ml.MulticlassClassification.Trainers
                .LightGbm(new LightGbmMulticlassTrainer.Options { NumberOfThreads = 1 }).Fit(train),
        };
        return Quality(ml, model, test);
    }

    /// <summary>Whether the default is within a margin of a peer, or better.</summary>
    public bool IsWithin(double own, double peer, double margin) => Task == PredictionTask.Regression
        ? own > peer - margin : own < peer + Math.Max(margin, 0.1 * peer);

    private double Quality(MLContext ml, ITransformer model, IDataView test)
    {
        IDataView scored = model.Transform(test);
        return Task switch
        {
            PredictionTask.Regression => ml.Regression.Evaluate(scored).RSquared,
            PredictionTask.Binary => scored.GetColumn<bool>("Label").Zip(scored.GetColumn<float>("Probability"),
                (label, probability) => Loss(label ? probability : 1 - probability)).Average(),
            _ => scored.GetColumn<uint>("Label").Zip(scored.GetColumn<VBuffer<float>>("Score"),
                (label, probabilities) => Loss(probabilities.GetItemOrDefault((int)label - 1))).Average(),
        };
    }

    private static double Loss(double probability) => -Math.Log(Math.Clamp(probability, NoRowCountsMore, 1));
}
