using Microsoft.ML.Trainers;

namespace Microsoft.ML;

/// <summary>The linear trainers.</summary>
public static class StandardTrainersCatalog
{
    public static SdcaRegressionTrainer Sdca(
        this RegressionCatalog.RegressionTrainers catalog, string labelColumnName = "Label", string featureColumnName = "Features",
        string? exampleWeightColumnName = null, ISupportSdcaRegressionLoss? lossFunction = null,
        float? l2Regularization = null, float? l1Regularization = null, int? maximumNumberOfIterations = null) =>
        lossFunction is not null
            ? throw new NotSupportedException("This stand-in for ML.NET knows the squared loss only.")
            : catalog.Sdca(new SdcaRegressionTrainer.Options { L2Regularization = l2Regularization, MaximumNumberOfIterations = maximumNumberOfIterations }
                .For(labelColumnName, featureColumnName, exampleWeightColumnName, l1Regularization));

    public static SdcaRegressionTrainer Sdca(this RegressionCatalog.RegressionTrainers catalog, SdcaRegressionTrainer.Options options) =>
        new(catalog.Environment, options ?? throw new ArgumentNullException(nameof(options)));

    public static SdcaLogisticRegressionBinaryTrainer SdcaLogisticRegression(
        this BinaryClassificationCatalog.BinaryClassificationTrainers catalog, string labelColumnName = "Label", string featureColumnName = "Features",
        string? exampleWeightColumnName = null, float? l2Regularization = null, float? l1Regularization = null, int? maximumNumberOfIterations = null) =>
        catalog.SdcaLogisticRegression(new SdcaLogisticRegressionBinaryTrainer.Options { L2Regularization = l2Regularization, MaximumNumberOfIterations = maximumNumberOfIterations }
            .For(labelColumnName, featureColumnName, exampleWeightColumnName, l1Regularization));

    public static SdcaLogisticRegressionBinaryTrainer SdcaLogisticRegression(
        this BinaryClassificationCatalog.BinaryClassificationTrainers catalog, SdcaLogisticRegressionBinaryTrainer.Options options) =>
        new(catalog.Environment, options ?? throw new ArgumentNullException(nameof(options)));

    public static SdcaMaximumEntropyMulticlassTrainer SdcaMaximumEntropy(
        this MulticlassClassificationCatalog.MulticlassClassificationTrainers catalog, string labelColumnName = "Label", string featureColumnName = "Features",
        string? exampleWeightColumnName = null, float? l2Regularization = null, float? l1Regularization = null, int? maximumNumberOfIterations = null) =>
        new(catalog.Environment, new SdcaMaximumEntropyMulticlassTrainer.Options { L2Regularization = l2Regularization, MaximumNumberOfIterations = maximumNumberOfIterations }
            .For(labelColumnName, featureColumnName, exampleWeightColumnName, l1Regularization));

    private static TOptions For<TOptions>(this TOptions options, string label, string features, string? weight, float? l1) where TOptions : TrainerInputBaseWithWeight
    {
        if (l1 > 0)
            throw new NotSupportedException("This stand-in for ML.NET has no L1 regularization.");
        (options.LabelColumnName, options.FeatureColumnName, options.ExampleWeightColumnName) = (label, features, weight);
        return options;
    }
}
