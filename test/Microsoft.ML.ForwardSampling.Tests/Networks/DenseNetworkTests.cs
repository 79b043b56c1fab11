using Microsoft.ML.ForwardSampling.Networks;

namespace Microsoft.ML.ForwardSampling.Tests.Networks;

public class DenseNetworkTests
{
    [Theory]
    [InlineData(1, 1)]
    [InlineData(3, 32)]
    [InlineData(784, 64)]
    [InlineData(7, 150)]
    public unsafe void Forward_EveryRowCount_MatchesTheSum(int inputs, int outputs)
    {
        var random = new Random(1);
        int panels = DenseKernel.Panels(outputs), stride = DenseKernel.Stride(outputs);
        float[] weights = Values(random, inputs * outputs), packed = new float[panels * DenseKernel.PanelWidth * inputs],
            bias = Values(random, panels * DenseKernel.PanelWidth);
        for (int i = 0; i < weights.Length; i++)
            packed[DenseKernel.IndexOf(i / outputs, i % outputs, inputs)] = weights[i];
        for (int rows = 0; rows <= 14; rows++)
        {
            int inputStride = inputs + 2;
            float[] input = Values(random, rows * inputStride), output = new float[rows * stride];
            fixed (float* x = input, w = packed, b = bias, y = output)
                DenseKernel.Forward(x, inputStride, w, b, y, stride, rows, inputs, panels);
            for (int r = 0; r < rows; r++)
            {
                for (int o = 0; o < outputs; o++)
                {
                    double expected = bias[o] + Enumerable.Range(0, inputs)
                        .Sum(k => (double)input[r * inputStride + k] * weights[k * outputs + o]);
                    Assert.Equal(expected, output[r * stride + o], 1e-5 * Math.Sqrt(inputs));
                }
            }
        }
    }

    [Theory]
    [InlineData(1)]
    [InlineData(32)]
    [InlineData(48)]
    [InlineData(1000)]
    public void Stride_HoldsThePanelsInAnOddNumberOfLines(int outputs)
    {
        Assert.InRange(DenseKernel.Stride(outputs), DenseKernel.Panels(outputs) * DenseKernel.PanelWidth, outputs + 3 * 32);
        Assert.Equal(1, DenseKernel.Stride(outputs) / 16 % 2);
        Assert.Equal(0, DenseKernel.Stride(outputs) % 16);
    }

    [Theory]
    [InlineData(Activation.ReLU, Normalization.Layer)]
    [InlineData(Activation.GELU, Normalization.None)]
    [InlineData(Activation.Tanh, Normalization.Batch)]
    [InlineData(Activation.SiLU, Normalization.Layer)]
    public void Forward_AnyBatch_GivesARowTheSameBits(Activation activation, Normalization normalization)
    {
        const int Rows = 131;
        var random = new Random(2);
        var network = new DenseNetwork(new NetworkArchitecture(13, [21, 34], 5, activation, normalization, 0f),
            name => Weights(random, name));
        float[] features = Values(random, Rows * 13);
        var scratch = new DenseNetwork.Scratch(network);
        float[] together = new float[Rows * 5], alone = new float[Rows * 5];
        network.Forward(features, Rows, together, scratch);
        for (int row = 0; row < Rows; row++)
            network.Forward(features.AsSpan(row * 13, 13), 1, alone.AsSpan(row * 5, 5), scratch);
        Assert.Equal(alone, together);
        Assert.True(together.Distinct().Count() > Rows);
    }

    [Fact]
    public void Forward_AfterWarmUp_AllocatesNothing()
    {
        var random = new Random(3);
        var network = new DenseNetwork(new NetworkArchitecture(13, [32], 2, Activation.ReLU, Normalization.None, 0f),
            name => Weights(random, name, 32, 2));
        var scratch = new DenseNetwork.Scratch(network);
        float[] features = Values(random, 100 * 13), outputs = new float[200];
        network.Forward(features, 100, outputs, scratch);
        long before = GC.GetAllocatedBytesForCurrentThread();
        network.Forward(features, 100, outputs, scratch);
        Assert.Equal(before, GC.GetAllocatedBytesForCurrentThread());
    }

    private static float[] Weights(Random random, string name, int hidden = 21, int outputs = 5)
    {
        int[] sizes = hidden == 32 ? [13, 32, outputs] : [13, 21, 34, 5];
        int layer = name["layer".Length] - '0';
        return name.EndsWith(".weight", StringComparison.Ordinal)
            ? Values(random, sizes[layer] * sizes[layer + 1])
            : [.. Values(random, sizes[layer + 1]).Select(v => name.EndsWith(".variance", StringComparison.Ordinal) ? 0.5f + v * v : v)];
    }

    private static float[] Values(Random random, int count) => [.. Enumerable.Range(0, count).Select(_ => 2f * random.NextSingle() - 1f)];
}
