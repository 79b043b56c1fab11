using Microsoft.ML.Data;

namespace Microsoft.ML.ForwardSampling.DataViews;

/// <summary>Every message about columns, in one cold place: what, where, expected, got, next step.</summary>
internal static class SchemaErrors
{
    /// <summary>A column has a type that cannot be used.</summary>
    /// <param name="role">What the column is for: "statistics", "label", "score" …</param>
    /// <param name="found">The column as it is.</param>
    /// <param name="expected">Types that would do, as ML.NET writes them.</param>
    /// <param name="advice">One or two full sentences: where the column comes from and which option names it.</param>
    /// <param name="parameter">Parameter that brought the schema.</param>
    public static ArgumentOutOfRangeException Mismatch(string role, ColumnFacts found, string expected, string advice, string parameter)
        => new(parameter, $"Schema mismatch for {role} column '{found.Name}': expected {expected}, got {found.TypeText}. {advice}");

    /// <summary>A column is not there.</summary>
    /// <inheritdoc cref="Mismatch" path="/param"/>
    public static ArgumentOutOfRangeException Missing(string role, string name, string expected, string advice, string parameter)
        => new(parameter, $"Schema mismatch for {role} column '{name}': expected {expected}, got no such column. {advice}");

    /// <summary>A getter was asked for a column that the cursor was not opened for.</summary>
    public static InvalidOperationException Inactive(DataViewSchema.Column column)
        => new($"Column '{column.Name}' (index {column.Index}) is not active in this row: name it in the columns that the cursor is "
            + $"opened with.");

    /// <summary>A getter was asked for with a type other than the column's.</summary>
    public static InvalidOperationException WrongGetterType(DataViewSchema.Column column, Type asked)
        => new($"Invalid type of getter for column '{column.Name}': expected {column.Type.RawType}, got {asked}.");

    /// <summary>A value was asked for while the cursor stands before the first row or behind the last.</summary>
    public static InvalidOperationException NoRow()
        => new("There is no row to read: call MoveNext first, and stop when it returns false.");

    /// <summary>Refuses a column that cannot belong to <paramref name="schema"/>.</summary>
    public static void ThrowIfOutside(DataViewSchema.Column column, DataViewSchema schema)
    {
        if ((uint)column.Index >= (uint)schema.Count)
            ThrowOutside(column, schema);
    }

    private static void ThrowOutside(DataViewSchema.Column column, DataViewSchema schema)
        => throw new ArgumentOutOfRangeException(nameof(column),
            $"Column '{column.Name}' has index {column.Index}; the schema has {schema.Count} columns.");
}
