namespace Microsoft.ML.ForwardSampling.DataViews;

/// <summary>Options that name columns, checked against each other.</summary>
internal static class ColumnRoles
{
    /// <summary>Requires that no column has two roles.</summary>
    /// <param name="options">Each option with its owner, and the column it names; null: none.</param>
    /// <exception cref="ArgumentException">Two options name the same column; the message names both and the column.</exception>
    public static void RequireDifferent(IReadOnlyList<(string Option, string? Column)> options)
    {
        for (int i = 0; i < options.Count; i++)
        {
            for (int j = 0; j < i; j++)
            {
                if (options[i].Column is { } column && column == options[j].Column)
                    throw new ArgumentException(
                        $"{options[j].Option} and {options[i].Option} are both '{column}': each needs a column of its own.",
                        options[i].Option[(options[i].Option.LastIndexOf('.') + 1)..]);
            }
        }
    }
}
