using System.Globalization;

namespace Microsoft.ML.ForwardSampling.Selection;

/// <summary>How many rows of each window are kept: a share of them, or a number of rows.</summary>
/// <remarks><c>default</c> is a valid budget: the library's default of one row in ten.</remarks>
public readonly record struct SelectionBudget
{
    private const double DefaultShare = 0.1;

    // 0 stands for the default share, so that default(SelectionBudget) equals Share(0.1).
    private readonly double _share;
    private readonly int _rows;

    private SelectionBudget(double share, int rows)
    {
        _share = share;
        _rows = rows;
    }

    /// <summary>Keeps a share of each window, rounded to the nearest whole row (halves up), at least one.</summary>
    /// <param name="share">(0, 1], dimensionless.</param>
    /// <returns>The budget.</returns>
    /// <exception cref="ArgumentOutOfRangeException">Outside (0, 1], or NaN.</exception>
    public static SelectionBudget Share(double share)
    {
        Require.InRange(share, 0, 1, nameof(SelectionBudget), nameof(Share), minInclusive: false);
        return new SelectionBudget(share == DefaultShare ? 0 : share, 0);
    }

    /// <summary>Keeps a number of rows of each full window, and of a short last window the same share.</summary>
    /// <param name="rows">≥ 1; a window that has fewer is kept whole.</param>
    /// <returns>The budget.</returns>
    /// <exception cref="ArgumentOutOfRangeException">Below 1.</exception>
    public static SelectionBudget Rows(int rows)
        => new(0, Require.AtLeast(rows, 1, nameof(SelectionBudget), nameof(Rows)));

    /// <summary>Share of a window kept.</summary>
    /// <value>(0, 1]; null when the budget is a number of rows.</value>
    public double? AsShare => _rows != 0 ? null : _share == 0 ? DefaultShare : _share;

    /// <summary>Rows of a full window kept.</summary>
    /// <value>≥ 1; null when the budget is a share.</value>
    public int? AsRows => _rows == 0 ? null : _rows;

    /// <summary>A share, as <see cref="Share"/>.</summary>
    /// <param name="share">(0, 1], dimensionless.</param>
    /// <exception cref="ArgumentOutOfRangeException">Outside (0, 1], or NaN.</exception>
    public static implicit operator SelectionBudget(double share) => Share(share);

    /// <summary>Rows to keep of one window.</summary>
    /// <param name="windowRows">n, rows in this window, ≥ 1.</param>
    /// <param name="fullWindowSize">Rows in a full window, ≥ 1; a window with fewer is a short one.</param>
    /// <returns>In [1, n]. A share: round(share · n). Rows: min(rows, n) of a full window, round(rows · n / full) of a short one. Halves
    /// round up.</returns>
    /// <exception cref="ArgumentOutOfRangeException">An argument is below 1.</exception>
    public int For(int windowRows, int fullWindowSize)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(windowRows, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(fullWindowSize, 1);
        double wanted = AsShare is double share ? share * windowRows
            : windowRows >= fullWindowSize ? _rows
            : (double)_rows * windowRows / fullWindowSize;
        return (int)Math.Clamp(Math.Round(wanted, MidpointRounding.AwayFromZero), 1, windowRows);
    }

    /// <summary>Rows to keep of an input that is one window, however long: in [1, n].</summary>
    internal long ForAll(long rows)
        => AsShare is double share ? (long)Math.Clamp(Math.Round(share * rows, MidpointRounding.AwayFromZero), 1, rows)
            : Math.Min(_rows, rows);

    /// <summary>For reports: "10 %" or "64 rows".</summary>
    /// <returns>The budget in words, in the invariant culture.</returns>
    public override string ToString() => AsShare is double share
        ? string.Create(CultureInfo.InvariantCulture, $"{share * 100:0.###} %")
        : string.Create(CultureInfo.InvariantCulture, $"{_rows} rows");
}
