namespace Microsoft.ML.ForwardSampling.RecordViews;

/// <summary>What happens to a row for which there is no record.</summary>
public enum RowsWithoutRecord
{
    /// <summary>It is left out, and counted. Its other columns are never read.</summary>
    Drop,

    /// <summary>It is kept, and counted; its statistics, record weight and age are NaN and its model version 0. SelectRows takes its
    /// window's mean for a statistic that is NaN.</summary>
    KeepWithNaN,
}
