using System.Diagnostics;
using Microsoft.ML.ForwardSampling.Records;
using Microsoft.ML.ForwardSampling.Tests.Shared;

namespace Microsoft.ML.ForwardSampling.Nats.Tests;

/// <summary>A small store with writers, for tests of joiners and workers.</summary>
internal sealed class Fleet : IAsyncDisposable
{
    public static readonly DateTime Start = new(2026, 5, 1, 0, 0, 0, DateTimeKind.Utc);

    public static readonly LabelJoinOptions Rules = new() { Wait = TimeSpan.FromHours(1), Lateness = TimeSpan.FromHours(1) };

    public static readonly NatsJoinerOptions Often = new() { SaveInterval = TimeSpan.FromMilliseconds(10) };

    private static readonly NatsWriterOptions s_small = new()
    {
        BatchRecords = 50,
        MemoryRecords = 3200,
        FlushInterval = TimeSpan.FromMilliseconds(5),
        RetryInterval = TimeSpan.FromMilliseconds(10),
        FileBytes = 65536,
    };

    private readonly TemporaryFolder _folder = new();

    private Fleet(NatsRecordStore<RegressionRecord> store, NatsStoreOptions options) => (Store, Options) = (store, options);

    public NatsRecordStore<RegressionRecord> Store { get; }

    public NatsStoreOptions Options { get; }

    public string JoinerFolder => FolderOf("joiner");

    public NatsRecordWriter<RegressionRecord> Records { get; private set; } = null!;

    public NatsRecordWriter<LabelEvent> Labels { get; private set; } = null!;

    public static async Task<Fleet> Begin(StoreFixture fixture, int partitions = 1, long streamBytes = 16 << 20, int windowRows = 100)
    {
        NatsStoreOptions options = fixture.NewOptions(partitions) with { StreamBytes = streamBytes, WindowRows = windowRows };
        var fleet = new Fleet(await fixture.NewStore<RegressionRecord>(options), options);
        fleet.Records = await fleet.Store.OpenWriterAsync(fleet._folder.File("records"), s_small);
        fleet.Labels = await fleet.Store.OpenLabelWriterAsync(fleet._folder.File("labels"), s_small);
        return fleet;
    }

    /// <summary>Writes rows with the keys from <paramref name="first"/> on, each with a label that is its key; the cluster has
    /// them.</summary>
    public async Task Write(int first, int count, bool withLabels = true)
    {
        for (int i = first; i < first + count; i++)
        {
            Records.Append(new RegressionRecord((ulong)i, i + 0.5f, 1, Start.AddMilliseconds(i)));
            if (withLabels)
                Labels.Append(new LabelEvent((ulong)i, i, Start.AddMilliseconds(i)));
        }

        Records.Flush();
        Labels.Flush();
        await StoreFixture.Until(() => Records.Report.UnshippedBlocks + Labels.Report.UnshippedBlocks == 0, "Not shipped.");
    }

    /// <summary>A folder of the test.</summary>
    public string FolderOf(string name) => _folder.File(name);

    public Task<NatsJoiner<RegressionRecord>> OpenJoiner(int partition = 0, string? folder = null, IJoinStateStore? states = null)
        => Store.OpenJoinerAsync(partition, folder ?? JoinerFolder, Rules, Often with { StateStore = states });

    /// <summary>Joins all that was written to its end.</summary>
    public async Task<NatsJoinerReport> JoinAll(int partition = 0, string? folder = null, IJoinStateStore? states = null)
    {
        await using NatsJoiner<RegressionRecord> joiner = await OpenJoiner(partition, folder, states);
        joiner.Complete();
        using var soon = new CancellationTokenSource(TimeSpan.FromSeconds(60));
        await joiner.RunAsync(soon.Token);
        return joiner.Report;
    }

    /// <summary>Claims and completes windows, selecting all rows, until so many rows came or none does for a while; gives their
    /// keys.</summary>
    public async Task<List<ulong>> WorkOff(int rows)
    {
        var keys = new List<ulong>();
        for (var idle = Stopwatch.StartNew(); keys.Count < rows && idle.Elapsed < TimeSpan.FromSeconds(20);)
        {
            await using NatsWindow? window = await Store.ClaimWindowAsync();
            if (window is null)
            {
                await Task.Delay(5);
                continue;
            }

            Assert.True(await window.CompleteAsync([.. window.Records.Select(r => new SelectedKey(r.Key, 1))]));
            keys.AddRange(window.Records.Select(r => r.Key));
            idle.Restart();
        }

        return keys;
    }

    public async ValueTask DisposeAsync()
    {
        await Records.DisposeAsync();
        await Labels.DisposeAsync();
        await Store.DisposeAsync();
        _folder.Dispose();
    }
}
