namespace Microsoft.ML.ForwardSampling.LowMemory;

/// <summary>Where a learner keeps its coefficients, and how they are rounded. A struct, so that the loop is compiled for each.</summary>
internal interface ICoefficients
{
    /// <summary>What one unit of <see cref="Read"/> and <see cref="Move"/> is worth.</summary>
    double Unit { get; }

    double Read(int index);

    /// <summary>Adds a step and rounds.</summary>
    /// <param name="index">Which coefficient.</param>
    /// <param name="step">In units.</param>
    /// <param name="rate">The coefficient's learning rate, in units.</param>
    /// <param name="random">Uniform on the multiples of 2⁻²⁴ in [0, 1).</param>
    /// <returns>Whether the range kept it from going all the way.</returns>
    bool Move(int index, double step, double rate, double random);
}

/// <summary>Codes of 16 bits, rounded at random to every multiple of the step.</summary>
/// <remarks>⌊v + u⌋ with u uniform in [0, 1) is one above ⌊v⌋ with probability v − ⌊v⌋, so E[rounded] = v, and a v on the grid stays: what
/// <see cref="Records.RandomizedRounding"/> does, without a branch.</remarks>
internal readonly struct FixedGridCoefficients(short[] codes, FixedPointFormat format) : ICoefficients
{
    private readonly int _smallest = format.Smallest;
    private readonly int _largest = format.Largest;

    public double Unit { get; } = format.Step;

    public double Read(int index) => codes[index];

    public bool Move(int index, double step, double rate, double random)
    {
        double rounded = Math.Floor(codes[index] + step + random);
        bool clamped = rounded > _largest || rounded < _smallest;
        codes[index] = (short)(clamped ? Math.Clamp(rounded, _smallest, _largest) : rounded);
        return clamped;
    }
}

/// <summary>Codes of 16 bits, rounded at random to multiples of the largest power of two not above the learning rate (γ = 1).</summary>
internal readonly struct AdaptiveGridCoefficients(short[] codes, FixedPointFormat format) : ICoefficients
{
    private readonly int _smallest = format.Smallest;
    private readonly int _largest = format.Largest;

    public double Unit { get; } = format.Step;

    public double Read(int index) => codes[index];

    public bool Move(int index, double step, double rate, double random)
    {
        double grid = Grid(rate, _largest);
        double rounded = Math.Floor((codes[index] + step) / grid + random) * grid;
        bool clamped = rounded > _largest || rounded < _smallest;
        // -Smallest is a power of two and so on every grid; the largest value on it is one step of the grid below that.
        codes[index] = (short)(clamped ? Math.Clamp(rounded, _smallest, -_smallest - grid) : rounded);
        return clamped;
    }

    /// <summary>The step of the grid in units, from 1 to a quarter of the range.</summary>
    internal static double Grid(double rate, int largest) => 1 << Math.Clamp(Math.ILogB(rate), 0, Math.ILogB(largest) - 1);
}
