using System.Buffers.Binary;
using System.Runtime.CompilerServices;

namespace Microsoft.ML.ForwardSampling.Records;

/// <summary>The record of one row scored by a model of K classes, whose label is not known yet: 32 bytes in a log, whatever K is.</summary>
/// <remarks>
/// <para>It keeps the three likeliest classes with their probabilities as Singles and r = √Σp² over the other K − 3 as a Half. When the
/// label is among the three (or K ≤ 3), loss and margin are those of the probabilities as Singles, and the gradient norm is within one part
/// in 2,000.</para>
/// <para>Otherwise p[y] is not known: the mass m = 1 − (p(1) + p(2) + p(3)) is spread evenly over the others, p[y] = m/(K − 3), and
/// <see cref="Statistics(int, out bool)"/> says so. The true p[y] lies in [0, min(p(3), m, r)], so the loss is at least −ln min(p(3), m,
/// r).</para>
/// <para>The entropy is exact to Single precision when the three hold all the mass, else a lower bound: the others count as m²/r² classes
/// of equal probability (Rényi's entropy of order 2 instead of Shannon's); it is at most m·(ln(K − 3) − ln(m²/r²)) too low.</para>
/// </remarks>
public readonly record struct MulticlassRecord : IForwardRecord<MulticlassRecord>
{
    /// <summary>Most classes that a record can name.</summary>
    public const int MaximumClasses = 65535;

    private const ushort NoClass = ushort.MaxValue;

    private readonly ushort _keepingCode;
    private readonly ushort _class1;
    private readonly ushort _class2;
    private readonly ushort _class3;
    private readonly Half _rest;

    private MulticlassRecord(ulong key, in Top top, Half rest, int classes, ulong modelVersion, DateTime time, ushort keepingCode)
    {
        Key = key;
        (_class1, _class2, _class3) = (top.Class1, top.Class2, top.Class3);
        (Probability1, Probability2, Probability3) = (top.P1, top.P2, top.P3);
        _rest = rest;
        Classes = classes;
        ModelVersion = modelVersion;
        Time = time;
        _keepingCode = keepingCode;
    }

    /// <inheritdoc/>
    public static int EncodedBytes => 32;

    /// <inheritdoc/>
    public ulong Key { get; }

    /// <summary>Number of classes K in [1, <see cref="MaximumClasses"/>].</summary>
    public int Classes { get; }

    /// <summary>The likeliest class, from 0; of equals the first. −1 when the scores were no probabilities.</summary>
    public int Class1 => Named(_class1);

    /// <summary>The second likeliest class, or −1 when there is none.</summary>
    public int Class2 => Named(_class2);

    /// <summary>The third likeliest class, or −1 when there is none.</summary>
    public int Class3 => Named(_class3);

    /// <summary>Probability of <see cref="Class1"/>; NaN when the scores were no probabilities.</summary>
    public float Probability1 { get; }

    /// <summary>Probability of <see cref="Class2"/>, 0 when there is none.</summary>
    public float Probability2 { get; }

    /// <summary>Probability of <see cref="Class3"/>, 0 when there is none.</summary>
    public float Probability3 { get; }

    /// <summary>Σp² over all K classes, within one part in 1,000 of the part that the classes beyond the third have in it.</summary>
    public float SumOfSquares => (float)(Square(Probability1) + Square(Probability2) + Square(Probability3) + Square((float)_rest));

    /// <inheritdoc/>
    public ulong ModelVersion { get; }

    /// <inheritdoc/>
    public DateTime Time { get; }

    /// <inheritdoc/>
    public float KeepingProbability => Records.KeepingProbability.Decode(_keepingCode);

    static RecordKind ILogRecord<MulticlassRecord>.Kind => RecordKind.Multiclass;

    ushort ILogRecord<MulticlassRecord>.KeepingCode => _keepingCode;

    /// <summary>Makes a record from class probabilities.</summary>
    /// <param name="key">Key of the row; <see cref="RecordKey"/> makes one from a name.</param>
    /// <param name="probabilities">p, length K in [1, <see cref="MaximumClasses"/>]; none negative, sum 1 within
    /// <see cref="ForwardStatistics.ProbabilitySumTolerance"/>. Otherwise the record is kept and its statistics are NaN.</param>
    /// <param name="modelVersion">Version of the model; any number.</param>
    /// <param name="time">When the row was scored; left out, the log stamps the record.</param>
    /// <param name="keepingProbability">Probability with which the caller kept this record, in [2⁻¹⁶, 1]; stored to one part in 4,096,
    /// powers of two exactly.</param>
    /// <returns>The record.</returns>
    /// <exception cref="ArgumentException">There are no probabilities or more than <see cref="MaximumClasses"/>, or <paramref name="time"/>
    /// is neither UTC nor local.</exception>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="keepingProbability"/> is out of its range.</exception>
    public static MulticlassRecord FromProbabilities(ulong key, ReadOnlySpan<float> probabilities, ulong modelVersion = 0,
        DateTime time = default, float keepingProbability = 1)
    {
        ThrowUnlessNamed(probabilities.Length, nameof(probabilities));
        ushort keepingCode = Records.KeepingProbability.Checked(keepingProbability, nameof(MulticlassRecord));
        time = RecordTime.Checked(time);
        var top = default(TopClasses);
        double sum = 0, rest = 0;
        bool good = true;
        for (int k = 0; k < probabilities.Length; k++)
        {
            float p = probabilities[k];
            good &= p >= 0;                                 // also false for NaN
            sum += p;
            rest += Square(top.Push(p, k));
        }

        if (!good || !(Math.Abs(sum - 1) <= ForwardStatistics.ProbabilitySumTolerance))
            return new MulticlassRecord(key, Top.Unknown, default, probabilities.Length, modelVersion, time, keepingCode);
        return new MulticlassRecord(key, top.Top, (Half)Math.Sqrt(rest), probabilities.Length, modelVersion, time, keepingCode);
    }

    /// <summary>Makes a record from logits, with p = softmax(z).</summary>
    /// <param name="key">Key of the row; <see cref="RecordKey"/> makes one from a name.</param>
    /// <param name="logits">z, length K in [1, <see cref="MaximumClasses"/>]. With a NaN or an infinity among them the record is kept and
    /// its statistics are NaN.</param>
    /// <param name="modelVersion">Version of the model; any number.</param>
    /// <param name="time">When the row was scored; left out, the log stamps the record.</param>
    /// <param name="keepingProbability">Probability with which the caller kept this record, in [2⁻¹⁶, 1]; stored to one part in 4,096,
    /// powers of two exactly.</param>
    /// <returns>The record.</returns>
    /// <exception cref="ArgumentException">There are no logits or more than <see cref="MaximumClasses"/>, or <paramref name="time"/> is
    /// neither UTC nor local.</exception>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="keepingProbability"/> is out of its range.</exception>
    public static MulticlassRecord FromLogits(ulong key, ReadOnlySpan<float> logits, ulong modelVersion = 0, DateTime time = default,
        float keepingProbability = 1)
    {
        ThrowUnlessNamed(logits.Length, nameof(logits));
        ushort keepingCode = Records.KeepingProbability.Checked(keepingProbability, nameof(MulticlassRecord));
        time = RecordTime.Checked(time);
        float largest = float.NegativeInfinity;
        foreach (float z in logits)
        {
            if (!float.IsFinite(z))
                return new MulticlassRecord(key, Top.Unknown, default, logits.Length, modelVersion, time, keepingCode);
            largest = Math.Max(largest, z);
        }

        double sum = 0;
        foreach (float z in logits)
            sum += Math.Exp((double)z - largest);
        var top = default(TopClasses);
        double rest = 0;
        for (int k = 0; k < logits.Length; k++)
            rest += Square(top.Push((float)(Math.Exp((double)logits[k] - largest) / sum), k));
        return new MulticlassRecord(key, top.Top, (Half)Math.Sqrt(rest), logits.Length, modelVersion, time, keepingCode);
    }

    /// <summary>What the forward pass says about the row.</summary>
    /// <param name="label">Class y in [0, K), or negative when it is not known: then loss and gradient norm are NaN.</param>
    /// <param name="exact">True when p[y] was recorded; false when it is the even share of the remaining mass, or there is no
    /// label.</param>
    /// <returns>As <see cref="ForwardStatistics.MulticlassFromProbabilities(ReadOnlySpan{float}, int, bool)"/>, within the bounds in the
    /// remarks of this type; all NaN when the scores were no probabilities.</returns>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="label"/> is K or more.</exception>
    public ClassificationStatistics Statistics(int label, out bool exact)
    {
        if (label >= Classes && label >= 0)
            throw new ArgumentOutOfRangeException(nameof(label), label,
                $"The label must be below the number of classes, {Classes}, or negative when it is not known.");
        exact = false;
        if (float.IsNaN(Probability1))
            return ClassificationStatistics.Unknown;

        double p1 = Probability1, p2 = Probability2, p3 = Probability3, rest2 = Square((float)_rest);
        float margin = Probability1 - Probability2;
        double mass = Classes > 3 ? Math.Max(0, 1 - p1 - p2 - p3) : 0;
        double entropy = Term(p1) + Term(p2) + Term(p3);
        if (mass > 0 && rest2 > 0)
            entropy += mass * Math.Log(Math.Clamp(mass * mass / rest2, 1, Classes - 3) / mass);
        entropy = Math.Max(0, entropy);
        if (label < 0)
            return new ClassificationStatistics(float.NaN, float.NaN, margin, (float)entropy);

        double own, others2;
        exact = true;
        if (label == _class1)
        {
            (own, others2) = (p1, (p2 * p2) + (p3 * p3) + rest2);
        }
        else if (label == _class2)
        {
            (own, others2) = (p2, (p1 * p1) + (p3 * p3) + rest2);
        }
        else if (label == _class3)
        {
            (own, others2) = (p3, (p1 * p1) + (p2 * p2) + rest2);
        }
        else
        {
            exact = false;
            own = mass / (Classes - 3);
            others2 = (p1 * p1) + (p2 * p2) + (p3 * p3) + Math.Max(0, rest2 - (own * own));
        }

        double loss = Math.Max(0, -Math.Log(Math.Max(own, float.Epsilon)));
        return new ClassificationStatistics((float)loss, (float)Math.Sqrt(others2 + ((1 - own) * (1 - own))), margin, (float)entropy);
    }

    /// <inheritdoc/>
    public bool Accepts(float label) => RecordLabel.IsClass(label, Classes);

    /// <inheritdoc/>
    public JoinedRecord Join(float label, bool isDefault = false)
    {
        if (!Accepts(label))
            throw RecordLabel.Refused(label, $"a class, a whole number in [0, {Classes})");
        ClassificationStatistics statistics = Statistics((int)label, out bool isExact);
        return new JoinedRecord(Key, label, isDefault, Time, ModelVersion, KeepingProbability, in statistics, isExact);
    }

    void ILogRecord<MulticlassRecord>.WriteBody(Span<byte> body)
    {
        BinaryPrimitives.WriteSingleLittleEndian(body[16..], Probability3);
        BinaryPrimitives.WriteUInt16LittleEndian(body, _class1);
        BinaryPrimitives.WriteUInt16LittleEndian(body[2..], _class2);
        BinaryPrimitives.WriteUInt16LittleEndian(body[4..], _class3);
        BinaryPrimitives.WriteHalfLittleEndian(body[6..], _rest);
        BinaryPrimitives.WriteSingleLittleEndian(body[8..], Probability1);
        BinaryPrimitives.WriteSingleLittleEndian(body[12..], Probability2);
    }

    static MulticlassRecord ILogRecord<MulticlassRecord>.Read(ulong key, ulong modelVersion, int classes, DateTime time,
        ushort keepingCode, ReadOnlySpan<byte> body)
    {
        var top = new Top
        {
            P3 = BinaryPrimitives.ReadSingleLittleEndian(body[16..]),
            P2 = BinaryPrimitives.ReadSingleLittleEndian(body[12..]),
            P1 = BinaryPrimitives.ReadSingleLittleEndian(body[8..]),
            Class1 = BinaryPrimitives.ReadUInt16LittleEndian(body),
            Class2 = BinaryPrimitives.ReadUInt16LittleEndian(body[2..]),
            Class3 = BinaryPrimitives.ReadUInt16LittleEndian(body[4..]),
        };
        return new MulticlassRecord(key, top, BinaryPrimitives.ReadHalfLittleEndian(body[6..]), classes, modelVersion, time, keepingCode);
    }

    private static int Named(ushort code) => code == NoClass ? -1 : code;

    private static double Square(float x) => (double)x * x;

    private static double Term(double p) => p > 0 ? -p * Math.Log(p) : 0;

    private static void ThrowUnlessNamed(int classes, string argument)
    {
        if (classes is < 1 or > MaximumClasses)
            throw new ArgumentException($"A multiclass record is of 1 to {MaximumClasses} classes. Got {classes}.", argument);
    }

    /// <summary>The three likeliest classes, as a record keeps them.</summary>
    private struct Top
    {
        public float P1;
        public float P2;
        public float P3;
        public ushort Class1;
        public ushort Class2;
        public ushort Class3;

        public static Top Unknown => new() { P1 = float.NaN, Class1 = NoClass, Class2 = NoClass, Class3 = NoClass };
    }

    /// <summary>Finds the three likeliest classes in one pass without a branch: which scores come in is chance, and a wrong guess of the
    /// processor costs more than all else here.</summary>
    /// <remarks>A class is one number: the bits of its probability, which order as the probabilities do, above those of
    /// <see cref="NoClass"/> − class, so that of equals the first is larger. 0 is no class, of probability 0.</remarks>
    private struct TopClasses
    {
        private long _first;
        private long _second;
        private long _third;

        public readonly Top Top => new()
        {
            P1 = Probability(_first),
            P2 = Probability(_second),
            P3 = Probability(_third),
            Class1 = Class(_first),
            Class2 = Class(_second),
            Class3 = Class(_third),
        };

        /// <summary>Takes a class in and gives back the probability of the one that falls out, 0 while there is room.</summary>
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public float Push(float p, int k)
        {
            long bits = BitConverter.SingleToInt32Bits(p) & int.MaxValue;   // -0 counts as 0
            long pushed = (bits << 16) | (uint)(NoClass - k);
            Order(ref _first, ref pushed);
            Order(ref _second, ref pushed);
            Order(ref _third, ref pushed);
            return Probability(pushed);
        }

        /// <summary>Exchanges two numbers unless the first is the larger one.</summary>
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        private static void Order(ref long larger, ref long smaller)
        {
            long difference = larger - smaller;
            long change = difference & (difference >> 63);      // 0 when they stand right
            larger -= change;
            smaller += change;
        }

        private static float Probability(long number) => BitConverter.Int32BitsToSingle((int)(number >> 16));

        private static ushort Class(long number) => (ushort)(NoClass - (ushort)number);
    }
}
