using Microsoft.ML.Trainers;

namespace Microsoft.ML;

/// <summary>The linear trainers.</summary>
public static class StandardTrainersCatalog
{
    public static SdcaRegressionTrainer Sdca(
        this RegressionCatalog.RegressionTrainers catalog, string labelColumnName = "Label", string featureColumnName = "Features",
        string? exampleWeightColumnName = null, ISupportSdcaRegressionLoss? lossFunction = null,
        float? l2Regularization = null, float? l1Regularization = null, int? maximumNumberOfIterations = null)
    {
        if (lossFunction is not null)
            throw new NotSupportedException("This stand-in for ML.NET knows the squared loss only.");
        var options = new SdcaRegressionTrainer.Options
        {
            L2Regularization = l2Regularization,
            L1Regularization = l1Regularization,
            MaximumNumberOfIterations = maximumNumberOfIterations,
        };
        return catalog.Sdca(options.For(labelColumnName, featureColumnName, exampleWeightColumnName));
    }

    public static SdcaRegressionTrainer Sdca(this RegressionCatalog.RegressionTrainers catalog, SdcaRegressionTrainer.Options options) =>
        new(catalog.Environment, options ?? throw new ArgumentNullException(nameof(options)));

    public static SdcaLogisticRegressionBinaryTrainer SdcaLogisticRegression(
        this BinaryClassificationCatalog.BinaryClassificationTrainers catalog, string labelColumnName = "Label", string featureColumnName = "Features",
        string? exampleWeightColumnName = null, float? l2Regularization = null, float? l1Regularization = null, int? maximumNumberOfIterations = null)
    {
        var options = new SdcaLogisticRegressionBinaryTrainer.Options
        {
            L2Regularization = l2Regularization,
            L1Regularization = l1Regularization,
            MaximumNumberOfIterations = maximumNumberOfIterations,
        };
        return catalog.SdcaLogisticRegression(options.For(labelColumnName, featureColumnName, exampleWeightColumnName));
    }

    public static SdcaLogisticRegressionBinaryTrainer SdcaLogisticRegression(
        this BinaryClassificationCatalog.BinaryClassificationTrainers catalog, SdcaLogisticRegressionBinaryTrainer.Options options) =>
        new(catalog.Environment, options ?? throw new ArgumentNullException(nameof(options)));

    public static SdcaMaximumEntropyMulticlassTrainer SdcaMaximumEntropy(
        this MulticlassClassificationCatalog.MulticlassClassificationTrainers catalog, string labelColumnName = "Label", string featureColumnName = "Features",
        string? exampleWeightColumnName = null, float? l2Regularization = null, float? l1Regularization = null, int? maximumNumberOfIterations = null)
    {
        var options = new SdcaMaximumEntropyMulticlassTrainer.Options
        {
            L2Regularization = l2Regularization,
            L1Regularization = l1Regularization,
            MaximumNumberOfIterations = maximumNumberOfIterations,
        };
        return catalog.SdcaMaximumEntropy(options.For(labelColumnName, featureColumnName, exampleWeightColumnName));
    }

    public static SdcaMaximumEntropyMulticlassTrainer SdcaMaximumEntropy(
        this MulticlassClassificationCatalog.MulticlassClassificationTrainers catalog, SdcaMaximumEntropyMulticlassTrainer.Options options) =>
        new(catalog.Environment, options ?? throw new ArgumentNullException(nameof(options)));

    private static TOptions For<TOptions>(this TOptions options, string label, string features, string? weight) where TOptions : TrainerInputBaseWithWeight
    {
        options.LabelColumnName = label;
        options.FeatureColumnName = features;
        options.ExampleWeightColumnName = weight;
        return options;
    }
}
