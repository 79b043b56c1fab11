using System.Globalization;
using Microsoft.ML.ForwardSampling.Records;

namespace Microsoft.ML.ForwardSampling.ForwardPass;

/// <summary>What the recorder says about rows and columns, in one cold place.</summary>
internal static class RecordingMessages
{
    public const string UseLogits = "if the model gives raw scores, set ForwardRecordingOptions.MulticlassScores to Logits";

    public const string NonFinite =
        "A row has scores that are NaN or infinite: its statistics are NaN. Such rows are counted in "
            + "ForwardRecordingTransformer.Report.NonFiniteRows.";

    public const string UnknownClass =
        "A row has a label that is no class of the model: its loss and gradient norm are NaN. Such rows are counted in "
            + "ForwardRecordingTransformer.Report.UnknownClassRows.";

    public static readonly string InvalidProbability = string.Create(
        CultureInfo.InvariantCulture,
        $"A row has scores that are no probabilities (outside [0, 1], or of a sum that differs from 1 by more than "
            + $"{ForwardStatistics.ProbabilitySumTolerance}): its statistics are NaN. Such rows are counted in "
            + $"ForwardRecordingTransformer.Report.InvalidProbabilityRows; {UseLogits}.");

    public static string NoLabelColumn(ForwardRecordingOptions options)
        => $"The data has no label column '{options.LabelColumnName}': loss, gradient norm and residual are NaN. "
            + $"ForwardRecordingOptions.LabelColumnName names a label that is called otherwise.";

    public static string ScoreAdvice(ForwardRecordingOptions options)
        => $"The wrapped model adds this column, and ForwardRecordingOptions.Task ({options.Task}) says what it holds; a renamed one is "
            + $"given in ForwardRecordingOptions.ScoreColumnName.";

    public const string ProbabilityAdvice =
        "A calibrated binary model adds this column; a renamed one is given in ForwardRecordingOptions.ProbabilityColumnName.";

    public static string LabelAdvice(ForwardRecordingOptions options)
        => $"ForwardRecordingOptions.Task ({options.Task}) says what it holds; another column is given in "
            + $"ForwardRecordingOptions.LabelColumnName.";
}
