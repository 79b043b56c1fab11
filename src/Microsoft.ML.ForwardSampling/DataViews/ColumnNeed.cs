namespace Microsoft.ML.ForwardSampling.DataViews;

/// <summary>What a column must be to serve, and what is said where it is missing or of another type.</summary>
/// <param name="Role">What the column is for: "statistics", "label", "score" …</param>
/// <param name="Expected">Types that would do, as ML.NET writes them.</param>
/// <param name="Advice">One or two full sentences: where the column comes from and which option names it.</param>
/// <param name="Parameter">Parameter that brought the schema.</param>
internal readonly record struct ColumnNeed(string Role, string Expected, string Advice, string Parameter)
{
    /// <summary>The column, which must be there.</summary>
    /// <param name="found">The column of that name, or null.</param>
    /// <param name="name">The name looked for.</param>
    /// <param name="fits">Whether its type will do.</param>
    /// <exception cref="ArgumentOutOfRangeException">It is missing or of another type.</exception>
    public ColumnFacts Require(ColumnFacts? found, string name, Predicate<ColumnFacts> fits)
        => Check(found, fits) ?? throw new ArgumentOutOfRangeException(Parameter,
            $"Schema mismatch for {Role} column '{name}': expected {Expected}, got no such column. {Advice}");

    /// <summary>The column, where it is there.</summary>
    /// <inheritdoc cref="Require" path="/param"/>
    /// <exception cref="ArgumentOutOfRangeException">It is of another type.</exception>
    public ColumnFacts? Check(ColumnFacts? found, Predicate<ColumnFacts> fits)
        => found is not { } column || fits(column) ? found : throw new ArgumentOutOfRangeException(Parameter,
            $"Schema mismatch for {Role} column '{column.Name}': expected {Expected}, got {column.TypeText}. {Advice}");
}
