using System.Buffers.Binary;
using System.Text;

namespace Microsoft.ML.ForwardSampling.Selection;

/// <summary>Saved state of a <see cref="RowSelector"/>: with it, a resumed run selects the rows that the interrupted one would have
/// selected.</summary>
/// <remarks>Equal when all parts are, the policy's bytes included.</remarks>
public sealed record RowSelectorState
{
    // "FwdR", the format's version, the length of the content, the content, CRC-32C of all before it. Little-endian.
    private const uint Magic = 0x52647746;
    private const byte Version = 1;
    private const int HeaderBytes = 4 + 1 + 4;
    private const int ChecksumBytes = 4;

    /// <summary>Name of the policy that the state belongs to.</summary>
    public required string PolicyName { get; init; }

    /// <summary>State of the selector's generator.</summary>
    public required RepeatableRandomState Random { get; init; }

    /// <summary>Counters at the time of saving.</summary>
    public required SelectionReport Report { get; init; }

    /// <summary>What the policy remembered, as its <see cref="Selection.PolicyState.Save"/> wrote it.</summary>
    /// <value>Empty (the default) for a policy that remembers nothing.</value>
    public ReadOnlyMemory<byte> PolicyState { get; init; }

    /// <summary>Reads what <see cref="Save"/> wrote, and no byte further.</summary>
    /// <param name="stream">Where from.</param>
    /// <returns>The state.</returns>
    /// <exception cref="ArgumentNullException"><paramref name="stream"/> is null.</exception>
    /// <exception cref="InvalidDataException">Not a selector's state, cut off or damaged; the message says which.</exception>
    /// <exception cref="NotSupportedException">The state is of a newer format.</exception>
    /// <exception cref="IOException">The stream cannot be read.</exception>
    public static RowSelectorState Load(Stream stream)
    {
        ArgumentNullException.ThrowIfNull(stream);
        byte[] header = ReadUpTo(stream, HeaderBytes);
        if (header.Length < HeaderBytes || BinaryPrimitives.ReadUInt32LittleEndian(header) != Magic)
            throw new InvalidDataException(
                $"This is not the saved state of a {nameof(RowSelector)}, which begins with 'FwdR', a version and a length: it begins with "
                + $"{header.Length} bytes {Convert.ToHexString(header)}.");
        long content = BinaryPrimitives.ReadUInt32LittleEndian(header.AsSpan(5));
        byte[] rest = ReadUpTo(stream, content + ChecksumBytes);
        if (rest.Length != content + ChecksumBytes)
            throw new InvalidDataException(
                $"The saved selector state has {HeaderBytes + rest.Length} bytes instead of {HeaderBytes + content + ChecksumBytes}: it "
                + $"was cut off.");
        // Length and checksum stay as they are in all versions, so that a damaged version is not taken for a newer one.
        byte[] summed = [.. header, .. rest.AsSpan(..^ChecksumBytes)];
        uint expected = BinaryPrimitives.ReadUInt32LittleEndian(rest.AsSpan(^ChecksumBytes..)), found = Crc32C.Of(summed);
        if (found != expected)
            throw new InvalidDataException($"The saved selector state is damaged: its checksum is {found:X8} instead of {expected:X8}.");
        if (header[4] != Version)
            throw new NotSupportedException(
                $"The saved selector state has format version {header[4]}; this version of Microsoft.ML.ForwardSampling reads version "
                + $"{Version}. Update the package to load it.");

        using var reader = new BinaryReader(new MemoryStream(summed[HeaderBytes..]), Encoding.UTF8);
        try
        {
            return ReadContent(reader);
        }
        catch (Exception exception) when (exception is IOException or FormatException or ArgumentException)
        {
            throw new InvalidDataException(
                "The saved selector state is damaged: its checksum is right, but its parts are longer or shorter than it is. It was not "
                + "written by this library.", exception);
        }
    }

    /// <summary>Writes the state, for a file or a database: the same bytes on every machine, with a version and a checksum; about 130 and
    /// the policy's own.</summary>
    /// <param name="stream">Where to.</param>
    /// <exception cref="ArgumentNullException"><paramref name="stream"/> is null.</exception>
    /// <exception cref="IOException">The stream cannot be written to.</exception>
    public void Save(Stream stream)
    {
        ArgumentNullException.ThrowIfNull(stream);
        var bytes = new MemoryStream();
        using var writer = new BinaryWriter(bytes, Encoding.UTF8);
        writer.Write(Magic);
        writer.Write(Version);
        writer.Write(0); // the length, once it is known
        writer.Write(PolicyName);
        writer.Write(Random.S0);
        writer.Write(Random.S1);
        writer.Write(Random.S2);
        writer.Write(Random.S3);
        writer.Write(Report.Windows);
        writer.Write(Report.RowsSeen);
        writer.Write(Report.RowsSelected);
        writer.Write(Report.RepairedRows);
        writer.Write(Report.SumOfWeights);
        writer.Write(Report.LargestWeight);
        writer.Write(Report.ExcludedRows);
        writer.Write(Report.DiscountedRows);
        writer.Write(Report.CappedRows);
        writer.Write(Report.CappedWeight);
        writer.Write(PolicyState.Length);
        writer.Write(PolicyState.Span);
        writer.Seek(5, SeekOrigin.Begin);
        writer.Write((int)bytes.Length - HeaderBytes);
        writer.Seek(0, SeekOrigin.End);
        writer.Write(Crc32C.Of(bytes.GetBuffer().AsSpan(0, (int)bytes.Length)));
        bytes.WriteTo(stream);
    }

    /// <summary>So many bytes, or those there are: a damaged length allocates no more than the stream has.</summary>
    private static byte[] ReadUpTo(Stream stream, long bytes)
    {
        var read = new MemoryStream();
        var part = new byte[(int)Math.Min(bytes, 4096)];
        while (read.Length < bytes && stream.Read(part, 0, (int)Math.Min(part.Length, bytes - read.Length)) is > 0 and int count)
            read.Write(part, 0, count);
        return read.ToArray();
    }

    private static RowSelectorState ReadContent(BinaryReader reader) => new()
    {
        PolicyName = reader.ReadString(),
        Random = new RepeatableRandomState(reader.ReadUInt64(), reader.ReadUInt64(), reader.ReadUInt64(), reader.ReadUInt64()),
        Report = new SelectionReport
        {
            Windows = reader.ReadInt64(),
            RowsSeen = reader.ReadInt64(),
            RowsSelected = reader.ReadInt64(),
            RepairedRows = reader.ReadInt64(),
            SumOfWeights = reader.ReadDouble(),
            LargestWeight = reader.ReadSingle(),
            ExcludedRows = reader.ReadInt64(),
            DiscountedRows = reader.ReadInt64(),
            CappedRows = reader.ReadInt64(),
            CappedWeight = reader.ReadDouble(),
        },
        PolicyState = ReadPolicyState(reader),
    };

    private static byte[] ReadPolicyState(BinaryReader reader)
    {
        // The last part: it ends where the content does.
        int length = reader.ReadInt32();
        long left = reader.BaseStream.Length - reader.BaseStream.Position;
        return length == left ? reader.ReadBytes(length) : throw new EndOfStreamException();
    }

    /// <summary>Whether every part is equal.</summary>
    /// <param name="other">Another state, or null.</param>
    /// <returns>True when it is.</returns>
    public bool Equals(RowSelectorState? other)
        => other is not null && PolicyName == other.PolicyName && Random == other.Random && Report == other.Report
            && PolicyState.Span.SequenceEqual(other.PolicyState.Span);

    /// <inheritdoc/>
    public override int GetHashCode() => HashCode.Combine(PolicyName, Random, Report);
}
