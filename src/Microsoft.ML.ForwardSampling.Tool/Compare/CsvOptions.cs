using System.Text;

namespace Microsoft.ML.ForwardSampling.Tool.Compare;

/// <summary>How the user's file is read.</summary>
internal sealed record CsvOptions
{
    /// <summary>Column to predict; null: none, for a profile.</summary>
    public string? Label { get; init; }

    /// <summary>What is predicted.</summary>
    public PredictionTask Task { get; init; }

    /// <summary>Columns to learn from, each value a name or a list; empty: all but the label.</summary>
    public IReadOnlyList<string> Features { get; init; } = [];

    /// <summary>Columns to leave out.</summary>
    public IReadOnlyList<string> Ignore { get; init; } = [];

    /// <summary>Columns whose numbers are names, such as codes.</summary>
    public IReadOnlyList<string> Categories { get; init; } = [];

    /// <summary>Columns that are numbers whatever else stands there: other texts are missing.</summary>
    public IReadOnlyList<string> Numbers { get; init; } = [];

    /// <summary>Words where there is no value, besides an empty field; null: the usual ones.</summary>
    public IReadOnlyList<string>? Missing { get; init; }

    /// <summary>What stands before decimals, point or comma; null: as the numbers show.</summary>
    public char? Decimal { get; init; }

    /// <summary>Of the file; null: as its first bytes say, else UTF-8.</summary>
    public Encoding? Encoding { get; init; }

    /// <summary>Whether anything that could be meant otherwise stops.</summary>
    public bool IsStrict { get; init; }

    /// <summary>Between fields; null: the one of comma, semicolon, tab and bar that the first line has most of.</summary>
    public char? Separator { get; init; }

    /// <summary>Most rows to take, every k-th of the file; null: all.</summary>
    public int? Rows { get; init; }

    /// <summary>Bytes that the features may take; null: 70 % of what is there.</summary>
    public long? MemoryLimit { get; init; }

    /// <summary>Share of the rows to test on, without a file for it.</summary>
    public double TestShare { get; init; } = 0.2;

    /// <summary>File with the rows to test on, or null.</summary>
    public string? TestFile { get; init; }
}
