using System.Globalization;
using Microsoft.ML.ForwardSampling.Records;
using Microsoft.ML.ForwardSampling.Tests.Shared;
using NATS.Client.Core;
using NATS.Client.JetStream;
using NATS.Client.JetStream.Models;

namespace Microsoft.ML.ForwardSampling.Nats.Tests;

public class WriterTests(StoreFixture fixture)
{
    private static readonly NatsWriterOptions s_small = new()
    {
        BatchRecords = 50,
        MemoryRecords = 3200,
        FlushInterval = TimeSpan.FromMilliseconds(5),
        RetryInterval = TimeSpan.FromMilliseconds(10),
        FileBytes = 65536,
    };

    [Fact]
    public async Task Append_EveryRecord_ComesToItsPartitionInOrderAndOnce()
    {
        using var folder = new TemporaryFolder();
        NatsStoreOptions options = fixture.NewOptions(partitions: 2);
        await using NatsRecordStore<RegressionRecord> store = await fixture.NewStore<RegressionRecord>(options);
        await using NatsRecordWriter<RegressionRecord> writer = await store.OpenWriterAsync(folder.Path, s_small);
        for (int i = 0; i < 1000; i++)
            writer.Append(new RegressionRecord((ulong)i, i));
        writer.Flush();
        Assert.Equal((1000, 1000), (writer.Acknowledged, writer.Report.UnconfirmedRecords));
        for (int p = 0; p < 2; p++)
        {
            List<RegressionRecord> read = await ReadAll(options, p, 500);
            Assert.Equal(Enumerable.Range(0, 500).Select(i => (ulong)((2 * i) + p)), read.Select(r => r.Key));
        }
    }

    [Fact]
    public async Task Told_SavedByAJoiner_FilesGo()
    {
        using var folder = new TemporaryFolder();
        NatsStoreOptions options = fixture.NewOptions(partitions: 1);
        await using NatsRecordStore<RegressionRecord> store = await fixture.NewStore<RegressionRecord>(options);
        await using (NatsRecordWriter<RegressionRecord> writer = await store.OpenWriterAsync(folder.Path, s_small))
        {
            for (int i = 0; i < 20_000; i++)
                writer.Append(new RegressionRecord((ulong)i, i));
            writer.Flush();
            await StoreFixture.Until(() => writer.Report.ShippedBlocks >= 400, "The blocks were not shipped.");
            Assert.True(Directory.GetFiles(folder.Path, "*.fsn").Length > 1);
            await Tell(options, WriterOf(folder.Path), next: long.MaxValue / 2, again: -1);
            await StoreFixture.Until(() => writer.Report.UnconfirmedRecords == 0, "What a joiner has saved was not let go of.");
            await writer.ConfirmAsync();
            Assert.Single(Directory.GetFiles(folder.Path, "*.fsn"));    // the one that is being written
        }

        Assert.Empty(Directory.GetFiles(folder.Path));
    }

    [Fact]
    public async Task Told_Again_ShipsFromThereAlthoughTheClusterHasSeenItsNames()
    {
        using var folder = new TemporaryFolder();
        NatsStoreOptions options = fixture.NewOptions(partitions: 1);
        await using NatsRecordStore<RegressionRecord> store = await fixture.NewStore<RegressionRecord>(options);
        await using NatsRecordWriter<RegressionRecord> writer = await store.OpenWriterAsync(folder.Path, s_small);
        for (int i = 0; i < 500; i++)
            writer.Append(new RegressionRecord((ulong)i, i));
        writer.Flush();
        await StoreFixture.Until(() => writer.Report.ShippedBlocks >= 10, "The blocks were not shipped.");
        await Tell(options, WriterOf(folder.Path), next: 2, again: 3);
        await StoreFixture.Until(() => writer.Report.RepeatedBlocks >= 7, "The blocks were not shipped again.");
        List<RegressionRecord> read = await ReadAll(options, 0, 500 + (7 * 50));
        Assert.Equal(Enumerable.Range(150, 350), read.Skip(500).Select(r => (int)r.Key));
    }

    [Fact]
    public async Task Open_FolderOfADeadWriter_ShipsWhatItLeft()
    {
        using var folder = new TemporaryFolder();
        NatsStoreOptions options = fixture.NewOptions(partitions: 1);
        await using NatsRecordStore<RegressionRecord> store = await fixture.NewStore<RegressionRecord>(options);
        await using (var absent = new NatsConnection(NatsOpts.Default with { Url = "nats://127.0.0.1:1" }))
        {
            // A cluster that is not there: all of it is safe on the disk all the same.
            await using NatsRecordWriter<RegressionRecord> dead = await new NatsRecordStore<RegressionRecord>(absent, options)
                .OpenWriterAsync(folder.Path, s_small);
            for (int i = 0; i < 300; i++)
                dead.Append(new RegressionRecord((ulong)i, i));
            dead.Flush();
            Assert.Equal(300, dead.Acknowledged);
        }

        string file = Assert.Single(Directory.GetFiles(folder.Path, "*.fsn"));
        await File.AppendAllTextAsync(file, "FSN\x01 what a kill cut off");
        await using NatsRecordWriter<RegressionRecord> next = await store.OpenWriterAsync(folder.Path, s_small);
        Assert.Equal((1, 24, 300), (next.Report.AdoptedWriters, next.Report.TornBytes, next.Report.UnconfirmedRecords));
        Assert.Equal(Enumerable.Range(0, 300), (await ReadAll(options, 0, 300)).Select(r => (int)r.Key));
    }

    [Fact]
    public async Task Open_FolderOfALivingWriter_LeavesItsBlocksToIt()
    {
        using var folder = new TemporaryFolder();
        NatsStoreOptions options = fixture.NewOptions(partitions: 1);
        await using NatsRecordStore<RegressionRecord> store = await fixture.NewStore<RegressionRecord>(options);
        await using NatsRecordWriter<RegressionRecord> one = await store.OpenWriterAsync(folder.Path, s_small);
        one.Append(new RegressionRecord(1, 1));
        one.Flush();
        await using NatsRecordWriter<RegressionRecord> two = await store.OpenWriterAsync(folder.Path, s_small);
        Assert.Equal((0, 0), (two.Report.AdoptedWriters, two.Report.UnconfirmedRecords));
    }

    [Fact]
    public async Task Append_DiskLimitReached_BlockRefusesAndTakesNothingMore()
    {
        using var folder = new TemporaryFolder();
        await using var absent = new NatsConnection(NatsOpts.Default with { Url = "nats://127.0.0.1:1" });
        await using var store = new NatsRecordStore<RegressionRecord>(absent, fixture.NewOptions(partitions: 1));
        NatsRecordWriter<RegressionRecord> writer = await store.OpenWriterAsync(folder.Path, s_small with { DiskBytes = 1 << 20 });
        long taken = 0;
        var refused = Assert.Throws<IOException>(() =>
        {
            for (; taken < 1_000_000; taken++)
                writer.Append(new RegressionRecord((ulong)taken, 1));
        });
        Assert.Contains("would exceed NatsWriterOptions.DiskBytes, 1048576", refused.Message, StringComparison.Ordinal);
        Assert.InRange(writer.Acknowledged, 35_000, (1 << 20) / 20);
        Assert.True(writer.Report.DiskBytes <= 1 << 20);
        var lost = Assert.Throws<IOException>(writer.Dispose);
        Assert.Contains("were never acknowledged and are lost", lost.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Append_DiskLimitReached_DropAndRecordThinsAndCounts()
    {
        using var folder = new TemporaryFolder();
        await using var absent = new NatsConnection(NatsOpts.Default with { Url = "nats://127.0.0.1:1" });
        await using var store = new NatsRecordStore<RegressionRecord>(absent, fixture.NewOptions(partitions: 1));
        NatsRecordWriter<RegressionRecord> writer = await store.OpenWriterAsync(folder.Path,
            s_small with { DiskBytes = 1 << 20, Overflow = RecordOverflow.DropAndRecord, Seed = 3 });
        Assert.Throws<IOException>((Action)(() =>
        {
            while (true)
            {
                for (int i = 0; i < 1000; i++)
                    writer.Append(new RegressionRecord((ulong)i, 1));
                writer.Flush();
            }
        }));
        NatsWriterReport full = writer.Report;
        for (int i = 0; i < 20_000; i++)
            writer.Append(new RegressionRecord((ulong)i, 1));
        NatsWriterReport report = writer.Report;
        Assert.True(report.Thinned > 10_000, report.ToString());
        Assert.Equal(20_000, report.Appended + report.Thinned + report.Dropped - full.Appended - full.Thinned - full.Dropped);
        Assert.Equal(full.Acknowledged, report.Acknowledged);
        Assert.Throws<IOException>(writer.Dispose);
    }

    [Fact]
    public async Task Append_BeforeTheStoreIsThere_ShippedOnceItIs()
    {
        using var folder = new TemporaryFolder();
        NatsStoreOptions options = fixture.NewOptions(partitions: 1);
        var connection = fixture.Connection;
        await using var cutOff = new NatsConnection(NatsOpts.Default with { Url = "nats://127.0.0.1:1" });
        await using (NatsRecordWriter<RegressionRecord> early = await new NatsRecordStore<RegressionRecord>(cutOff, options)
            .OpenWriterAsync(folder.Path, s_small))
            early.Append(new RegressionRecord(5, 5));
        await using NatsRecordStore<RegressionRecord> store = await fixture.NewStore<RegressionRecord>(options);
        await using NatsRecordWriter<RegressionRecord> late = await store.OpenWriterAsync(folder.Path, s_small);
        Assert.Equal(5ul, Assert.Single(await ReadAll(options, 0, 1)).Key);
    }

    [Fact]
    public async Task Open_FolderOfAnotherKind_Refused()
    {
        using var folder = new TemporaryFolder();
        NatsStoreOptions options = fixture.NewOptions(partitions: 1);
        await using NatsRecordStore<RegressionRecord> store = await fixture.NewStore<RegressionRecord>(options);
        await using (NatsRecordWriter<RegressionRecord> writer = await store.OpenWriterAsync(folder.Path, s_small))
            writer.Append(new RegressionRecord(5, 5));
        var e = await Assert.ThrowsAsync<InvalidDataException>(() => store.OpenLabelWriterAsync(folder.Path, s_small));
        Assert.Contains("a block of Regression records, and Label records were asked for.", e.Message, StringComparison.Ordinal);
    }

    /// <summary>Says what a joiner would say.</summary>
    private async Task Tell(NatsStoreOptions options, ulong writer, long next, long again)
        => await fixture.Connection.PublishAsync($"{options.Name}.told.records.0", Tidings.Write([new Tidings(writer, next, again)]));

    private static ulong WriterOf(string folder)
        => ulong.Parse(Path.GetFileName(Directory.GetFiles(folder, "*.lock").Single()).AsSpan(7, 16), NumberStyles.AllowHexSpecifier,
            CultureInfo.InvariantCulture);

    private async Task<List<RegressionRecord>> ReadAll(NatsStoreOptions options, int partition, int count)
    {
        var stream = new JetStream(fixture.Connection);
        var all = new List<RegressionRecord>();
        ulong next = 1;
        for (DateTime until = DateTime.UtcNow.AddSeconds(30); all.Count < count && DateTime.UtcNow < until;)
        {
            StoredMessage? message = await stream.Next($"{options.Name}-records-{partition}", $"{options.Name}.records.{partition}", next,
                TestContext.Current.CancellationToken);
            if (message is null)
            {
                await Task.Delay(5);
                continue;
            }

            ShippedHeader header = BlockEncoding.ReadHeader<RegressionRecord>(message.Data.Span);
            var records = new RegressionRecord[header.Count];
            BlockEncoding.Read<RegressionRecord>(message.Data.Span, in header, 0, records);
            all.AddRange(records);
            next = message.Seq + 1;
        }

        return all;
    }
}
