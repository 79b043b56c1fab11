namespace Microsoft.ML.ForwardSampling.NotebookRunner;

/// <summary>One cell of a notebook.</summary>
/// <param name="IsCode">C# code; else Markdown.</param>
/// <param name="Text">Its lines, joined by \n, without one at the end.</param>
internal sealed record Cell(bool IsCode, string Text)
{
    /// <summary>What its last run gave; none for Markdown.</summary>
    public IReadOnlyList<CellOutput> Outputs { get; init; } = [];
}
