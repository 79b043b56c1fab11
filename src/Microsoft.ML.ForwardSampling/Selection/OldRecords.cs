namespace Microsoft.ML.ForwardSampling.Selection;

/// <summary>What happens to a row whose record is too old: <see cref="RecordLimits.MaximumAge"/>,
/// <see cref="RecordLimits.MinimumModelVersion"/>.</summary>
public enum OldRecords
{
    /// <summary>The row is left out: it enters no window, has no chance, and is counted in
    /// <see cref="SelectionReport.ExcludedRows"/>.</summary>
    Exclude,

    /// <summary>
    /// The row competes, its record says less: a recorded statistic x counts as m + f·(x − m), where f = 2^−(age beyond the limit /
    /// <see cref="RecordLimits.HalfLife"/>), 0 for a model version below the minimum and for an age that is not known, and m is the
    /// window's mean of the statistic weighted by f. With f = 0 that is what a missing statistic counts as. Counted in
    /// <see cref="SelectionReport.DiscountedRows"/>. The reference loss, class and group do not age.
    /// </summary>
    Discount,
}
