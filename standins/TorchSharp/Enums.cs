namespace TorchSharp;

/// <summary>Where a tensor's memory is. The stand-in computes on the CPU only.</summary>
public enum DeviceType { CPU = 0, CUDA = 1 }

public static partial class torch
{
    /// <summary>Element types, numbered as in libtorch.</summary>
    public enum ScalarType : sbyte
    {
        Int64 = 4,
        Float32 = 6,
        Float64 = 7,
        Bool = 11,
    }
}
