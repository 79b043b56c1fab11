
namespace Microsoft.ML.ForwardSampling.Records;

/// <summary>A record with its label: the statistics of one row, ready for selection. <see cref="IForwardRecord{TSelf}.Join"/> makes
/// one.</summary>
public readonly record struct JoinedRecord
{
    internal JoinedRecord(ulong key, float label, bool isDefaultLabel, DateTime scoredAt, ulong modelVersion, float keepingProbability,
        in ClassificationStatistics statistics, bool isExact)
        : this(key, label, isDefaultLabel, scoredAt, modelVersion, keepingProbability)
        => (Loss, GradientNorm, Margin, Entropy, Residual, IsExact) =
            (statistics.Loss, statistics.GradientNorm, statistics.Margin, statistics.Entropy, float.NaN, isExact);

    internal JoinedRecord(ulong key, float label, bool isDefaultLabel, DateTime scoredAt, ulong modelVersion, float keepingProbability,
        in RegressionStatistics statistics)
        : this(key, label, isDefaultLabel, scoredAt, modelVersion, keepingProbability)
        => (Loss, GradientNorm, Margin, Entropy, Residual, IsExact) =
            (statistics.Loss, statistics.GradientNorm, float.NaN, float.NaN, statistics.Residual, true);

    private JoinedRecord(ulong key, float label, bool isDefaultLabel, DateTime scoredAt, ulong modelVersion, float keepingProbability)
        => (Key, Label, IsDefaultLabel, ScoredAt, ModelVersion, KeepingProbability) =
            (key, label, isDefaultLabel, scoredAt, modelVersion, keepingProbability);

    /// <summary>Key of the row.</summary>
    public ulong Key { get; init; }

    /// <summary>Label: the true value of a regression, 0 or 1 of a binary model, the class from 0 of a multiclass model.</summary>
    public float Label { get; init; }

    /// <summary>No label came; this one was assumed.</summary>
    public bool IsDefaultLabel { get; init; }

    /// <summary>When the row was scored, UTC.</summary>
    public DateTime ScoredAt { get; init; }

    /// <summary>Version of the model that scored the row.</summary>
    public ulong ModelVersion { get; init; }

    /// <summary>Probability with which the record was kept, in (0, 1].</summary>
    public float KeepingProbability { get; init; }

    /// <summary>How many rows this one stands for: 1 / <see cref="KeepingProbability"/>.</summary>
    public float RecordWeight => 1 / KeepingProbability;

    /// <summary>Loss: squared error, or negative log-likelihood in nats; ≥ 0. NaN when the score was unusable.</summary>
    public float Loss { get; init; }

    /// <summary>Norm of the loss's gradient at the network's output, ≥ 0. NaN when the score was unusable.</summary>
    public float GradientNorm { get; init; }

    /// <summary>Largest minus second largest class probability, in [0, 1]; NaN for a regression.</summary>
    public float Margin { get; init; }

    /// <summary>Entropy of the predicted classes in nats; NaN for a regression.</summary>
    public float Entropy { get; init; }

    /// <summary>Score less label, in the label's unit; NaN for a classification.</summary>
    public float Residual { get; init; }

    /// <summary>False when the label was not among the classes that a multiclass record names: loss and gradient norm are then estimates
    /// (see <see cref="MulticlassRecord"/>).</summary>
    public bool IsExact { get; init; }
}
