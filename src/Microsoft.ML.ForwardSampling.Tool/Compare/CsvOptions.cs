namespace Microsoft.ML.ForwardSampling.Tool.Compare;

/// <summary>How the user's file is read.</summary>
internal sealed record CsvOptions
{
    /// <summary>Column to predict.</summary>
    public required string Label { get; init; }

    /// <summary>What is predicted.</summary>
    public required PredictionTask Task { get; init; }

    /// <summary>Columns to learn from; empty: all but the label.</summary>
    public IReadOnlyList<string> Features { get; init; } = [];

    /// <summary>Columns to leave out.</summary>
    public IReadOnlyList<string> Ignore { get; init; } = [];

    /// <summary>Columns whose numbers are names, such as codes.</summary>
    public IReadOnlyList<string> Categories { get; init; } = [];

    /// <summary>Between fields; null: the one of comma, semicolon, tab and bar that the first line has most of.</summary>
    public char? Separator { get; init; }

    /// <summary>Share of the rows to test on, without a file for it.</summary>
    public double TestShare { get; init; } = 0.2;

    /// <summary>File with the rows to test on, or null.</summary>
    public string? TestFile { get; init; }
}
