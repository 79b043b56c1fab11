namespace Microsoft.ML.ForwardSampling.Records;

/// <summary>What one forward pass left behind for one row, in a constant number of bytes: <see cref="RegressionRecord"/>,
/// <see cref="BinaryRecord"/> or <see cref="MulticlassRecord"/>.</summary>
/// <typeparam name="TSelf">The record itself.</typeparam>
public interface IForwardRecord<TSelf> : ILogRecord<TSelf>
    where TSelf : struct, IForwardRecord<TSelf>
{
    /// <summary>Probability with which this record was kept, in (0, 1]: a statistic of kept records times 1 / this probability is unbiased
    /// for all rows.</summary>
    float KeepingProbability { get; }

    /// <summary>Whether a label can belong to this record.</summary>
    /// <param name="label">Any value.</param>
    /// <returns>Regression: it is finite. Binary: it is 0 or 1. Multiclass: it is a whole number in [0,
    /// <see cref="MulticlassRecord.Classes"/>).</returns>
    bool Accepts(float label);

    /// <summary>The record with its label, as statistics.</summary>
    /// <param name="label">A label that the record accepts.</param>
    /// <param name="isDefault">True when no label came and this one is assumed.</param>
    /// <returns>What the record's <c>Statistics</c> say with this label.</returns>
    /// <exception cref="ArgumentOutOfRangeException"><see cref="Accepts"/> is false for <paramref name="label"/>.</exception>
    JoinedRecord Join(float label, bool isDefault = false);
}
