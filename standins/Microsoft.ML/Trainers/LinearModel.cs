using Microsoft.ML.Data;

namespace Microsoft.ML.Trainers;

/// <summary>The numbers behind every model here: one weight vector and bias, or one of each for every class.</summary>
internal sealed record LinearModel(float[][] Weights, float[] Biases)
{
    public float Score(in VBuffer<float> features, int vector = 0) => Dot(features, Weights[vector]) + Biases[vector];

    /// <summary>The scores of all classes through a softmax.</summary>
    public float[] Probabilities(in VBuffer<float> features)
    {
        float[] scores = new float[Biases.Length];
        for (int i = 0; i < scores.Length; i++)
            scores[i] = Score(features, i);
        float largest = scores.Max(), sum = 0;
        foreach (ref float score in scores.AsSpan())
            sum += score = MathF.Exp(score - largest);
        foreach (ref float score in scores.AsSpan())
            score /= sum;
        return scores;
    }

    public static float Dot(in VBuffer<float> features, float[] weights)
    {
        double sum = 0;
        var values = features.GetValues();
        var indices = features.GetIndices();
        for (int i = 0; i < values.Length; i++)
            sum += values[i] * weights[features.IsDense ? i : indices[i]];
        return (float)sum;
    }

    public void Save(BinaryWriter writer)
    {
        writer.WriteArray(Biases);
        foreach (float[] vector in Weights)
            writer.WriteArray(vector);
    }

    public static LinearModel Load(BinaryReader reader)
    {
        float[] biases = reader.ReadArray<float>();
        return new([.. biases.Select(_ => reader.ReadArray<float>())], biases);
    }
}
