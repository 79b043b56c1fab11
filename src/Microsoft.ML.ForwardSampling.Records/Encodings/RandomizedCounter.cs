namespace Microsoft.ML.ForwardSampling.Records;

/// <summary>Counts events in one byte, at random, so that the estimate is right on average: "times trained" of a row or a
/// coefficient.</summary>
/// <remarks>
/// <para>C starts at 1 and grows by 1 with probability b⁻ᶜ at each event, b = <see cref="Base"/>. <see cref="Estimate"/> is (bᶜ − b) / (b −
/// 1): unbiased, with a relative standard deviation of about √((b − 1) / 2) ≈ 0.22 after many events. C stops at 256, an estimate of about
/// 4·10¹¹.</para>
/// <para>A struct of one byte, the number C − 1, so that <c>default</c> is a fresh counter. Source: Morris, "Counting large numbers of
/// events in small registers", 1978, as used by Golovin, Sculley, McMahan and Young, ICML 2013.</para>
/// </remarks>
public struct RandomizedCounter
{
    /// <summary>Base b of the counter.</summary>
    public const double Base = 1.1;

    private static readonly double[] s_chances = [.. Enumerable.Range(1, 256).Select(c => Math.Pow(Base, -c))];
    private static readonly double[] s_estimates = [.. Enumerable.Range(1, 256).Select(c => (Math.Pow(Base, c) - Base) / (Base - 1))];

    /// <summary>Goes on with a saved counter.</summary>
    /// <param name="code">Read from <see cref="Code"/>.</param>
    public RandomizedCounter(byte code) => Code = code;

    /// <summary>The byte to save, C − 1; 0 for a fresh counter.</summary>
    public byte Code { get; private set; }

    /// <summary>Estimated number of events, ≥ 0; its expectation is the true number.</summary>
    public readonly double Estimate => Code == 0 ? 0 : s_estimates[Code];

    /// <summary>Counts one event.</summary>
    /// <param name="random">Generator to draw from; one number an event.</param>
    public void Increment(ref RepeatableRandom random)
    {
        if (random.NextDouble() < s_chances[Code] && Code < byte.MaxValue)
            Code++;
    }
}
