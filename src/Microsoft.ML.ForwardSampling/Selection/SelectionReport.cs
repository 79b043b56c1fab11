namespace Microsoft.ML.ForwardSampling.Selection;

/// <summary>What a <see cref="RowSelector"/> has counted so far. A snapshot: later windows do not change it.</summary>
public sealed record SelectionReport
{
    /// <summary>Windows selected from.</summary>
    public long Windows { get; init; }

    /// <summary>Candidate rows, over all windows.</summary>
    public long RowsSeen { get; init; }

    /// <summary>Rows chosen, over all windows.</summary>
    public long RowsSelected { get; init; }

    /// <summary>Rows of which at least one needed statistic was NaN or infinite and counted as its window's mean.</summary>
    public long RepairedRows { get; init; }

    /// <summary>Rows that entered no window because their record is too old (<see cref="OldRecords.Exclude"/>); not among
    /// <see cref="RowsSeen"/>. Counted where rows are read from a data view; by the network trainer in each of its passes.</summary>
    public long ExcludedRows { get; init; }

    /// <summary>Rows whose record is too old and said less (<see cref="OldRecords.Discount"/>). Counted where rows are read from a data
    /// view.</summary>
    public long DiscountedRows { get; init; }

    /// <summary>Times that a <see cref="WeightCapPolicy"/> cut a chosen row's weight.</summary>
    public long CappedRows { get; init; }

    /// <summary>What the cuts took away: the sum of weights before them less that after them.</summary>
    public double CappedWeight { get; init; }

    /// <summary>Sum of the chosen rows' weights. Close to <see cref="RowsSelected"/> for an unbiased policy, over many windows.</summary>
    public double SumOfWeights { get; init; }

    /// <summary>Largest weight given to a row; 0 before the first window. A large one means noisy steps.</summary>
    public float LargestWeight { get; init; }

    /// <summary>Share of the candidate rows that was chosen: in [0, 1], 0 before the first window.</summary>
    public double ShareSelected => RowsSeen == 0 ? 0 : (double)RowsSelected / RowsSeen;

    /// <summary>Mean weight of the chosen rows: 0 before the first window.</summary>
    public double MeanWeight => RowsSelected == 0 ? 0 : SumOfWeights / RowsSelected;
}
