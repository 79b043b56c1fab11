namespace Microsoft.ML.ForwardSampling.Networks;

/// <summary>What is needed to build a <see cref="MultilayerPerceptron"/> again.</summary>
/// <param name="Inputs">Features of a row, 1 or more, and behind them a key for each of the <see cref="Embeddings"/>.</param>
/// <param name="HiddenLayers">Units of each hidden layer, 1 or more each.</param>
/// <param name="Outputs">Units of the last layer, 1 or more.</param>
/// <param name="Activation">Function after each hidden layer.</param>
/// <param name="Normalization">Normalisation before each activation.</param>
/// <param name="Dropout">Share of hidden units silenced in training, [0, 1).</param>
internal sealed record NetworkArchitecture(int Inputs, int[] HiddenLayers, int Outputs, Activation Activation, Normalization Normalization,
    float Dropout)
{
    /// <summary>The tables by which keys become inputs of the first layer.</summary>
    public EmbeddingShape[] Embeddings { get; init; } = [];

    /// <summary>Inputs that are no keys.</summary>
    public int Features => Inputs - Embeddings.Length;

    /// <summary>Inputs of the first layer: features and embeddings.</summary>
    public int FirstInputs => Features + Embeddings.Sum(table => table.Width);

    /// <summary>Names and shapes of the weights in <see cref="MultilayerPerceptron"/>.</summary>
    public IEnumerable<(string Name, long[] Shape)> WeightShapes()
    {
        int[] sizes = [FirstInputs, .. HiddenLayers, Outputs];
        for (int i = 0; i < sizes.Length - 1; i++)
        {
            string layer = MultilayerPerceptron.LayerName(i);
            yield return ($"{layer}.weight", [sizes[i + 1], sizes[i]]);
            string[] perUnit = i == sizes.Length - 2 || Normalization == Normalization.None ? ["bias"]
                : Normalization == Normalization.Layer ? ["bias", "scale", "shift"]
                : ["bias", "scale", "shift", "mean", "variance"];
            foreach (string part in perUnit)
                yield return ($"{layer}.{part}", [sizes[i + 1]]);
        }

        for (int i = 0; i < Embeddings.Length; i++)
            yield return ($"{MultilayerPerceptron.TableName(i)}.weight", [Embeddings[i].Keys + 1, Embeddings[i].Width]);
    }

    /// <summary>Sizes in the usual notation, such as 784-256-128-10, and what else decides what the weights mean.</summary>
    public override string ToString()
    {
        string sizes = string.Join('-', [Features, .. HiddenLayers, Outputs]);
        if (Embeddings.Length > 0)
            sizes = $"{sizes} with embeddings of {string.Join(", ", Embeddings.Select(table => $"{table.Keys} keys in {table.Width}"))},";
        return HiddenLayers.Length == 0 ? sizes : Normalization == Normalization.None ? $"{sizes} {Activation}"
            : $"{sizes} {Activation}, {Normalization.ToString().ToLowerInvariant()} normalisation";
    }
}

/// <summary>A table of learned values, one row for each key and row 0 for a missing one.</summary>
/// <param name="Keys">Keys, 1 or more.</param>
/// <param name="Width">Values of a key, 1 or more.</param>
internal sealed record EmbeddingShape(int Keys, int Width);
