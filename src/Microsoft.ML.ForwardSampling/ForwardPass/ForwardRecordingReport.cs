using System.Globalization;

namespace Microsoft.ML.ForwardSampling.ForwardPass;

/// <summary>What a <see cref="ForwardRecordingTransformer"/> has recorded so far. A snapshot: later rows do not change it.</summary>
/// <remarks>
/// A row counts once for each cursor or prediction that read at least one of its statistics; a row that only passed through does not count,
/// and reading a data view twice counts its rows twice. Cursors add their counts every 1,024 rows and when they are disposed,
/// prediction engines at every row.
/// </remarks>
public sealed record ForwardRecordingReport
{
    /// <summary>Rows of which at least one statistic was computed.</summary>
    public long RowsRecorded { get; init; }

    /// <summary>Rows with a score or probability that is NaN or infinite, or none at all, or an infinite regression label. Their statistics
    /// are NaN.</summary>
    public long NonFiniteRows { get; init; }

    /// <summary>
    /// Rows without a label: no label column, a missing key, or NaN. Their loss, gradient norm and residual are NaN.
    /// Counted only where one of those three was asked for.
    /// </summary>
    public long UnlabelledRows { get; init; }

    /// <summary>
    /// Rows whose label is no class of the model: beyond its scores, negative, or not whole. Their loss and gradient norm are NaN.
    /// Counted only where one of those two was asked for.
    /// </summary>
    public long UnknownClassRows { get; init; }

    /// <summary>
    /// Rows whose scores are finite but no probabilities: outside [0, 1], or of a sum that differs from 1 by more than
    /// <see cref="Records.ForwardStatistics.ProbabilitySumTolerance"/>. Their statistics are NaN. For a multiclass model this says that
    /// <see cref="ForwardRecordingOptions.MulticlassScores"/> should be <see cref="MulticlassScores.Logits"/>.
    /// </summary>
    public long InvalidProbabilityRows { get; init; }

    /// <summary>The counts in words, with advice where one is called for.</summary>
    /// <returns>One line, invariant culture.</returns>
    public override string ToString()
    {
        string text = string.Create(CultureInfo.InvariantCulture, $"{RowsRecorded:N0} rows recorded");
        if (UnlabelledRows > 0)
            text += string.Create(CultureInfo.InvariantCulture, $"; {UnlabelledRows:N0} without a label");
        if (UnknownClassRows > 0)
            text += string.Create(CultureInfo.InvariantCulture, $"; {UnknownClassRows:N0} whose label is no class of the model");
        if (NonFiniteRows > 0)
            text += string.Create(CultureInfo.InvariantCulture, $"; {NonFiniteRows:N0} with scores that are not finite");
        if (InvalidProbabilityRows > 0)
            text += string.Create(CultureInfo.InvariantCulture,
                $"; {InvalidProbabilityRows:N0} whose scores are no probabilities ({RecordingMessages.UseLogits})");
        return text;
    }
}
