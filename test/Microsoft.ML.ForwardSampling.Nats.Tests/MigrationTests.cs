using Microsoft.ML.ForwardSampling.Records;
using NATS.Client.JetStream;
using NATS.Client.JetStream.Models;

namespace Microsoft.ML.ForwardSampling.Nats.Tests;

public class MigrationTests(StoreFixture fixture)
{
    [Fact]
    public async Task Migrate_MakesEveryStreamOnce_AndAgainChangesNothing()
    {
        NatsStoreOptions options = fixture.NewOptions(partitions: 2);
        await fixture.NewStore<BinaryRecord>(options);
        await fixture.NewStore<BinaryRecord>(options);
        var context = new NatsJSContext(fixture.Connection);
        var found = new List<string>();
        await foreach (INatsJSStream stream in context.ListStreamsAsync())
        {
            StreamConfig config = stream.Info.Config;
            if (!config.Name!.StartsWith(options.Name + "-", StringComparison.Ordinal))
                continue;
            found.Add($"{config.Name} {string.Join(' ', config.Subjects!)}");
            Assert.Equal((StreamConfigStorage.File, 1), (config.Storage, config.NumReplicas));
        }

        string n = options.Name;
        Assert.Equal(
            [$"{n}-labels-0 {n}.labels.0", $"{n}-labels-1 {n}.labels.1", $"{n}-lease-0 {n}.lease.0", $"{n}-lease-1 {n}.lease.1",
                $"{n}-records-0 {n}.records.0", $"{n}-records-1 {n}.records.1", $"{n}-selections {n}.selections.*.*",
                $"{n}-settings {n}.settings", $"{n}-windows-0 {n}.windows.0.*", $"{n}-windows-1 {n}.windows.1.*"],
            found.Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task Migrate_SeveralAtOnce_OneStore()
    {
        NatsStoreOptions options = fixture.NewOptions(partitions: 1);
        await Task.WhenAll(Enumerable.Range(0, 4).Select(_ => fixture.NewStore<BinaryRecord>(options)));
    }

    [Fact]
    public async Task Migrate_OtherPartitions_RefusedWithBothNumbers()
    {
        NatsStoreOptions options = fixture.NewOptions(partitions: 2);
        await fixture.NewStore<BinaryRecord>(options);
        var e = await Assert.ThrowsAsync<InvalidOperationException>(
            () => fixture.NewStore<BinaryRecord>(options with { Partitions = 3 }));
        Assert.Equal($"The store {options.Name} was made with NatsStoreOptions.Partitions 2, and this one asks for 3.", e.Message);
    }

    [Fact]
    public async Task Migrate_OtherKindOfRecord_Refused()
    {
        NatsStoreOptions options = fixture.NewOptions(partitions: 1);
        await fixture.NewStore<BinaryRecord>(options);
        var e = await Assert.ThrowsAsync<InvalidOperationException>(() => fixture.NewStore<RegressionRecord>(options));
        Assert.Equal($"The store {options.Name} holds Binary records, and this one is of Regression records. Use another name.", e.Message);
    }

    [Fact]
    public async Task Migrate_StreamOfOthersUnderOurName_Refused()
    {
        NatsStoreOptions options = fixture.NewOptions(partitions: 1);
        await new NatsJSContext(fixture.Connection).CreateStreamAsync(new StreamConfig($"{options.Name}-records-0", ["elsewhere"]));
        var e = await Assert.ThrowsAsync<InvalidOperationException>(() => fixture.NewStore<BinaryRecord>(options));
        Assert.Equal($"The stream {options.Name}-records-0 is there with subjects elsewhere, and this store asks for "
            + $"{options.Name}.records.0. Use another store name, or the options it was made with.", e.Message);
    }

    [Fact]
    public async Task Migrate_SettingsOfANewerVersion_Refused()
    {
        NatsStoreOptions options = fixture.NewOptions(partitions: 1);
        var context = new NatsJSContext(fixture.Connection);
        await context.CreateStreamAsync(new StreamConfig($"{options.Name}-settings", [$"{options.Name}.settings"]));
        await context.PublishAsync($"{options.Name}.settings", new byte[] { 2, 0, 0 });
        var e = await Assert.ThrowsAsync<NotSupportedException>(() => fixture.NewStore<BinaryRecord>(options));
        Assert.StartsWith($"The store {options.Name} has version 2, and this library knows versions up to 1.", e.Message);
    }

    [Fact]
    public async Task OpenWriter_NoStore_SaysToMigrate()
    {
        using var folder = new ForwardSampling.Tests.Shared.TemporaryFolder();
        NatsStoreOptions options = fixture.NewOptions();
        await using var store = new NatsRecordStore<BinaryRecord>(fixture.Connection, options);
        var e = await Assert.ThrowsAsync<InvalidOperationException>(() => store.OpenWriterAsync(folder.Path));
        Assert.StartsWith($"There is no store {options.Name} in this cluster. Call MigrateAsync once", e.Message);
    }
}
