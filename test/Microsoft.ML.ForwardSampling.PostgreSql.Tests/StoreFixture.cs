using Microsoft.ML.ForwardSampling.PostgreSql.Tests;
using Microsoft.ML.ForwardSampling.Records;
using Npgsql;

[assembly: AssemblyFixture(typeof(StoreFixture))]
[assembly: Xunit.v3.Parallelization(Mode = Xunit.Sdk.ParallelMode.None)]

namespace Microsoft.ML.ForwardSampling.PostgreSql.Tests;

/// <summary>One server for all tests; each test has a schema of its own.</summary>
public sealed class StoreFixture : IAsyncLifetime
{
    private PostgreSqlServer? _server;
    private NpgsqlDataSource? _source;
    private int _schemas;

    internal PostgreSqlServer Server => _server!;

    internal NpgsqlDataSource Source
    {
        get
        {
            Assert.SkipWhen(_server is null, "PostgreSQL is not installed: ./build.sh test installs it, or apt-get install postgresql.");
            return _source!;
        }
    }

    public async ValueTask InitializeAsync()
    {
        if (PostgreSqlServer.FindPrograms() is not string programs)
            return;
        _server = await PostgreSqlServer.Start(programs);
        _source = NpgsqlDataSource.Create(_server.ConnectionString);
    }

    public async ValueTask DisposeAsync()
    {
        if (_source is not null)
            await _source.DisposeAsync();
        if (_server is not null)
            await _server.DisposeAsync();
    }

    internal string NewSchema() => $"s{Interlocked.Increment(ref _schemas)}";

    /// <summary>A store in a new schema.</summary>
    internal async Task<PostgreSqlRecordStore<TRecord>> NewStore<TRecord>(PostgreSqlStoreOptions? options = null)
        where TRecord : struct, IForwardRecord<TRecord>
    {
        var store = new PostgreSqlRecordStore<TRecord>(Source, (options ?? new PostgreSqlStoreOptions()) with { Schema = NewSchema() });
        await store.MigrateAsync();
        return store;
    }

    /// <summary>The schema that was made last.</summary>
    internal string LastSchema => $"s{_schemas}";

    internal async Task Execute(string sql)
    {
        await using NpgsqlCommand command = Source.CreateCommand(sql);
        await command.ExecuteNonQueryAsync();
    }

    internal async Task<T> Scalar<T>(string sql)
    {
        await using NpgsqlCommand command = Source.CreateCommand(sql);
        return (T)(await command.ExecuteScalarAsync())!;
    }
}
