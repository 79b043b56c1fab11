using FsCheck.Fluent;
using Microsoft.ML.ForwardSampling.Records;
using Microsoft.ML.ForwardSampling.Tests;

namespace Microsoft.ML.ForwardSampling.Nats.Tests;

public class BlockEncodingTests
{
    private static readonly DateTime s_start = new(2026, 5, 1, 12, 0, 0, DateTimeKind.Utc);

    [Fact]
    public void Cut_AnyRecords_ComeBackFromTheirPartitionInOrder()
        => Properties.Hold(
            from seed in Gen.Choose(0, 1 << 20)
            from count in Gen.Choose(1, 700)
            from partitions in Gen.Choose(1, 7)
            from versions in Gen.Choose(1, 15)
            from seconds in Gen.Elements(0.0, 0.001, 1, 300)
            select (seed, count, partitions, versions, seconds),
            input =>
            {
                MulticlassRecord[] records = Records(input.seed, input.count, input.versions, input.seconds);
                byte[][] blocks = Blocks(records, input.partitions);
                var back = new List<MulticlassRecord>[input.partitions];
                for (int b = 0; b < blocks.Length; b++)
                {
                    ShippedHeader header = BlockEncoding.ReadHeader<MulticlassRecord>(blocks[b]);
                    Assert.Equal((input.partitions, blocks[b].Length), (header.Id.Partitions, header.Bytes));
                    var read = new MulticlassRecord[header.Count];
                    BlockEncoding.Read<MulticlassRecord>(blocks[b], in header, 0, read);
                    (back[header.Id.Partition] ??= []).AddRange(read);
                }

                for (int p = 0; p < input.partitions; p++)
                    Assert.Equal(records.Where(r => r.Key % (ulong)input.partitions == (ulong)p), back[p] ?? []);
            },
            tests: 60);

    [Fact]
    public void Cut_TimesOfAnHour_KeptToAMicrosecond()
    {
        MulticlassRecord[] records = Records(3, 500, 2, seconds: 3600);
        byte[] block = Blocks(records, 1).Single();
        ShippedHeader header = BlockEncoding.ReadHeader<MulticlassRecord>(block);
        var read = new MulticlassRecord[records.Length];
        BlockEncoding.Read<MulticlassRecord>(block, in header, 0, read);
        Assert.All(records.Zip(read), pair => Assert.InRange((pair.First.Time - pair.Second.Time).Ticks, 0, TimeSpan.TicksPerMicrosecond));
    }

    [Fact]
    public void Read_EveryByteFlipped_RefusedOrSaidToBeNewer()
    {
        byte[] block = Blocks(Records(1, 20, 3, 1), 1).Single();
        for (int i = 0; i < block.Length; i++)
        {
            byte[] damaged = [.. block];
            damaged[i] ^= 0x41;
            Assert.Throws<InvalidDataException>(() => BlockEncoding.ReadHeader<MulticlassRecord>(damaged));
        }
    }

    [Fact]
    public void Read_EveryLength_Refused()
    {
        byte[] block = Blocks(Records(1, 20, 3, 1), 1).Single();
        for (int length = 0; length < block.Length; length++)
            Assert.Throws<InvalidDataException>(() => BlockEncoding.ReadHeader<MulticlassRecord>(block.AsSpan(0, length)));
        Assert.Throws<InvalidDataException>(() => BlockEncoding.ReadHeader<MulticlassRecord>([.. block, 0]));
    }

    [Fact]
    public void Read_RandomBytesWithAGoodChecksum_NeverAnythingElseThanARefusal()
    {
        var random = new Random(5);
        byte[] good = Blocks(Records(1, 20, 3, 1), 1).Single();
        for (int i = 0; i < 20_000; i++)
        {
            byte[] bytes = [.. good];
            for (int n = random.Next(1, 6); n > 0; n--)
                bytes[random.Next(bytes.Length)] = (byte)random.Next(256);
            bytes[0] = (byte)'F';
            Reseal(bytes);
            try
            {
                ShippedHeader header = BlockEncoding.ReadHeader<MulticlassRecord>(bytes);
                var records = new MulticlassRecord[header.Count];
                BlockEncoding.Read<MulticlassRecord>(bytes, in header, 0, records);
            }
            catch (Exception e) when (e is InvalidDataException or NotSupportedException)
            {
            }
        }
    }

    [Fact]
    public void Read_NewerVersion_SaysWhichOnesAreRead()
    {
        byte[] block = Blocks(Records(1, 20, 3, 1), 1).Single();
        block[3] = 2;
        Reseal(block);
        Assert.StartsWith("The block has format version 2, and this library reads versions up to 1.",
            Assert.Throws<NotSupportedException>(() => BlockEncoding.ReadHeader<MulticlassRecord>(block)).Message);
    }

    [Fact]
    public void Read_OtherKind_NamesBoth()
        => Assert.Equal("The block holds Multiclass records, and Label records were asked for.",
            Assert.Throws<InvalidDataException>(
                () => BlockEncoding.ReadHeader<LabelEvent>(Blocks(Records(1, 20, 3, 1), 1).Single())).Message);

    /// <summary>The format for ever: these bytes must read as this record.</summary>
    [Fact]
    public void Read_BytesOfVersion1_AsTheyWereWritten()
    {
        byte[] block = Convert.FromHexString(File.ReadAllText(Path.Combine(AppContext.BaseDirectory, "files", "block-1.hex")).Trim());
        ShippedHeader header = BlockEncoding.ReadHeader<BinaryRecord>(block);
        var records = new BinaryRecord[header.Count];
        BlockEncoding.Read<BinaryRecord>(block, in header, 0, records);
        Assert.Equal(new BlockId(0x0123456789ABCDEF, 1, 3, 42), header.Id);
        Assert.Equal(
            [BinaryRecord.FromScore(1, 0.5f, 7, s_start), BinaryRecord.FromScore(4, -2, 8, s_start.AddMilliseconds(3), 0.25f)], records);
    }

    /// <summary>The blocks that a writer makes of records, in batches of so many.</summary>
    internal static byte[][] Blocks<TRecord>(TRecord[] records, int partitions, ulong writer = 9, int batch = int.MaxValue)
        where TRecord : struct, ILogRecord<TRecord>
    {
        using var cutting = new Cutting<TRecord>(partitions, writer);
        foreach (TRecord[] some in records.Chunk(batch))
        {
            cutting.Append(some);
            cutting.Flush();
        }

        return [.. cutting.Blocks];
    }

    private static MulticlassRecord[] Records(int seed, int count, int versions, double seconds)
    {
        var random = new Random(seed);
        var records = new MulticlassRecord[count];
        for (int i = 0; i < count; i++)
        {
            float[] scores = [random.NextSingle(), random.NextSingle(), random.NextSingle(), random.NextSingle()];
            records[i] = MulticlassRecord.FromLogits((ulong)random.NextInt64(), scores, (ulong)random.Next(versions),
                s_start.AddTicks((long)(random.NextDouble() * seconds * TimeSpan.TicksPerSecond)), keepingProbability: 0.5f);
        }

        return records;
    }

    private static void Reseal(Span<byte> block)
    {
        System.Buffers.Binary.BinaryPrimitives.WriteUInt32LittleEndian(block[56..], Crc32C.Of(block[BlockEncoding.HeaderBytes..]));
        System.Buffers.Binary.BinaryPrimitives.WriteUInt32LittleEndian(block[60..], Crc32C.Of(block[..60]));
    }

    /// <summary>Keeps the blocks that batches are cut into.</summary>
    private sealed class Cutting<TRecord> : BufferedRecordWriter<TRecord>
        where TRecord : struct, ILogRecord<TRecord>
    {
        private readonly BlockCutter<TRecord> _cutter;

        public Cutting(int partitions, ulong writer)
            : base(new RecordBufferOptions { FewestBatchBlocks = 4, MostBatchBlocks = 4, FlushInterval = TimeSpan.FromHours(1) })
        {
            _cutter = new BlockCutter<TRecord>(writer, partitions);
            Start();
        }

        public List<byte[]> Blocks { get; } = [];

        public override RecordWriterReport Report => Count();

        protected override string Name => "The cutter";

        protected override string Refusal => "nothing refused";

        protected override void WriteBatch(RecordBatch<TRecord> batch)
        {
            Blocks.AddRange(_cutter.Cut(batch).Select(block => block.Bytes.ToArray()));
            _cutter.Accept();
        }
    }
}
