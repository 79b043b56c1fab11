using System.Buffers.Binary;

namespace Microsoft.ML.ForwardSampling.Records;

/// <summary>Loss, gradient norm and "times trained" of every row of a training set, in 3 to 5 bytes a row, held in memory: the row's number
/// takes the place of the key.</summary>
/// <remarks>
/// <para>A statistic x in [0, L] is stored as a whole number of steps L·2⁻ᵇ, b = <see cref="CompactStatisticsOptions.Bits"/>, rounded up or
/// down at random so that it is right on average (<see cref="RandomizedRounding"/> in Q1.(b − 1) of 2x/L): window means and sums stay
/// unbiased. The last code means "not known" and reads NaN, as does a row that was never set. A statistic outside [0, L − 2 steps] becomes
/// the nearer end, which is a bias, and is counted in <see cref="Clamped"/>.</para>
/// <para>"Times trained" is a <see cref="RandomizedCounter"/>: one byte, unbiased, relative standard deviation about 0.22.</para>
/// <para>Same options, same calls in the same order: same bytes. Not thread-safe. No allocation after construction.
/// Sources: Golovin, Sculley, McMahan and Young, ICML 2013, for the encodings.</para>
/// </remarks>
public sealed class CompactStatistics
{
    private const int HeaderBytes = 32;

    private readonly byte[] _rows;
    private readonly int _unknown;
    private readonly double _lossScale;
    private readonly double _gradientNormScale;
    private readonly RandomizedRounding _rounding;
    private readonly uint _loads;                               // saved, so that no session repeats the draws of an earlier one
    private RepeatableRandom _random;

    /// <summary>Makes room for rows of which nothing is known yet.</summary>
    /// <param name="rows">Number of rows, at least 0; times <see cref="BytesPerRow"/> at most 2,147,483,591 bytes, the longest
    /// array.</param>
    /// <param name="options">Bits, ranges and seed; left out, the defaults.</param>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="rows"/> is out of its range.</exception>
    public CompactStatistics(int rows, CompactStatisticsOptions? options = null)
        : this(rows, options, loads: 0)
    {
    }

    private CompactStatistics(int rows, CompactStatisticsOptions? options, uint loads)
    {
        Options = options ?? new CompactStatisticsOptions();
        BytesPerRow = (Options.Bits / 4) + 1;
        Rows = Require.InRange(rows, 0, Array.MaxLength / BytesPerRow, nameof(CompactStatistics), nameof(rows));
        _unknown = (1 << Options.Bits) - 1;
        _lossScale = 2.0 / (float)Options.LargestLoss;
        _gradientNormScale = 2.0 / (float)Options.LargestGradientNorm;
        _loads = loads;
        _rounding = new RandomizedRounding(1, Options.Bits - 1, RecordDraws.Start(DrawPurpose.Rounding, Options.Seed, loads));
        _random = RecordDraws.Start(DrawPurpose.Counting, Options.Seed, loads);
        _rows = new byte[rows * BytesPerRow];
        for (int row = 0; row < rows; row++)
            Write(row, _unknown, _unknown);
    }

    /// <summary>How rows are stored.</summary>
    public CompactStatisticsOptions Options { get; }

    /// <summary>Number of rows.</summary>
    public int Rows { get; }

    /// <summary>Bytes that a row takes, in memory and in a file: 3, 4 or 5.</summary>
    public int BytesPerRow { get; }

    /// <summary>Statistics set so far that were outside their range; a row of which both were counts twice.</summary>
    public long Clamped { get; private set; }

    /// <summary>Stores what a forward pass says about a row.</summary>
    /// <param name="row">In [0, <see cref="Rows"/>).</param>
    /// <param name="loss">Loss ≥ 0; NaN when it is not known.</param>
    /// <param name="gradientNorm">Gradient-norm bound ≥ 0; NaN when it is not known.</param>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="row"/> is out of its range.</exception>
    public void Set(int row, float loss, float gradientNorm)
    {
        ThrowUnlessRow(row);
        Write(row, Code(loss * _lossScale), Code(gradientNorm * _gradientNormScale));
    }

    /// <summary>The loss of a row.</summary>
    /// <param name="row">In [0, <see cref="Rows"/>).</param>
    /// <returns>A whole number of steps of
    /// <see cref="CompactStatisticsOptions.LargestLoss"/>·2^−<see cref="CompactStatisticsOptions.Bits"/>; NaN when it is not
    /// known.</returns>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="row"/> is out of its range.</exception>
    public float Loss(int row)
    {
        ThrowUnlessRow(row);
        return Value(Codes(row).Loss, _lossScale);
    }

    /// <summary>The gradient-norm bound of a row.</summary>
    /// <param name="row">In [0, <see cref="Rows"/>).</param>
    /// <returns>A whole number of steps of
    /// <see cref="CompactStatisticsOptions.LargestGradientNorm"/>·2^−<see cref="CompactStatisticsOptions.Bits"/>; NaN when it is not
    /// known.</returns>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="row"/> is out of its range.</exception>
    public float GradientNorm(int row)
    {
        ThrowUnlessRow(row);
        return Value(Codes(row).GradientNorm, _gradientNormScale);
    }

    /// <summary>Reads rows one after the other: a window for a policy.</summary>
    /// <param name="firstRow">The first row, in [0, <see cref="Rows"/>].</param>
    /// <param name="loss">Out: losses.</param>
    /// <param name="gradientNorm">Out: gradient norms, as many as losses.</param>
    /// <exception cref="ArgumentOutOfRangeException">There are not that many rows from <paramref name="firstRow"/> on.</exception>
    /// <exception cref="ArgumentException">The spans differ in length.</exception>
    public void Read(int firstRow, Span<float> loss, Span<float> gradientNorm)
    {
        if (firstRow < 0 || loss.Length > Rows - firstRow)
            throw new ArgumentOutOfRangeException(nameof(firstRow), firstRow,
                $"There are {Rows} rows, not {loss.Length} from row {firstRow} on.");
        if (gradientNorm.Length != loss.Length)
            throw new ArgumentException($"There is room for {loss.Length} losses and {gradientNorm.Length} gradient norms.",
                nameof(gradientNorm));
        for (int i = 0; i < loss.Length; i++)
        {
            (int lossCode, int gradientNormCode) = Codes(firstRow + i);
            loss[i] = Value(lossCode, _lossScale);
            gradientNorm[i] = Value(gradientNormCode, _gradientNormScale);
        }
    }

    /// <summary>Counts that a row was trained on once more.</summary>
    /// <param name="row">In [0, <see cref="Rows"/>).</param>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="row"/> is out of its range.</exception>
    public void CountTraining(int row)
    {
        ThrowUnlessRow(row);
        ref byte code = ref _rows[(row * BytesPerRow) + BytesPerRow - 1];
        var counter = new RandomizedCounter(code);
        counter.Increment(ref _random);
        code = counter.Code;
    }

    /// <summary>About how often a row was trained on.</summary>
    /// <param name="row">In [0, <see cref="Rows"/>).</param>
    /// <returns>Unbiased estimate, ≥ 0: <see cref="RandomizedCounter.Estimate"/>.</returns>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="row"/> is out of its range.</exception>
    public double TimesTrained(int row)
    {
        ThrowUnlessRow(row);
        return new RandomizedCounter(_rows[(row * BytesPerRow) + BytesPerRow - 1]).Estimate;
    }

    /// <summary>Writes a header of 32 bytes and the rows as they stand in memory.</summary>
    /// <param name="stream">Where to.</param>
    /// <exception cref="ArgumentNullException"><paramref name="stream"/> is null.</exception>
    /// <exception cref="IOException">The stream cannot be written to.</exception>
    public void Save(Stream stream)
    {
        ArgumentNullException.ThrowIfNull(stream);
        Span<byte> header = stackalloc byte[HeaderBytes];
        header.Clear();
        Magic.CopyTo(header);
        header[7] = (byte)Options.Bits;
        BinaryPrimitives.WriteInt32LittleEndian(header[8..], Rows);
        BinaryPrimitives.WriteSingleLittleEndian(header[12..], (float)Options.LargestLoss);
        BinaryPrimitives.WriteSingleLittleEndian(header[16..], (float)Options.LargestGradientNorm);
        BinaryPrimitives.WriteUInt32LittleEndian(header[20..], _loads);
        BinaryPrimitives.WriteUInt32LittleEndian(header[24..], Crc32C.Of(_rows));
        BinaryPrimitives.WriteUInt32LittleEndian(header[28..], Crc32C.Of(header[..28]));
        stream.Write(header);
        stream.Write(_rows);
    }

    /// <summary>Reads what <see cref="Save"/> wrote.</summary>
    /// <param name="stream">Where from.</param>
    /// <param name="seed">Seed of the rounding and of the counters from here on; null: unlike every other. The file says how often its
    /// rows have been loaded, and that is mixed in: with the same seed, too, each session draws numbers of its own.</param>
    /// <returns>The same rows; <see cref="Clamped"/> begins at 0.</returns>
    /// <exception cref="ArgumentNullException"><paramref name="stream"/> is null.</exception>
    /// <exception cref="InvalidDataException">These are no compact statistics, cut off or damaged; the message says which.</exception>
    /// <exception cref="NotSupportedException">They are of a newer format.</exception>
    /// <exception cref="IOException">The stream cannot be read.</exception>
    public static CompactStatistics Load(Stream stream, int? seed = null)
    {
        ArgumentNullException.ThrowIfNull(stream);
        Span<byte> header = stackalloc byte[HeaderBytes];
        int read = stream.ReadAtLeast(header, HeaderBytes, throwOnEndOfStream: false);
        if (read < HeaderBytes || !header.StartsWith(Magic[..^1]))
            throw new InvalidDataException(
                $"These are no compact statistics, which begin with {Convert.ToHexString(Magic[..^1])} and a header of {HeaderBytes} "
                + $"bytes: they begin with {read} bytes {Convert.ToHexString(header[..read])}.");
        int bits = header[7], rows = BinaryPrimitives.ReadInt32LittleEndian(header[8..]);
        bool isWhole = BinaryPrimitives.ReadUInt32LittleEndian(header[28..]) == Crc32C.Of(header[..28]);
        if (isWhole && header[6] > Magic[6])
            throw new NotSupportedException($"The compact statistics have format version {header[6]}, and this version of "
                + $"Microsoft.ML.ForwardSampling reads version {Magic[6]}. Update the package to load them.");
        if (!isWhole || header[6] != Magic[6] || bits is not (8 or 12 or 16) || rows < 0 || rows > Array.MaxLength / ((bits / 4) + 1))
            throw new InvalidDataException("The header of the compact statistics is damaged: its checksum or its fields do not hold.");
        if (stream.CanSeek && stream.Length - stream.Position < (long)rows * ((bits / 4) + 1))
            throw CutOff(rows);
        var options = new CompactStatisticsOptions
        {
            Bits = bits,
            LargestLoss = BinaryPrimitives.ReadSingleLittleEndian(header[12..]),
            LargestGradientNorm = BinaryPrimitives.ReadSingleLittleEndian(header[16..]),
            Seed = seed,
        };
        var loaded = new CompactStatistics(rows, options, loads: BinaryPrimitives.ReadUInt32LittleEndian(header[20..]) + 1);
        if (stream.ReadAtLeast(loaded._rows, loaded._rows.Length, throwOnEndOfStream: false) < loaded._rows.Length)
            throw CutOff(rows);
        if (BinaryPrimitives.ReadUInt32LittleEndian(header[24..]) != Crc32C.Of(loaded._rows))
            throw new InvalidDataException("The rows of the compact statistics are damaged: their checksum does not hold.");
        return loaded;
    }

    private static InvalidDataException CutOff(int rows)
        => new($"The compact statistics are cut off: their header speaks of {rows} rows.");

    // The last byte is the format's version.
    private static ReadOnlySpan<byte> Magic => "FSCMP\r\x01"u8;

    /// <summary>Rounds a number of [0, 2) to its code.</summary>
    private int Code(double scaled)
    {
        if (double.IsNaN(scaled))
            return _unknown;
        double most = (_unknown - 1) * _rounding.Step;
        if (scaled >= 0 && scaled <= most)
            return _rounding.Encode(scaled);
        Clamped++;
        return scaled < 0 ? 0 : _unknown - 1;
    }

    private float Value(int code, double scale) => code == _unknown ? float.NaN : (float)(_rounding.Decode(code) / scale);

    private (int Loss, int GradientNorm) Codes(int row)
    {
        ReadOnlySpan<byte> place = _rows.AsSpan(row * BytesPerRow, BytesPerRow);
        return Options.Bits switch
        {
            8 => (place[0], place[1]),
            12 => (place[0] | ((place[1] & 15) << 8), (place[1] >> 4) | (place[2] << 4)),
            _ => (BinaryPrimitives.ReadUInt16LittleEndian(place), BinaryPrimitives.ReadUInt16LittleEndian(place[2..])),
        };
    }

    private void Write(int row, int loss, int gradientNorm)
    {
        Span<byte> place = _rows.AsSpan(row * BytesPerRow, BytesPerRow);
        int bits = Options.Bits;
        uint both = (uint)loss | ((uint)gradientNorm << bits);
        for (int i = 0; i < bits / 4; i++)
            place[i] = (byte)(both >> (8 * i));
    }

    private void ThrowUnlessRow(int row)
    {
        if ((uint)row >= (uint)Rows)
            throw new ArgumentOutOfRangeException(nameof(row), row, $"There are {Rows} rows, numbered from 0. Got {row}.");
    }
}
