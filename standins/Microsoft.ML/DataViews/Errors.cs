namespace Microsoft.ML.Data;

/// <summary>The messages that several files throw.</summary>
internal static class Errors
{
    public static ArgumentOutOfRangeException ColumnNotFound(string paramName, string role, string column) =>
        new(paramName, $"Could not find {role} column '{column}'");

    public static ArgumentOutOfRangeException SchemaMismatch(string paramName, string role, string column, string? expected, string? actual) =>
        new(paramName, $"Schema mismatch for {role} column '{column}': expected {expected}, got {actual}");

    public static ArgumentOutOfRangeException Inactive() => new("column", "requested column not active.");

    public static InvalidOperationException WrongGetterType(Type requested, Delegate actual, string where = " in GetGetter") =>
        new($"Invalid TValue{where}: '{requested}', expected type: '{actual.GetType().GetGenericArguments()[0]}'.");

    public static InvalidOperationException NotOnARow() =>
        new("Values cannot be fetched at this time. This method was called either before the first call to MoveNext, or at any point after that method returned false.");

    /// <summary>ML.NET answers most unusable arguments with this exception.</summary>
    public static void CheckArgument(bool holds, string paramName, string? message = null)
    {
        if (!holds)
            throw new ArgumentOutOfRangeException(paramName, message);
    }

    public static void CheckName(string name, string paramName)
    {
        if (string.IsNullOrEmpty(name))
            throw new ArgumentOutOfRangeException(paramName, $"{paramName} cannot be null or empty");
    }

    /// <summary>The input column of that name, or the usual error.</summary>
    public static DataViewSchema.Column InputColumn(this DataViewSchema schema, string name, string paramName = "inputSchema", string role = "input") =>
        schema.GetColumnOrNull(name) ?? throw ColumnNotFound(paramName, role, name);
}
