using System.Buffers;
using System.Buffers.Binary;
using System.Numerics;
using System.Security.Cryptography;
using System.Text;

namespace Microsoft.ML.ForwardSampling.Records;

/// <summary>Turns a row's name into the 64-bit key of its record.</summary>
/// <remarks>
/// <para>XXH64 with seed 0 over the bytes (UTF-8 for a string): the same key on every machine, in every language that has XXH64.</para>
/// <para>Two different names share a key with probability 2⁻⁶⁴; among n names the chance that any two do is about n²/2⁶⁵:
/// 3·10⁻⁸ for a million, 0.03 for a thousand million. Not a cryptographic hash: whoever chooses the names can make them collide.</para>
/// <para><b>A key is no secret.</b> Whoever has the records can hash all names that he thinks of, such as a list of e-mail addresses or all
/// telephone numbers, and see which of them are there. Where names are personal, give a secret: then a key is the first 8 bytes,
/// little-endian, of HMAC-SHA256 of the name under it, and says nothing to who does not have the secret. Records and labels must be keyed
/// with the same one; whoever loses it cannot join what comes later with what was before. Keys of one name stay equal to each other: they
/// show who comes again.</para>
/// <para>Source: Y. Collet, "XXH64", the xxHash specification.</para>
/// </remarks>
public static class RecordKey
{
    /// <summary>Fewest bytes of a secret.</summary>
    public const int FewestSecretBytes = 16;

    private const ulong Prime1 = 0x9E3779B185EBCA87;
    private const ulong Prime2 = 0xC2B2AE3D27D4EB4F;
    private const ulong Prime3 = 0x165667B19E3779F9;
    private const ulong Prime4 = 0x85EBCA77C2B2AE63;
    private const ulong Prime5 = 0x27D4EB2F165667C5;

    /// <summary>The key of a name.</summary>
    /// <param name="name">Any characters; a half of a surrogate pair counts as U+FFFD. No allocation up to 85 characters.</param>
    /// <returns>XXH64 of its UTF-8 bytes.</returns>
    public static ulong FromString(ReadOnlySpan<char> name)
    {
        int longest = Encoding.UTF8.GetMaxByteCount(name.Length);
        if (longest <= 258)
        {
            Span<byte> few = stackalloc byte[258];
            return FromBytes(few[..Encoding.UTF8.GetBytes(name, few)]);
        }

        byte[] many = ArrayPool<byte>.Shared.Rent(longest);
        ulong key = FromBytes(many.AsSpan(0, Encoding.UTF8.GetBytes(name, many)));
        ArrayPool<byte>.Shared.Return(many);
        return key;
    }

    /// <summary>The key of a name for those who share a secret: from the key alone nobody else finds the name, not by trying names
    /// either.</summary>
    /// <param name="name">Any characters; a half of a surrogate pair counts as U+FFFD. No allocation up to 85 characters.</param>
    /// <param name="secret">At least <see cref="FewestSecretBytes"/> bytes that nobody can guess, for example from
    /// <see cref="RandomNumberGenerator.GetBytes(int)"/>; the same for records and labels, and for ever.</param>
    /// <returns>The first 8 bytes, little-endian, of HMAC-SHA256 of its UTF-8 bytes. About a microsecond.</returns>
    /// <exception cref="ArgumentException"><paramref name="secret"/> is too short.</exception>
    public static ulong FromString(ReadOnlySpan<char> name, ReadOnlySpan<byte> secret)
    {
        int longest = Encoding.UTF8.GetMaxByteCount(name.Length);
        if (longest <= 258)
        {
            Span<byte> few = stackalloc byte[258];
            return FromBytes(few[..Encoding.UTF8.GetBytes(name, few)], secret);
        }

        byte[] many = ArrayPool<byte>.Shared.Rent(longest);
        ulong key = FromBytes(many.AsSpan(0, Encoding.UTF8.GetBytes(name, many)), secret);
        ArrayPool<byte>.Shared.Return(many, clearArray: true);
        return key;
    }

    /// <summary>The key of some bytes for those who share a secret; see
    /// <see cref="FromString(ReadOnlySpan{char}, ReadOnlySpan{byte})"/>.</summary>
    /// <param name="bytes">Any bytes, or none.</param>
    /// <param name="secret">At least <see cref="FewestSecretBytes"/> bytes.</param>
    /// <returns>The first 8 bytes, little-endian, of their HMAC-SHA256.</returns>
    /// <exception cref="ArgumentException"><paramref name="secret"/> is too short.</exception>
    public static ulong FromBytes(ReadOnlySpan<byte> bytes, ReadOnlySpan<byte> secret)
    {
        if (secret.Length < FewestSecretBytes)
            throw new ArgumentException($"A secret must have at least {FewestSecretBytes} bytes that nobody can guess. Got "
                + $"{secret.Length}.", nameof(secret));
        Span<byte> hash = stackalloc byte[HMACSHA256.HashSizeInBytes];
        HMACSHA256.HashData(secret, bytes, hash);
        return BinaryPrimitives.ReadUInt64LittleEndian(hash);
    }

    /// <summary>The key of some bytes.</summary>
    /// <param name="bytes">Any bytes, or none.</param>
    /// <returns>Their XXH64.</returns>
    public static ulong FromBytes(ReadOnlySpan<byte> bytes)
    {
        ulong hash;
        ReadOnlySpan<byte> rest = bytes;
        if (bytes.Length >= 32)
        {
            ulong a = unchecked(Prime1 + Prime2), b = Prime2, c = 0, d = unchecked(0 - Prime1);
            for (; rest.Length >= 32; rest = rest[32..])
            {
                a = Round(a, Word(rest));
                b = Round(b, Word(rest[8..]));
                c = Round(c, Word(rest[16..]));
                d = Round(d, Word(rest[24..]));
            }

            hash = BitOperations.RotateLeft(a, 1) + BitOperations.RotateLeft(b, 7) + BitOperations.RotateLeft(c, 12)
                + BitOperations.RotateLeft(d, 18);
            hash = Merge(Merge(Merge(Merge(hash, a), b), c), d);
        }
        else
        {
            hash = Prime5;
        }

        hash += (ulong)bytes.Length;
        for (; rest.Length >= 8; rest = rest[8..])
            hash = (BitOperations.RotateLeft(hash ^ Round(0, Word(rest)), 27) * Prime1) + Prime4;
        if (rest.Length >= 4)
        {
            hash = (BitOperations.RotateLeft(hash ^ (BinaryPrimitives.ReadUInt32LittleEndian(rest) * Prime1), 23) * Prime2) + Prime3;
            rest = rest[4..];
        }

        foreach (byte one in rest)
            hash = BitOperations.RotateLeft(hash ^ (one * Prime5), 11) * Prime1;

        hash = (hash ^ (hash >> 33)) * Prime2;
        hash = (hash ^ (hash >> 29)) * Prime3;
        return hash ^ (hash >> 32);
    }

    private static ulong Word(ReadOnlySpan<byte> bytes) => BinaryPrimitives.ReadUInt64LittleEndian(bytes);

    private static ulong Round(ulong lane, ulong word) => BitOperations.RotateLeft(lane + (word * Prime2), 31) * Prime1;

    private static ulong Merge(ulong hash, ulong lane) => ((hash ^ Round(0, lane)) * Prime1) + Prime4;
}
