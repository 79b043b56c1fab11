using System.Diagnostics;
using Microsoft.ML.ForwardSampling.Nats.Tests;
using Microsoft.ML.ForwardSampling.Records;
using Microsoft.ML.ForwardSampling.Tests.Shared;
using NATS.Client.Core;

[assembly: AssemblyFixture(typeof(StoreFixture))]
[assembly: Xunit.v3.Parallelization(Mode = Xunit.Sdk.ParallelMode.None)]

namespace Microsoft.ML.ForwardSampling.Nats.Tests;

/// <summary>One server for all quick tests; each test has a store name of its own.</summary>
public sealed class StoreFixture : IAsyncLifetime
{
    private NatsCluster? _server;
    private NatsConnection? _connection;
    private int _names;

    internal NatsConnection Connection
    {
        get
        {
            Assert.SkipWhen(_server is null, "nats-server is not installed: ./build.sh test installs it, or apt-get install nats-server.");
            return _connection!;
        }
    }

    internal string Url => _server!.Url;

    public ValueTask InitializeAsync()
    {
        if (NatsCluster.FindProgram() is null)
            return ValueTask.CompletedTask;
        _server = NatsCluster.Start(1);
        _connection = new NatsConnection(NatsOpts.Default with { Url = _server.Url });
        return ValueTask.CompletedTask;
    }

    public async ValueTask DisposeAsync()
    {
        if (_connection is not null)
            await _connection.DisposeAsync();
        if (_server is not null)
            await _server.DisposeAsync();
    }

    /// <summary>Options for a store of one node, with a name that no other test has.</summary>
    internal NatsStoreOptions NewOptions(int partitions = 2) => new()
    {
        Name = $"s{Interlocked.Increment(ref _names)}",
        Partitions = partitions,
        Replicas = 1,
        StreamBytes = 16 << 20,
        WindowRows = 100,
        LeaseTimeout = TimeSpan.FromSeconds(1),
        ClaimTimeout = TimeSpan.FromSeconds(1),
    };

    /// <summary>A store that is there.</summary>
    internal async Task<NatsRecordStore<TRecord>> NewStore<TRecord>(NatsStoreOptions options)
        where TRecord : struct, IForwardRecord<TRecord>
    {
        var store = new NatsRecordStore<TRecord>(Connection, options);
        await store.MigrateAsync(TestContext.Current.CancellationToken);
        return store;
    }

    /// <summary>Waits for what must come.</summary>
    internal static async Task Until(Func<bool> condition, string otherwise, int seconds = 30)
    {
        for (var clock = Stopwatch.StartNew(); !condition(); await Task.Delay(5))
            Assert.True(clock.Elapsed < TimeSpan.FromSeconds(seconds), otherwise);
    }
}
