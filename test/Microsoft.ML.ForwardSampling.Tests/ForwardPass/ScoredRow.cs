using Microsoft.ML.Data;

namespace Microsoft.ML.ForwardSampling.Tests.ForwardPass;

/// <summary>A row with scores to be copied into place: a model whose every figure is known.</summary>
internal sealed class ScoredRow
{
    public float RawScore { get; set; }

    public float RawProbability { get; set; } = 0.5f;

    [VectorType(3)]
    public float[] RawScores { get; set; } = [0.7f, 0.2f, 0.1f];

    public float Label { get; set; }

    public bool Flag { get; set; }

    /// <summary>0, 1, 2; 3 is a missing key.</summary>
    [KeyType(3)]
    public uint Class { get; set; }

    /// <summary>As <see cref="Class"/> with room for classes that the scores do not have.</summary>
    [KeyType(9)]
    public uint WideClass { get; set; }

    public string Text { get; set; } = "text";
}
