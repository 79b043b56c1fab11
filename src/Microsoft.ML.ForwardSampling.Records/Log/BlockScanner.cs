using Microsoft.Win32.SafeHandles;

namespace Microsoft.ML.ForwardSampling.Records;

/// <summary>Finds the whole blocks of a segment one after the other, whatever stands between them.</summary>
/// <remarks>
/// <para>What is no whole block is damage only when a whole block follows; otherwise it may still be being written, and the scanner stays
/// in front of it. A damaged block's length is not believed: the search for the next one begins right behind its first byte.</para>
/// <para>Memory: one buffer of at most 256 KiB, or 1 MiB once a block is longer than that.</para>
/// </remarks>
internal sealed class BlockScanner
{
    private const int UsualBytes = 256 << 10;

    private byte[] _buffer = [];
    private long _start;
    private int _count;
    private long _searched;

    /// <summary>Everything before is dealt with.</summary>
    public long Offset { get; private set; }

    /// <summary>Bytes skipped in front of the latest block, because they were no whole block.</summary>
    public long Damaged { get; private set; }

    public void MoveTo(long offset)
    {
        Offset = offset;
        _searched = 0;
        Forget();
    }

    /// <summary>To be called when the file may have grown.</summary>
    public void Forget() => _count = 0;

    /// <summary>The next whole block.</summary>
    /// <param name="file">The segment.</param>
    /// <param name="length">Its length; what a writer adds meanwhile is left for later.</param>
    /// <param name="header">Out, the block's header.</param>
    /// <param name="block">Out, the block's bytes; valid until the next call.</param>
    /// <returns>False when there is none up to <paramref name="length"/>.</returns>
    public bool TryNext(SafeFileHandle file, long length, out BlockHeader header, out ReadOnlySpan<byte> block)
    {
        if (Read(file, Offset, length, out header, out block) == Found.Whole)
        {
            Damaged = 0;
            Offset += header.Bytes;
            return true;
        }

        long candidate = long.MaxValue;
        long at = Math.Max(Offset + 1, _searched);
        while (length - at >= BlockFormat.HeaderBytes)
        {
            ReadOnlySpan<byte> window = Window(file, at, BlockFormat.HeaderBytes, length);
            if (window.Length < BlockFormat.HeaderBytes)
                break;
            int hit = window.IndexOf(BlockFormat.Magic);
            if (hit < 0)
            {
                at += window.Length - (BlockFormat.Magic.Length - 1);
                continue;
            }

            at += hit;
            Found found = Read(file, at, length, out header, out block);
            if (found == Found.Whole)
            {
                Damaged = at - Offset;
                Offset = at + header.Bytes;
                _searched = 0;
                return true;
            }

            if (found == Found.Unfinished)
                candidate = Math.Min(candidate, at);
            at++;
        }

        _searched = Math.Min(candidate, Math.Max(_searched, length - BlockFormat.HeaderBytes + 1));
        header = default;
        block = default;
        return false;
    }

    private Found Read(SafeFileHandle file, long at, long length, out BlockHeader header, out ReadOnlySpan<byte> block)
    {
        block = default;
        if (!BlockFormat.TryReadHeader(Window(file, at, BlockFormat.HeaderBytes, length), out header))
            return length - at < BlockFormat.HeaderBytes ? Found.Unfinished : Found.Nothing;
        ReadOnlySpan<byte> window = Window(file, at, header.Bytes, length);
        if (window.Length < header.Bytes)
            return Found.Unfinished;
        block = window[..header.Bytes];
        if (BlockFormat.IsWhole(block, in header))
            return Found.Whole;
        return at + header.Bytes == length ? Found.Unfinished : Found.Nothing; // the last one may be half visible
    }

    /// <summary>Bytes from an offset on: at least as many as asked for, or up to the file's end.</summary>
    private ReadOnlySpan<byte> Window(SafeFileHandle file, long at, int bytes, long length)
    {
        bytes = (int)Math.Min(bytes, Math.Max(0, length - at));
        if (at < _start || at + bytes > _start + _count)
        {
            int room = bytes > UsualBytes ? ForwardRecordLogOptions.LargestBlockBytes : (int)Math.Min(UsualBytes, length - at);
            if (_buffer.Length < room)
                _buffer = new byte[room];
            _start = at;
            _count = 0;
            int wanted = (int)Math.Min(_buffer.Length, length - at);
            while (_count < wanted)
            {
                int read = RandomAccess.Read(file, _buffer.AsSpan(_count, wanted - _count), at + _count);
                if (read == 0)
                    break;
                _count += read;
            }
        }

        int from = (int)(at - _start);
        return _buffer.AsSpan(0, _count)[Math.Min(from, _count)..];
    }

    private enum Found
    {
        Nothing,
        Unfinished,
        Whole,
    }
}
