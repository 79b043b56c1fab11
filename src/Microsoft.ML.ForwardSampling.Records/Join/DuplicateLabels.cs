namespace Microsoft.ML.ForwardSampling.Records;

/// <summary>Which label a row gets when several came for it, in the order in which they were pushed.</summary>
public enum DuplicateLabels
{
    /// <summary>The first one. The row is given out as soon as record and label are there; later labels are counted.</summary>
    First,

    /// <summary>The last one of the record's window.</summary>
    Last,

    /// <summary>The sum of those of the record's window, as a Single. Regression only.</summary>
    Sum,

    /// <summary>The mean of those of the record's window, as a Single. Regression only.</summary>
    Mean,
}
