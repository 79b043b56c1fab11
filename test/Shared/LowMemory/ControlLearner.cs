using Microsoft.ML.ForwardSampling.LowMemory;

namespace Microsoft.ML.ForwardSampling.Tests.LowMemory;

/// <summary>The learner with other memories, to compare with: what randomized rounding and counting cost, and what nearest rounding
/// would.</summary>
internal sealed class ControlLearner
{
    private readonly ICoefficients _coefficients;

    private ControlLearner(string name, OnlineLearner learner, ICoefficients coefficients, int bytes)
    {
        Name = name;
        Learner = learner;
        _coefficients = coefficients;
        Bytes = bytes;
        learner.Random = new RepeatableRandom(1);
    }

    public string Name { get; }

    public OnlineLearner Learner { get; }

    /// <summary>Bytes a coefficient.</summary>
    public int Bytes { get; }

    public static ControlLearner Float(int slots, double rate)
        => Create("float, exact counts", new FloatCoefficients(new float[slots]), new ExactCounts(new float[slots], rate, 0), rate, 8);

    public static ControlLearner FixedExact(int slots, double rate)
        => Create("q2.13 randomized, exact counts", new FixedGridCoefficients(new short[slots], new(2, 13)),
            new ExactCounts(new float[slots], rate, new FixedPointFormat(2, 13).Step), rate, 6);

    public static ControlLearner Fixed(int slots, double rate, int fractionBits)
    {
        var format = new FixedPointFormat(2, fractionBits);
        return Create($"{format} randomized, 8-bit counters", new FixedGridCoefficients(new short[slots], format),
            new RandomizedCounts(new byte[slots], rate, format.Step), rate, 3);
    }

    public static ControlLearner Adaptive(int slots, double rate)
    {
        var format = new FixedPointFormat(2, 13);
        return Create("q2.13 randomized, adaptive grid, 8-bit counters", new AdaptiveGridCoefficients(new short[slots], format),
            new RandomizedCounts(new byte[slots], rate, format.Step), rate, 3);
    }

    public static ControlLearner Nearest(int slots, double rate, int fractionBits)
    {
        var format = new FixedPointFormat(2, fractionBits);
        return Create($"{format} nearest, 8-bit counters", new NearestGridCoefficients(new short[slots], format),
            new RandomizedCounts(new byte[slots], rate, format.Step), rate, 3);
    }

    /// <summary>Mean logistic loss of one pass, each row scored before it is learned from.</summary>
    public double Learn(ClickStream clicks)
    {
        for (int row = 0; row < clicks.Rows.Count; row++)
            Learner.TryLearn(clicks.Rows[row], clicks.ValuesOf(row), clicks.Clicked[row] ? 1 : 0, 1);
        return Learner.LossSum / Learner.WeightSum;
    }

    /// <summary>Mean logistic loss of rows that are not learned from.</summary>
    public double LossOf(ClickStream clicks)
    {
        double sum = 0;
        for (int row = 0; row < clicks.Rows.Count; row++)
            sum += OnlineLogisticLoss.Of(Learner.Intercept + clicks.Rows[row].Sum(_coefficients.Read) * _coefficients.Unit,
                clicks.Clicked[row] ? 1 : 0);
        return sum / clicks.Rows.Count;
    }

    private static ControlLearner Create<TCoefficients, TCounts>(string name, TCoefficients coefficients, TCounts counts, double rate,
        int bytes)
        where TCoefficients : struct, ICoefficients
        where TCounts : struct, ICounts
        => new(name, new OnlineLearner<TCoefficients, TCounts, OnlineLogisticLoss>(coefficients, counts, rate), coefficients, bytes);

    private readonly struct FloatCoefficients(float[] values) : ICoefficients
    {
        public double Unit => 1;

        public double Read(int index) => values[index];

        public bool Move(int index, double step, double rate, double random)
        {
            values[index] += (float)step;
            return false;
        }
    }

    private readonly struct NearestGridCoefficients(short[] codes, FixedPointFormat format) : ICoefficients
    {
        public double Unit => format.Step;

        public double Read(int index) => codes[index];

        public bool Move(int index, double step, double rate, double random)
        {
            codes[index] = (short)Math.Clamp(Math.Round(codes[index] + step), format.Smallest, format.Largest);
            return false;
        }
    }

    private readonly struct ExactCounts(float[] counts, double learningRate, double leastRate) : ICounts
    {
        public double Rate(int index) => Math.Max(leastRate, learningRate / Math.Sqrt(counts[index] + 1));

        public void Count(int index, double weight, ulong random) => counts[index] += (float)weight;
    }
}
