using System.Buffers.Binary;
using System.Security.Cryptography;

namespace Microsoft.ML.ForwardSampling.Records;

/// <summary>What a record's random number decides. Each purpose has sequences of its own, whatever seeds the options give; 0 is
/// selection's.</summary>
internal enum DrawPurpose : byte
{
    /// <summary>Whether a scored row is recorded.</summary>
    Keeping = 1,

    /// <summary>Which records a full writer drops.</summary>
    Thinning = 2,

    /// <summary>The way a statistic is rounded.</summary>
    Rounding = 3,

    /// <summary>Whether a counter goes on.</summary>
    Counting = 4,
}

/// <summary>The generators of records: no two of different purpose, seed or stream draw alike.</summary>
/// <remarks>A draw that repeats is a bias: with one seed for every view and every process, a service that records one row a request would
/// decide the same for each of them.</remarks>
internal static class RecordDraws
{
    /// <summary>A generator.</summary>
    /// <param name="purpose">What its numbers decide.</param>
    /// <param name="seed">For draws that can be repeated; null: seeded by the system, unlike every other.</param>
    /// <param name="stream">Which of the generators of that seed, below 2²⁴.</param>
    public static RepeatableRandom Start(DrawPurpose purpose, int? seed, long stream = 0)
        => new(seed is { } given ? SeedOf(purpose, given, stream) : SystemSeed());

    /// <summary>The seed behind <see cref="Start"/>: the purpose in the highest byte, then the stream, then the seed.</summary>
    public static ulong SeedOf(DrawPurpose purpose, int seed, long stream)
        => ((ulong)purpose << 56) | (((ulong)stream & 0xff_ffff) << 32) | (uint)seed;

    private static ulong SystemSeed()
    {
        Span<byte> bytes = stackalloc byte[sizeof(ulong)];
        RandomNumberGenerator.Fill(bytes);
        return BinaryPrimitives.ReadUInt64LittleEndian(bytes);
    }
}
