using static TorchSharp.torch;

namespace TorchSharp;

/// <summary>One number handed to a tensor operation: a whole number, a floating-point number or a truth value.</summary>
public sealed class Scalar : IDisposable
{
    internal const int Whole = 0, Floating = 1, Truth = 2;

    internal readonly int kind;
    internal readonly long bits;

    internal Scalar(int kind, long bits)
    {
        this.kind = kind;
        this.bits = bits;
    }

    public ScalarType Type => kind switch { Whole => ScalarType.Int64, Floating => ScalarType.Float64, _ => ScalarType.Bool };

    internal double AsDouble => kind == Floating ? BitConverter.Int64BitsToDouble(bits) : bits;
    internal long AsInt64 => kind == Floating ? (long)BitConverter.Int64BitsToDouble(bits) : bits;

    public static implicit operator Scalar(byte value) => new(Whole, value);
    public static implicit operator Scalar(sbyte value) => new(Whole, value);
    public static implicit operator Scalar(short value) => new(Whole, value);
    public static implicit operator Scalar(int value) => new(Whole, value);
    public static implicit operator Scalar(long value) => new(Whole, value);
    public static implicit operator Scalar(float value) => new(Floating, BitConverter.DoubleToInt64Bits(value));
    public static implicit operator Scalar(double value) => new(Floating, BitConverter.DoubleToInt64Bits(value));
    public static implicit operator Scalar(bool value) => new(Truth, value ? 1 : 0);

    /// <summary>Nothing to release here; TorchSharp's own scalar holds native memory.</summary>
    public void Dispose() { }
}

/// <summary>Conversions between numbers and <see cref="Scalar"/>.</summary>
public static class ScalarExtensionMethods
{
    public static Scalar ToScalar(this int value) => value;
    public static Scalar ToScalar(this long value) => value;
    public static Scalar ToScalar(this float value) => value;
    public static Scalar ToScalar(this double value) => value;
    public static Scalar ToScalar(this bool value) => value;

    public static float ToSingle(this Scalar value) => (float)value.AsDouble;
    public static double ToDouble(this Scalar value) => value.AsDouble;
    public static int ToInt32(this Scalar value) => (int)value.AsInt64;
    public static long ToInt64(this Scalar value) => value.AsInt64;
    public static bool ToBoolean(this Scalar value) => value.AsDouble != 0;
}
