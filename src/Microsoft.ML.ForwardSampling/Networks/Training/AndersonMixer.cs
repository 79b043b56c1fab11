using System.Numerics.Tensors;

namespace Microsoft.ML.ForwardSampling.Networks;

/// <summary>The stretches of <see cref="AndersonMixing"/> and the combination of them.</summary>
internal sealed class AndersonMixer
{
    private readonly AndersonMixing _options;
    private readonly List<(float[][] From, float[][] To)> _stretches = [];
    private float[][] _start;
    private int _steps;

    /// <param name="options">How stretches are mixed.</param>
    /// <param name="start">The weights.</param>
    /// <param name="previous">Where an earlier run stood, or null.</param>
    public AndersonMixer(AndersonMixing options, float[][] start, MixedTraining? previous)
    {
        _options = options;
        _start = previous?.Start ?? start;
        _steps = previous?.Steps ?? 0;
        _stretches.AddRange(previous?.Stretches.TakeLast(options.Window) ?? []);
    }

    /// <summary>Counts a step.</summary>
    /// <returns>Whether a stretch ends with it.</returns>
    public bool EndsStretch() => ++_steps >= (_options.EveryNSteps ?? int.MaxValue);

    /// <summary>Takes the stretch that ends, and combines those of the window.</summary>
    /// <param name="reached">The weights now.</param>
    /// <returns>The candidate.</returns>
    public float[][] Combine(float[][] reached)
    {
        if (_stretches.Count == _options.Window)
            _stretches.RemoveAt(0);
        _stretches.Add((_start, reached));
        double[] shares = Shares();
        float[][] mixed = [.. reached.Select(weights => new float[weights.Length])];
        for (int i = 0; i < shares.Length; i++)
        {
            (float[][] from, float[][] to) = _stretches[i];
            float ofEnd = (float)(shares[i] * _options.Mixing), ofBeginning = (float)(shares[i] * (1.0 - _options.Mixing));
            for (int part = 0; part < mixed.Length; part++)
            {
                TensorPrimitives.MultiplyAdd(to[part], ofEnd, mixed[part], mixed[part]);
                if (ofBeginning != 0f)
                    TensorPrimitives.MultiplyAdd(from[part], ofBeginning, mixed[part], mixed[part]);
            }
        }

        return mixed;
    }

    /// <summary>Begins the next stretch.</summary>
    /// <param name="start">The weights it begins with.</param>
    public void Begin(float[][] start)
    {
        _start = start;
        _steps = 0;
    }

    /// <summary>Where this stands, for a later run of the same engine.</summary>
    public MixedTraining State(Type engine) => new(engine, _start, _steps, [.. _stretches]);

    /// <summary>α: the shares, which sum to 1, of the stretches in the combination that moves least.</summary>
    private double[] Shares()
    {
        int n = _stretches.Count;
        float[][][] moves = [.. _stretches.Select(stretch => stretch.To.Select((to, part) =>
        {
            float[] move = new float[to.Length];
            TensorPrimitives.Subtract(to, stretch.From[part], move);
            return move;
        }).ToArray())];
        double[,] products = new double[n, n];
        double trace = 0;
        for (int i = 0; i < n; i++)
        {
            for (int j = 0; j <= i; j++)
                products[i, j] = products[j, i] = moves[i].Zip(moves[j], (a, b) => Dot(a, b)).Sum();
            trace += products[i, i];
        }

        if (!(trace > 0) || !double.IsFinite(trace))
            return [.. Enumerable.Range(0, n).Select(i => i == n - 1 ? 1.0 : 0.0)];   // nothing moved, or no number any more: the last
        for (int i = 0; i < n; i++)
            products[i, i] += _options.Regularization * trace;
        double[] shares = Solve(products);
        double sum = shares.Sum();
        return [.. shares.Select(share => share / sum)];
    }

    private static double Dot(float[] a, float[] b)
    {
        // Block by block in Doubles: moves of millions of weights differ in their last digits.
        const int Block = 1024;
        double sum = 0;
        for (int start = 0; start < a.Length; start += Block)
        {
            int count = Math.Min(Block, a.Length - start);
            sum += TensorPrimitives.Dot(a.AsSpan(start, count), b.AsSpan(start, count));
        }

        return sum;
    }

    /// <summary>The solution of a positive definite system whose right side is ones, by Cholesky's factors, which overwrite it.</summary>
    private static double[] Solve(double[,] a)
    {
        int n = a.GetLength(0);
        double[] z = new double[n];
        Array.Fill(z, 1.0);
        for (int i = 0; i < n; i++)
        {
            for (int j = 0; j <= i; j++)
            {
                double rest = a[i, j];
                for (int k = 0; k < j; k++)
                    rest -= a[i, k] * a[j, k];
                // Rounding may leave nothing of a diagonal that the regularisation makes positive.
                a[i, j] = i == j ? Math.Sqrt(Math.Max(rest, double.Epsilon)) : rest / a[j, j];
                if (j < i)
                    z[i] -= a[i, j] * z[j];
            }

            z[i] /= a[i, i];
        }

        for (int i = n - 1; i >= 0; i--)
        {
            for (int k = i + 1; k < n; k++)
                z[i] -= a[k, i] * z[k];
            z[i] /= a[i, i];
        }

        return z;
    }
}
