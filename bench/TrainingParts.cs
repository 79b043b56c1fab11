using System.Runtime.Intrinsics;
using Microsoft.ML.ForwardSampling.DataViews;
using Microsoft.ML.ForwardSampling.Networks;

namespace Microsoft.ML.ForwardSampling.Benchmarks;

/// <summary>The parts of a training step on the widest layer of the training benchmark, 784 inputs and 256 outputs at batch 128, against
/// what one core can multiply and move.</summary>
internal static unsafe class TrainingParts
{
    private const int Rows = 128;
    private const int Inputs = 784;
    private const int Outputs = 256;
    private const int Rounds = 7;

    public static void Print()
    {
        int panels = DenseKernel.Panels(Outputs), stride = DenseKernel.Stride(Outputs),
            weightCount = panels * DenseKernel.PanelWidth * Inputs;
        using var x = new AlignedFloats(Rows * Inputs);
        using var y = new AlignedFloats(Rows * stride);
        using var weights = new AlignedFloats(weightCount);
        using var mean = new AlignedFloats(weightCount);
        using var square = new AlignedFloats(weightCount);
        using var gradient = new AlignedFloats(weightCount);
        using var bias = new AlignedFloats(panels * DenseKernel.PanelWidth);
        using var other = new AlignedFloats(64 << 20);
        var random = new Random(1);
        foreach (AlignedFloats values in (AlignedFloats[])[x, y, weights])
        {
            foreach (ref float value in values.Span)
                value = random.NextSingle() - 0.5f;
        }

        const double Flops = 2.0 * Rows * Inputs * Outputs;
        double peak = 2.0 * Peak(1_000_000, out _) / Best(() => Peak(1_000_000, out _));
        double copied = 2.0 * sizeof(float) * (other.Length / 2) / Best(
            () => other.Span[..(other.Length / 2)].CopyTo(other.Span[(other.Length / 2)..]));
        Console.WriteLine($"One core: {peak / 1e9:F1} GFLOP/s of multiply-adds, {copied / 1e9:F1} GB/s copied beyond the caches.");
        var table = new Table($"A layer of {Inputs} x {Outputs}, {Rows} rows", "us", "GFLOP/s", "of the peak", "GB/s");
        Tell("outputs", Best(() => DenseKernel.Forward(x.Pointer, Inputs, weights.Pointer, bias.Pointer, y.Pointer, stride, Rows, Inputs,
            panels)), Flops, 0);
        Tell("gradients of weights, written down", Best(() => Gradients(toMemory: true)), Flops, sizeof(float) * (double)weightCount);
        Tell("gradients of weights, used up by Adam", Best(() => Gradients(toMemory: false)), Flops, 6.0 * sizeof(float) * weightCount);
        Tell("Adam alone, on written gradients", Best(Update), 0, 7.0 * sizeof(float) * weightCount);

        table.Print();

        void Tell(string part, double seconds, double flops, double bytes) => table.Add(part, $"{1e6 * seconds:F0}",
            flops == 0 ? "" : $"{flops / seconds / 1e9:F1}", flops == 0 ? "" : $"{flops / seconds / peak:P0}",
            bytes == 0 ? "" : $"{bytes / seconds / 1e9:F1}");

        void Gradients(bool toMemory)
        {
            if (Lanes512.IsSupported)
                Run<Vector512<float>, Lanes512>(toMemory);
            else if (Lanes256.IsSupported)
                Run<Vector256<float>, Lanes256>(toMemory);
            else
                Run<Vector128<float>, Lanes128>(toMemory);
        }

        void Run<TVector, TLanes>(bool toMemory)
            where TLanes : struct, ILanes<TVector>
        {
            var adam = new AdamUpdate<TVector, TLanes>(0.9f, 0.999f, 0, 1, 1, 1e-3f, 1, 1e-8f);
            for (int panel = 0; panel < panels; panel++)
            {
                nint at = (nint)panel * Inputs * DenseKernel.PanelWidth;
                if (toMemory)
                    DenseKernel.WeightGradient<TVector, TLanes, GradientStore<TVector, TLanes>>(y.Pointer + panel * DenseKernel.PanelWidth,
                        stride, x.Pointer, Inputs, Rows, Inputs, new WeightMemory(null, gradient.Pointer + at, null, null),
                        default);
                else
                    DenseKernel.WeightGradient<TVector, TLanes, AdamUpdate<TVector, TLanes>>(y.Pointer + panel * DenseKernel.PanelWidth,
                        stride, x.Pointer, Inputs, Rows, Inputs, new WeightMemory(weights.Pointer, mean.Pointer, square.Pointer, null)
                            .At(at),
                        in adam);
            }
        }

        void Update()
        {
            if (Lanes512.IsSupported)
                UpdateAll<Vector512<float>, Lanes512>();
            else if (Lanes256.IsSupported)
                UpdateAll<Vector256<float>, Lanes256>();
            else
                UpdateAll<Vector128<float>, Lanes128>();
        }

        void UpdateAll<TVector, TLanes>()
            where TLanes : struct, ILanes<TVector>
        {
            var adam = new AdamUpdate<TVector, TLanes>(0.9f, 0.999f, 0, 1, 1, 1e-3f, 1, 1e-8f);
            for (int i = 0; i < weightCount; i += TLanes.Count)
                adam.Apply(new WeightMemory(weights.Pointer + i, mean.Pointer + i, square.Pointer + i, null),
                    TLanes.Load(gradient.Pointer + i));
        }
    }

    private static double Best(Action run)
    {
        const int Repeats = 20;
        return Turns.Run(Rounds, [Way.Timed("", () =>
        {
            for (int i = 0; i < Repeats; i++)
                run();
        })])[0].Best / Repeats;
    }

    /// <summary>Independent multiply-adds on registers of the widest kind; gives how many numbers were multiplied and added.</summary>
    private static double Peak(int rounds, out float sum)
    {
        if (Lanes512.IsSupported)
            return Peak<Vector512<float>, Lanes512>(rounds, out sum);
        return Lanes256.IsSupported ? Peak<Vector256<float>, Lanes256>(rounds, out sum) : Peak<Vector128<float>, Lanes128>(rounds, out sum);
    }

    private static double Peak<TVector, TLanes>(int rounds, out float sum)
        where TLanes : struct, ILanes<TVector>
    {
        TVector a = TLanes.All(0.999f), b = TLanes.All(1e-3f);
        TVector s0 = b, s1 = b, s2 = b, s3 = b, s4 = b, s5 = b, s6 = b, s7 = b, s8 = b, s9 = b;
        for (int i = 0; i < rounds; i++)
        {
            s0 = TLanes.MultiplyAdd(s0, a, b);
            s1 = TLanes.MultiplyAdd(s1, a, b);
            s2 = TLanes.MultiplyAdd(s2, a, b);
            s3 = TLanes.MultiplyAdd(s3, a, b);
            s4 = TLanes.MultiplyAdd(s4, a, b);
            s5 = TLanes.MultiplyAdd(s5, a, b);
            s6 = TLanes.MultiplyAdd(s6, a, b);
            s7 = TLanes.MultiplyAdd(s7, a, b);
            s8 = TLanes.MultiplyAdd(s8, a, b);
            s9 = TLanes.MultiplyAdd(s9, a, b);
        }

        float* all = stackalloc float[TLanes.Count];
        TLanes.Store(TLanes.Add(TLanes.Add(TLanes.Add(TLanes.Add(s0, s1), TLanes.Add(s2, s3)),
            TLanes.Add(TLanes.Add(s4, s5), TLanes.Add(s6, s7))), TLanes.Add(s8, s9)), all);
        sum = all[0];
        return 10.0 * rounds * TLanes.Count;
    }
}
