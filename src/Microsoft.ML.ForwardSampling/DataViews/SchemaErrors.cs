using Microsoft.ML.Data;

namespace Microsoft.ML.ForwardSampling.DataViews;

/// <summary>What is said of columns and getters that a row or a cursor cannot give.</summary>
internal static class SchemaErrors
{
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
