using System.Buffers.Binary;
using FsCheck;
using FsCheck.Fluent;
using Microsoft.ML.ForwardSampling.Tests;

namespace Microsoft.ML.ForwardSampling.Records.Tests;

public class SegmentFileTests
{
    private const int OneBlock = 64 + (10 * 16) + (3 * 16);     // ten records, three model versions

    /// <summary>The bytes of docs/recording.md, one after the other.</summary>
    [Fact]
    public void File_OfOneRegressionRecord_ByteByByte()
    {
        using var folder = new LogFolder();
        using (var log = new ForwardRecordLog<RegressionRecord>(folder.Path, LogFolder.Small))
            log.Append(new RegressionRecord(0x1122334455667788, 1.5f, 9, new DateTime(0x08D0000000000000, DateTimeKind.Utc), 0.25f));

        string path = Assert.Single(folder.Files);
        byte[] bytes = File.ReadAllBytes(path);
        Assert.Equal(64 + 64 + 16 + 16 + 64, bytes.Length);
        Assert.Equal("FSRLOG\r\n", System.Text.Encoding.ASCII.GetString(bytes, 0, 8));
        Assert.Equal("0100" + "4000" + "01" + "10" + "0000", Convert.ToHexString(bytes, 8, 8));
        Assert.Equal($"records-{BinaryPrimitives.ReadUInt64LittleEndian(bytes.AsSpan(16)):x16}-{0:D8}.fsl", Path.GetFileName(path));
        Assert.Equal(0u, BinaryPrimitives.ReadUInt32LittleEndian(bytes.AsSpan(24)));
        Assert.Equal(Crc32C.Of(bytes.AsSpan(0, 60)), BinaryPrimitives.ReadUInt32LittleEndian(bytes.AsSpan(60)));

        Span<byte> block = bytes.AsSpan(64);
        Assert.Equal("46534201" + "60000000" + "01" + "10" + "01" + "00" + "01000000", Convert.ToHexString(block[..16]));
        Assert.Equal("0000000000000000" + "000000000000D008" + "0000000000000000", Convert.ToHexString(block[16..40]));
        Assert.Equal(Convert.ToHexString(bytes, 16, 8), Convert.ToHexString(block[40..48]));
        Assert.Equal("8877665544332211" + "0000" + "0010" + "0000C03F", Convert.ToHexString(block[64..80]));
        Assert.Equal("0900000000000000" + "00000000" + "00000000", Convert.ToHexString(block[80..96]));
        Assert.Equal("46534201" + "40000000" + "01" + "10" + "00" + "01" + "00000000" + "0100000000000000",
            Convert.ToHexString(block[96..120]));
    }

    [Fact]
    public void Multiclass_Record_ByteByByte()
    {
        using var folder = new LogFolder();
        using (var log = new ForwardRecordLog<MulticlassRecord>(folder.Path, LogFolder.Small))
            log.Append(MulticlassRecord.FromProbabilities(3, [0.0625f, 0.5f, 0.125f, 0.25f, 0.0625f], 2,
                new DateTime(1, DateTimeKind.Utc)));

        byte[] block = File.ReadAllBytes(Assert.Single(folder.Files))[64..];
        Assert.Equal("0300000000000000" + "0000" + "0000" + "0100" + "0300" + "0200" + Half(Math.Sqrt(2 * 0.0625 * 0.0625)) + "0000003F"
            + "0000803E" + "0000003E", Convert.ToHexString(block[64..96]));
        Assert.Equal("0200000000000000" + "05000000" + "00000000", Convert.ToHexString(block[96..112]));

        static string Half(double x)
        {
            byte[] two = new byte[2];
            BinaryPrimitives.WriteHalfLittleEndian(two, (System.Half)x);
            return Convert.ToHexString(two);
        }
    }

    [Fact]
    public void RoundTrip_AnyRecords_ComeBackWithTimesWithinHalfAStep()
    {
        Gen<MulticlassRecord> record =
            from logits in RecordTests.Logits
            from key in Gen.Choose(0, int.MaxValue)
            from version in Gen.Choose(0, 20)
            from seconds in Gen.Choose(-100_000, 100_000)
            from keep in Gen.Choose(0, 16)
            select MulticlassRecord.FromLogits((ulong)key * 0x9E3779B97F4A7C15, logits, (ulong)version,
                new DateTime(2026, 6, 1, 0, 0, 0, DateTimeKind.Utc).AddSeconds(seconds), MathF.Pow(2, -keep));
        Properties.Hold(Gen.ListOf(record).Select(l => l.ToArray()), records =>
        {
            using var folder = new LogFolder();
            using (var log = new ForwardRecordLog<MulticlassRecord>(folder.Path, LogFolder.Small))
            {
                Assert.Equal(records.Length, log.Append(records));
            }

            using var reader = new ForwardRecordReader<MulticlassRecord>(folder.Path);
            MulticlassRecord[] read = LogFolder.ReadAll(reader);
            Assert.Equal(records.Length, read.Length);
            for (int i = 0; i < read.Length; i++)
            {
                Assert.Equal(Untimed(records[i]), Untimed(read[i]));
                Assert.InRange(Math.Abs((records[i].Time - read[i].Time).TotalSeconds), 0, 200_000 / 8190.0);
            }
        }, tests: 100);

        static (ulong, ulong, float, int, int, int, int, float, float, float, float) Untimed(MulticlassRecord r)
            => (r.Key, r.ModelVersion, r.KeepingProbability, r.Classes, r.Class1, r.Class2, r.Class3, r.Probability1, r.Probability2,
                r.Probability3, r.SumOfSquares);
    }

    [Fact]
    public void Times_OfOneSecond_WithinAMillisecond()
    {
        using var folder = new LogFolder();
        var start = new DateTime(2026, 1, 1, 0, 0, 0, DateTimeKind.Utc);
        DateTime[] times = [.. Enumerable.Range(0, 60).Select(i => start.AddTicks(i * 7 % 60 * 166_667L))];
        using (var log = new ForwardRecordLog<RegressionRecord>(folder.Path, LogFolder.Small))
            Array.ForEach(times, t => log.Append(new RegressionRecord(1, 0, time: t)));
        RegressionRecord[] read = folder.Read(out _);
        for (int i = 0; i < read.Length; i++)
            Assert.InRange(Math.Abs((read[i].Time - times[i]).Ticks), 0, TimeSpan.TicksPerSecond / 8190 + 1);
    }

    [Fact]
    public void Truncated_AtEveryByte_WholeBlocksAreReadAndRecoveryFinishesTheFile()
    {
        using var folder = new LogFolder();
        byte[] whole = File.ReadAllBytes(folder.Write(0, 10, 10, 10));
        string path = folder.Files[0];
        for (int length = 0; length <= whole.Length; length++)
        {
            File.WriteAllBytes(path, whole[..length]);
            int blocks = length < 64 ? 0 : Math.Min(3, (length - 64) / OneBlock);
            Assert.Equal(LogFolder.Range(0, 10 * blocks), folder.Keys(out ForwardRecordReaderReport report));
            Assert.Equal((0, 0), (report.LostRecords, report.DamagedPlaces));

            bool hadNothing = length <= 64;
            (int segments, long truncated) = SegmentDirectory.Recover(folder.Path);
            if (hadNothing)
            {
                Assert.False(File.Exists(path));
                continue;
            }

            if (blocks > 0)
            {
                int end = 64 + (blocks * OneBlock);
                bool finished = length == whole.Length;
                Assert.Equal((finished ? 0 : 1, finished ? 0 : length - end), (segments, truncated));
                Assert.Equal(end + 64, new FileInfo(path).Length);
                Assert.Equal(LogFolder.Range(0, 10 * blocks), folder.Keys(out report));
                Assert.Equal((0, 0, 0), (report.LostRecords, report.DamagedPlaces, report.TornBytes));
                Assert.Equal((0, 0), SegmentDirectory.Recover(folder.Path));
            }
        }
    }

    [Fact]
    public void Damaged_AtEveryByte_OnlyThatBlockIsLostAndCounted()
    {
        using var folder = new LogFolder();
        byte[] whole = File.ReadAllBytes(folder.Write(0, 10, 10, 10));
        for (int at = 0; at < 64 + (3 * OneBlock); at++)
        {
            byte[] damaged = [.. whole];
            damaged[at] ^= 0x10;
            File.WriteAllBytes(folder.Files[0], damaged);

            ulong[] keys = folder.Keys(out ForwardRecordReaderReport report);

            int block = at < 64 ? -1 : (at - 64) / OneBlock;
            Assert.Equal(LogFolder.Range(0, 30).Where(k => (int)k / 10 != block), keys);
            Assert.Equal((1L, block < 0 ? 0 : 10L, block < 0 ? 64L : OneBlock),
                (report.DamagedPlaces, report.LostRecords, report.DamagedBytes));
            if (block == 1)
                Assert.Equal($"{folder.Files[0]} at byte {64 + OneBlock}: no whole block. {OneBlock} bytes skipped; reading went on at "
                    + $"byte {64 + (2 * OneBlock)}.", report.LatestDamage);
        }
    }

    [Fact]
    public void CutOutOrInserted_Bytes_EveryWholeBlockIsStillRead()
        => Properties.Hold(Gen.Choose(0, 64 + (3 * OneBlock) - 1)
            .SelectMany(at => Gen.Choose(-400, 400).Select(size => (At: at, Size: size))), change =>
        {
            using var folder = new LogFolder();
            byte[] whole = File.ReadAllBytes(folder.Write(0, 10, 10, 10));
            int cut = Math.Min(Math.Max(0, -change.Size), whole.Length - change.At);
            byte[] changed = [.. whole[..change.At], .. Enumerable.Repeat((byte)0xAA, Math.Max(0, change.Size)),
                .. whole[(change.At + cut)..]];
            File.WriteAllBytes(folder.Files[0], changed);

            bool[] isWhole = [.. Enumerable.Range(0, 3).Select(b => change.Size == 0 || 64 + ((b + 1) * OneBlock) <= change.At
                || (64 + (b * OneBlock) >= change.At + cut))];
            ulong[] expected = [.. LogFolder.Range(0, 30).Where(k => isWhole[k / 10])];
            ulong[] keys = folder.Keys(out _);
            Assert.Empty(expected.Except(keys));            // a change may by luck put back the very byte it removed
            Assert.Equal(keys.Distinct().Order(), keys);
            SegmentDirectory.Recover(folder.Path);
            Assert.Equal(keys, folder.Keys(out _));
        }, tests: 100);

    [Fact]
    public void NewerVersion_Refused_NamesFileOffsetFoundAndAllowed()
    {
        using var folder = new LogFolder();
        string path = folder.Write(0, 10);
        byte[] bytes = File.ReadAllBytes(path);
        bytes[8] = 2;
        BinaryPrimitives.WriteUInt32LittleEndian(bytes.AsSpan(60), Crc32C.Of(bytes.AsSpan(0, 60)));
        File.WriteAllBytes(path, bytes);

        using var reader = new ForwardRecordReader<RegressionRecord>(folder.Path);
        Assert.Equal(
            $"{path} at byte 8: format version 2, and this library reads versions up to 1. Read it with the version of "
                + $"Microsoft.ML.ForwardSampling that wrote it, or a later one.",
            Assert.Throws<NotSupportedException>(() => reader.Read(new RegressionRecord[1])).Message);

        File.WriteAllBytes(path, bytes[..^7]);
        Assert.Equal((0, 0), SegmentDirectory.Recover(folder.Path)); // not ours to finish
        Assert.Equal(bytes.Length - 7, new FileInfo(path).Length);
    }

    [Fact]
    public void OtherKind_Refused_NamesBoth()
    {
        using var folder = new LogFolder();
        string path = folder.Write(0, 1);
        using var reader = new ForwardRecordReader<BinaryRecord>(folder.Path);
        Assert.Equal(
            $"{path} at byte 12: records of kind Regression, and Binary records were asked for. Keep records of each kind in a directory "
                + $"of their own.",
            Assert.Throws<InvalidDataException>(() => reader.Read(new BinaryRecord[1])).Message);
    }

    /// <summary>Random mutations of a file: no exception but the two documented ones, little memory, and only records that were
    /// written.</summary>
    [Fact]
    public void Mutated_Files_NeverCrashAndNeverInventRecords()
    {
        using var folder = new LogFolder();
        byte[] whole = File.ReadAllBytes(folder.Write(0, 10, 20, 1, 10));
        string path = folder.Files[0];
        var random = new Random(17);
        for (int round = 0; round < 2000; round++)
        {
            var bytes = new List<byte>(whole);
            for (int change = random.Next(1, 6); change > 0 && bytes.Count > 0; change--)
            {
                int at = random.Next(bytes.Count), size = Math.Min(random.Next(1, 300), bytes.Count - at);
                switch (random.Next(5))
                {
                    case 0: bytes[at] = (byte)random.Next(256); break;
                    case 1: bytes.RemoveRange(at, size); break;
                    case 2: bytes.InsertRange(random.Next(bytes.Count), bytes.GetRange(at, size)); break;
                    case 3: bytes.RemoveRange(at, bytes.Count - at); break;
                    default: bytes[at] ^= (byte)(1 << random.Next(8)); break;
                }
            }

            File.WriteAllBytes(path, [.. bytes]);
            long before = GC.GetAllocatedBytesForCurrentThread();
            RegressionRecord[] records = folder.Read(out _);
            Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 256 << 10);
            Assert.All(records, r => Assert.Equal(LogFolder.Record(r.Key).Score, r.Score));
            if (round % 4 == 0)
            {
                SegmentDirectory.Recover(folder.Path);
                Assert.Equal(records.Select(r => r.Key), folder.Keys(out _));
            }
        }
    }

    [Fact]
    public void Names_OfOtherFiles_AreIgnored()
    {
        using var folder = new LogFolder();
        folder.Write(0, 3);
        File.WriteAllText(Path.Combine(folder.Path, "notes.fsl"), "hello");
        File.WriteAllText(Path.Combine(folder.Path, "records-zz.fsl"), "hello");
        Assert.Equal(LogFolder.Range(0, 3), folder.Keys(out _));
        Assert.Equal((0, 0), SegmentDirectory.Recover(folder.Path));
    }
}
