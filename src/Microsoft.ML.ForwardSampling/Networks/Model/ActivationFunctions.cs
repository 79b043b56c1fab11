using System.Numerics;
using System.Numerics.Tensors;

namespace Microsoft.ML.ForwardSampling.Networks;

/// <summary>The functions between two layers, and their derivatives, on plain memory.</summary>
internal static class ActivationFunctions
{
    /// <summary>Each value becomes the function of it.</summary>
    public static void Apply(Activation activation, Span<float> units)
    {
        switch (activation)
        {
            case Activation.ReLU:
                TensorPrimitives.Max(units, 0f, units);
                break;
            case Activation.Tanh:
                TensorPrimitives.Tanh<float>(units, units);
                break;
            case Activation.Sigmoid:
                TensorPrimitives.Sigmoid<float>(units, units);
                break;
            case Activation.LeakyReLU:
                foreach (ref float x in units)
                    x = x > 0f ? x : 0.01f * x;
                break;
            case Activation.ELU:
                foreach (ref float x in units)
                    x = x > 0f ? x : MathF.Exp(x) - 1f;
                break;
            case Activation.SiLU:
                foreach (ref float x in units)
                    x /= 1f + MathF.Exp(-x);
                break;
            case Activation.GELU:
                foreach (ref float x in units)
                    x = (float)(0.5 * x * (1 + Erf(x / Math.Sqrt(2))));
                break;
            default:
                throw new InvalidOperationException($"Activation {activation} has no function.");
        }
    }

    /// <summary>Whether <see cref="MultiplyByDerivative"/> needs what the function was applied to; otherwise its result is
    /// enough.</summary>
    public static bool DerivativeNeedsInput(Activation activation) => activation is Activation.SiLU or Activation.GELU;

    /// <summary>Multiplies gradients by the function's derivative.</summary>
    /// <param name="activation">The function.</param>
    /// <param name="units">What the function gave, or what it was applied to: see <see cref="DerivativeNeedsInput"/>.</param>
    /// <param name="gradient">In: of the function's results. Out: of what it was applied to.</param>
    public static void MultiplyByDerivative(Activation activation, ReadOnlySpan<float> units, Span<float> gradient)
    {
        units = units[..gradient.Length];
        switch (activation)
        {
            case Activation.ReLU:
                MultiplyWhereNotPositive(units, gradient, 0f);
                break;
            case Activation.LeakyReLU:
                MultiplyWhereNotPositive(units, gradient, 0.01f);
                break;
            case Activation.ELU:
                for (int i = 0; i < gradient.Length; i++)
                    gradient[i] *= units[i] > 0f ? 1f : units[i] + 1f;
                break;
            case Activation.Tanh:
                for (int i = 0; i < gradient.Length; i++)
                    gradient[i] *= 1f - units[i] * units[i];
                break;
            case Activation.Sigmoid:
                for (int i = 0; i < gradient.Length; i++)
                    gradient[i] *= units[i] * (1f - units[i]);
                break;
            case Activation.SiLU:
                for (int i = 0; i < gradient.Length; i++)
                {
                    float share = 1f / (1f + MathF.Exp(-units[i]));
                    gradient[i] *= share * (1f + units[i] * (1f - share));
                }

                break;
            case Activation.GELU:
                for (int i = 0; i < gradient.Length; i++)
                {
                    double x = units[i];
                    gradient[i] *= (float)(0.5 * (1 + Erf(x / Math.Sqrt(2))) + x * Math.Exp(-0.5 * x * x) / Math.Sqrt(2 * Math.PI));
                }

                break;
            default:
                throw new InvalidOperationException($"Activation {activation} has no derivative.");
        }
    }

    // Signs of units are as good as random: without vectors half of the branches would be guessed wrongly.
    private static void MultiplyWhereNotPositive(ReadOnlySpan<float> units, Span<float> gradient, float factor)
    {
        int i = 0;
        for (; i <= gradient.Length - Vector<float>.Count; i += Vector<float>.Count)
        {
            var g = new Vector<float>(gradient[i..]);
            Vector.ConditionalSelect(Vector.GreaterThan(new Vector<float>(units[i..]), Vector<float>.Zero), g, g * factor)
                .CopyTo(gradient[i..]);
        }

        for (; i < gradient.Length; i++)
            gradient[i] *= units[i] > 0f ? 1f : factor;
    }

    /// <summary>The error function to double precision: a series near zero, the continued fraction of its complement beyond.</summary>
    private static double Erf(double x)
    {
        double a = Math.Abs(x);
        if (a > 6)
            return Math.Sign(x);
        double result;
        if (a < 2.5)
        {
            // Series 2/sqrt(pi) * sum (-1)^n x^(2n+1) / (n! (2n+1)), in the form without cancellation: exp(-x^2) * sum 2^n x^(2n+1) /
            // (2n+1)!!
            double term = a, sum = a;
            for (int n = 1; term > sum * 1e-17; n++)
            {
                term *= 2 * a * a / (2 * n + 1);
                sum += term;
            }

            result = 2 / Math.Sqrt(Math.PI) * Math.Exp(-a * a) * sum;
        }
        else
        {
            // Continued fraction of erfc, from the back.
            double fraction = 0;
            for (int n = 60; n > 0; n--)
                fraction = n / 2.0 / (a + fraction);
            result = 1 - Math.Exp(-a * a) / Math.Sqrt(Math.PI) / (a + fraction);
        }

        return x < 0 ? -result : result;
    }
}
