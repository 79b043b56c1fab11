using Microsoft.ML.ForwardSampling.Records;
using Microsoft.ML.ForwardSampling.Tests.Shared;
using NATS.Client.JetStream;
using NATS.Client.JetStream.Models;

namespace Microsoft.ML.ForwardSampling.Nats.Tests;

/// <summary>Blocks that the writer's disk gives back damaged: kept, counted, and in nobody's way.</summary>
public class DamagedOutboxTests(StoreFixture fixture)
{
    private const int Blocks = 6;
    private const int BlockRecords = 50;

    private static readonly NatsWriterOptions s_small = new()
    {
        BatchRecords = BlockRecords,
        MemoryRecords = 3200,
        FlushInterval = TimeSpan.FromMilliseconds(5),
        RetryInterval = TimeSpan.FromMilliseconds(10),
    };

    private static readonly RegressionRecord[] s_records = [.. Enumerable.Range(0, Blocks * BlockRecords)
        .Select(i => new RegressionRecord((ulong)i, i + 0.5f, 1, Fleet.Start.AddMilliseconds(i)))];

    /// <summary>Bytes of a block damaged in a dead writer's file, or its last block cut off.</summary>
    [Theory]
    [InlineData(0, "header", 1, 1)]
    [InlineData(2, "header", 1, 1)]
    [InlineData(Blocks - 1, "header", 1, 0)]                // nothing says which block that was
    [InlineData(0, "records", 1, 1)]
    [InlineData(3, "records", 1, 1)]
    [InlineData(Blocks - 1, "records", 1, 1)]
    [InlineData(3, "versions", 1, 1)]
    [InlineData(Blocks - 1, "tail", 0, 0)]                  // as a kill leaves it before the acknowledgement
    public async Task Open_DamagedFileOfADeadWriter_TheOtherBlocksGoOn(int block, string place, long damaged, long lost)
    {
        await using Fleet fleet = await Fleet.Begin(fixture);
        using var folder = new TemporaryFolder();
        string file = await WriteDead(fleet, folder.Path);
        byte[] bytes = await File.ReadAllBytesAsync(file);
        int size = bytes.Length / Blocks, at = block * size;
        if (place == "tail")
            bytes = bytes[..^7];
        else
            bytes[place == "header" ? at + 17 : place == "records" ? at + 200 : at + size - 3] ^= 0x10;
        await File.WriteAllBytesAsync(file, bytes);

        await using NatsRecordWriter<RegressionRecord> writer = await fleet.Store.OpenWriterAsync(folder.Path, s_small);
        NatsJoinerReport report = await Join(fleet, writer);

        Assert.Equal((damaged, place == "tail" ? size - 7 : 0), (writer.Report.DamagedBlocks, writer.Report.TornBytes));
        Assert.Equal(((Blocks - 1) * BlockRecords, lost), (report.Join.Joined, report.LostBlocks));
        Assert.Empty(Directory.GetFiles(folder.Path, "outbox-*.fsn"));
        if (damaged > 0)
            Assert.Equal(bytes[at..(at + size)], await File.ReadAllBytesAsync(Directory.GetFiles(folder.Path, "damaged-*.bin").Single()));
        else
            Assert.Empty(Directory.GetFiles(folder.Path, "damaged-*"));
    }

    /// <summary>A whole stretch of a file with headers and all, and blocks of two partitions.</summary>
    [Fact]
    public async Task Open_StretchOverManyBlocks_EachCountedAsLost()
    {
        await using Fleet fleet = await Fleet.Begin(fixture, partitions: 2);
        using var folder = new TemporaryFolder();
        string file = await WriteDead(fleet, folder.Path);
        byte[] bytes = await File.ReadAllBytesAsync(file);
        int size = bytes.Length / (2 * Blocks);
        // From within the second batch's first block to within the fourth batch's last one.
        bytes.AsSpan((2 * size) + 70, (6 * size) - 140).Fill(0xA5);
        await File.WriteAllBytesAsync(file, bytes);

        await using NatsRecordWriter<RegressionRecord> writer = await fleet.Store.OpenWriterAsync(folder.Path, s_small);
        NatsJoinerReport[] reports = await Task.WhenAll(Join(fleet, writer, 0), Join(fleet, writer, 1));

        Assert.Equal(2, writer.Report.DamagedBlocks);       // one whose header is whole, and what follows up to the next header
        Assert.Equal([3, 3], reports.Select(r => (int)r.LostBlocks));
        Assert.Equal((Blocks - 3) * BlockRecords, reports.Sum(r => r.Join.Joined));
    }

    /// <summary>Shipped once, lost by the cluster, and damaged on the disk when it is asked for again.</summary>
    [Fact]
    public async Task Ship_DamagedSinceItWasShipped_LostAndCountedAndTheOthersGoOn()
    {
        await using Fleet fleet = await Fleet.Begin(fixture);
        using var folder = new TemporaryFolder();
        await using NatsRecordWriter<RegressionRecord> writer = await fleet.Store.OpenWriterAsync(folder.Path, s_small);
        foreach (RegressionRecord[] batch in s_records.Chunk(BlockRecords))
        {
            writer.Append(batch);
            writer.Flush();
        }

        await StoreFixture.Until(() => writer.Report.UnshippedBlocks == 0, "Not shipped.");
        await new NatsJSContext(fixture.Connection).DeleteMessageAsync($"{fleet.Options.Name}-records-0",
            new StreamMsgDeleteRequest { Seq = 3 });
        string file = Directory.GetFiles(folder.Path, "outbox-*.fsn").Single();
        using (var stream = new FileStream(file, FileMode.Open, FileAccess.ReadWrite, FileShare.ReadWrite | FileShare.Delete))
        {
            stream.Position = (2 * stream.Length / Blocks) + 300;
            int there = stream.ReadByte();
            stream.Position--;
            stream.WriteByte((byte)(there ^ 1));
        }

        NatsJoinerReport report = await Join(fleet, writer);

        Assert.Equal((1, 1), (writer.Report.DamagedBlocks, report.LostBlocks));
        Assert.Equal((Blocks - 1) * BlockRecords, report.Join.Joined);
        Assert.Single(Directory.GetFiles(folder.Path, "damaged-*.bin"));
        Assert.Null(writer.Report.ShippingFailure);
    }

    [Fact]
    public void Lost_HasTheNumberAndNoRecords()
    {
        var id = new BlockId(7, 1, 4, 99);
        byte[] lost = BlockEncoding.Lost<RegressionRecord>(in id);
        ShippedHeader header = BlockEncoding.ReadHeader<RegressionRecord>(lost);
        Assert.Equal((id, 0, BlockEncoding.HeaderBytes), (header.Id, header.Count, lost.Length));
        Assert.Throws<InvalidDataException>(() => BlockEncoding.ReadHeader<LabelEvent>(lost));
    }

    /// <summary>The file of a writer that was killed before it could ship anything.</summary>
    private static async Task<string> WriteDead(Fleet fleet, string folder)
    {
        const ulong Writer = 0xABC;
        string file = Path.Combine(folder, $"outbox-{Writer:x16}-00000000.fsn");
        await File.WriteAllBytesAsync(file,
            [.. BlockEncodingTests.Blocks(s_records, fleet.Options.Partitions, Writer, BlockRecords).SelectMany(block => block)]);
        return file;
    }

    /// <summary>Joins until the writer is rid of all.</summary>
    private static async Task<NatsJoinerReport> Join(Fleet fleet, NatsRecordWriter<RegressionRecord> writer, int partition = 0)
    {
        for (int i = partition; i < Blocks * BlockRecords; i += fleet.Options.Partitions)
            fleet.Labels.Append(new LabelEvent((ulong)i, i, Fleet.Start.AddMilliseconds(i)));
        fleet.Labels.Flush();
        await using NatsJoiner<RegressionRecord> joiner = await fleet.OpenJoiner(partition);
        using var soon = new CancellationTokenSource(TimeSpan.FromSeconds(40));
        Task running = joiner.RunAsync(soon.Token);
        await StoreFixture.Until(() => running.IsCompleted || (writer.Report.UnconfirmedRecords == 0
            && fleet.Labels.Report.UnconfirmedRecords == 0), "The writer was not rid of its blocks.");
        await writer.ConfirmAsync();
        joiner.Complete();
        await running;
        return joiner.Report;
    }
}
