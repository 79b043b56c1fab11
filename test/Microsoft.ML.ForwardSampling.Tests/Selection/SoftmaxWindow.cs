using Microsoft.ML.ForwardSampling.Selection;

namespace Microsoft.ML.ForwardSampling.Tests.Selection;

/// <summary>A window whose statistics and gradients come from the same softmax outputs: what a recorder would have written, and what a
/// backward pass would find.</summary>
internal sealed record SoftmaxWindow(WindowData Data, double[][] Gradients)
{
    private const int Classes = 5;

    /// <summary>Five classes; the label's logit leads by 2.5 on average, with a spread that leaves some rows wrong and most right. The
    /// gradient is that of the outputs, p − onehot(y).</summary>
    public static SoftmaxWindow Of(int count, int seed)
    {
        var random = new RepeatableRandom(seed + 500);
        var data = new WindowData(new float[count], new float[count], new float[count], new float[count], new int[count]);
        var gradients = new double[count][];
        for (int row = 0; row < count; row++)
        {
            int label = random.NextInt(Classes);
            double[] p = [.. Enumerable.Range(0, Classes).Select(
                c => Math.Exp(3 * (random.NextDouble() - random.NextDouble()) + (c == label ? 2.5 : 0)))];
            double sum = p.Sum();
            for (int c = 0; c < Classes; c++)
                p[c] /= sum;
            double[] descending = [.. p.OrderDescending()];
            data.Label[row] = label;
            data.Loss[row] = (float)-Math.Log(p[label]);
            data.Margin[row] = (float)(descending[0] - descending[1]);
            data.Entropy[row] = (float)-p.Sum(value => value * Math.Log(value));
            gradients[row] = [.. p.Select((value, c) => c == label ? value - 1 : value)];
            data.GradientNorm[row] = (float)Math.Sqrt(gradients[row].Sum(value => value * value));
        }

        return new SoftmaxWindow(data, gradients);
    }

    /// <summary>Squared distance between the chosen rows' weighted mean gradient and the window's mean gradient.</summary>
    public double SquaredGradientError(Choice choice)
    {
        double squared = 0;
        for (int c = 0; c < Classes; c++)
        {
            double chosen = 0, all = 0;
            for (int i = 0; i < choice.Rows.Length; i++)
                chosen += choice.Weights[i] * Gradients[choice.Rows[i]][c];
            foreach (double[] gradient in Gradients)
                all += gradient[c];
            double error = chosen / choice.Rows.Length - all / Gradients.Length;
            squared += error * error;
        }

        return squared;
    }
}
