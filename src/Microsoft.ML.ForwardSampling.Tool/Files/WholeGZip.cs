using System.IO.Compression;

namespace Microsoft.ML.ForwardSampling.Tool.Files;

/// <summary>What a gzip file holds, and an error where it was cut.</summary>
/// <remarks>.NET's <see cref="GZipStream"/> ends without a word where the bytes end. So another gzip member is read behind them: it comes
/// out whole where the last one before it ended.</remarks>
internal sealed class WholeGZip : Stream
{
    private static readonly byte[] s_mark = "whole until here"u8.ToArray();
    private static readonly byte[] s_member = Pack(s_mark);

    private readonly string _name;
    private readonly GZipStream _bytes;
    private readonly byte[] _held;                          // what may be the mark is not given out
    private int _start;
    private int _count;
    private bool _isEnded;

    /// <param name="name">What messages call the file.</param>
    /// <param name="packed">Its bytes; closed with this.</param>
    public WholeGZip(string name, Stream packed)
    {
        _name = name;
        _bytes = new GZipStream(new Behind(packed, s_member), CompressionMode.Decompress);
        _held = new byte[(1 << 16) + s_mark.Length];
    }

    public override bool CanRead => true;

    public override bool CanSeek => false;

    public override bool CanWrite => false;

    public override long Length => throw new NotSupportedException();

    public override long Position { get => throw new NotSupportedException(); set => throw new NotSupportedException(); }

    public override int Read(byte[] buffer, int offset, int count) => Read(buffer.AsSpan(offset, count));

    public override int Read(Span<byte> buffer)
    {
        while (!_isEnded && _count <= s_mark.Length)
            Fill();
        int given = Math.Min(buffer.Length, _count - (_isEnded ? 0 : s_mark.Length));
        _held.AsSpan(_start, given).CopyTo(buffer);
        (_start, _count) = (_start + given, _count - given);
        return given;
    }

    public override void Flush()
    {
    }

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    protected override void Dispose(bool disposing)
    {
        if (disposing)
            _bytes.Dispose();
        base.Dispose(disposing);
    }

    private void Fill()
    {
        _held.AsSpan(_start, _count).CopyTo(_held);
        _start = 0;
        int read;
        try
        {
            read = _bytes.Read(_held, _count, _held.Length - _count);
        }
        catch (InvalidDataException e)
        {
            throw Cut(e);
        }

        _count += read;
        if (read > 0)
            return;
        if (_count < s_mark.Length || !_held.AsSpan(_count - s_mark.Length, s_mark.Length).SequenceEqual(s_mark))
            throw Cut(null);
        _count -= s_mark.Length;
        _isEnded = true;
    }

    private InvalidDataException Cut(InvalidDataException? e)
        => new($"{_name} is not a whole gzip file: it is damaged, was cut, or other bytes follow it.", e);

    private static byte[] Pack(byte[] bytes)
    {
        using var packed = new MemoryStream();
        using (var gzip = new GZipStream(packed, CompressionLevel.NoCompression))
            gzip.Write(bytes);
        return packed.ToArray();
    }

    /// <summary>A stream, and bytes behind its last.</summary>
    private sealed class Behind(Stream first, byte[] then) : Stream
    {
        private int _given;

        public override bool CanRead => true;

        public override bool CanSeek => false;

        public override bool CanWrite => false;

        public override long Length => throw new NotSupportedException();

        public override long Position { get => throw new NotSupportedException(); set => throw new NotSupportedException(); }

        public override int Read(byte[] buffer, int offset, int count)
        {
            int read = first.Read(buffer, offset, count);
            if (read > 0)
                return read;
            read = Math.Min(count, then.Length - _given);
            then.AsSpan(_given, read).CopyTo(buffer.AsSpan(offset));
            _given += read;
            return read;
        }

        public override void Flush()
        {
        }

        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

        public override void SetLength(long value) => throw new NotSupportedException();

        public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

        protected override void Dispose(bool disposing)
        {
            if (disposing)
                first.Dispose();
            base.Dispose(disposing);
        }
    }
}
