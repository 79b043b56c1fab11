using System.Runtime.InteropServices;

namespace Microsoft.ML.ForwardSampling.DataViews;

/// <summary>Zeroed numbers at the beginning of a cache line, outside the managed heap.</summary>
internal sealed unsafe class AlignedFloats : IDisposable
{
    private const nuint CacheLineBytes = 64;

    public AlignedFloats(long length)
    {
        Length = checked((int)length);
        Pointer = (float*)NativeMemory.AlignedAlloc((nuint)Math.Max(1, length) * sizeof(float), CacheLineBytes);
        Span.Clear();
    }

    ~AlignedFloats() => Free();

    public int Length { get; }

    public float* Pointer { get; private set; }

    public Span<float> Span => new(Pointer, Length);

    public void Dispose()
    {
        Free();
        GC.SuppressFinalize(this);
    }

    private void Free()
    {
        NativeMemory.AlignedFree(Pointer);
        Pointer = null;
    }
}
