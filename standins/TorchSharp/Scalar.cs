namespace TorchSharp;

/// <summary>One number handed to a tensor operation.</summary>
public sealed class Scalar : IDisposable
{
    internal Scalar(double value) => Value = value;

    internal double Value { get; }

    public static implicit operator Scalar(float value) => new(value);
    public static implicit operator Scalar(double value) => new(value);

    /// <summary>Nothing to release here; TorchSharp's own scalar holds native memory.</summary>
    public void Dispose() { }
}
