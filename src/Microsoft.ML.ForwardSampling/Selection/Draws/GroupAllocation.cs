namespace Microsoft.ML.ForwardSampling.Selection;

/// <summary>How <see cref="GroupBudgetPolicy"/> divides a window's budget among the groups in it.</summary>
public enum GroupAllocation
{
    /// <summary>In proportion to a group's rows, but at least <see cref="GroupBudgetPolicy.MinimumRows"/> for each.</summary>
    Proportional,

    /// <summary>The same for each group; what a group is too small for goes to the others.</summary>
    Even,
}
