using Microsoft.ML.ForwardSampling.Tests.Shared;
using Npgsql;

namespace Microsoft.ML.ForwardSampling.PostgreSql.Tests;

public class JoinStatesTests(StoreFixture fixture)
{
    private const string Join = "fleet.0";

    [Fact]
    public async Task Save_ThenFetch_GivesTheFilesAsOfTheLastSave()
    {
        PostgreSqlJoinStates states = await NewStates();
        using var from = new TemporaryFolder();
        byte[] large = new byte[(3 << 20) + 17];            // four pieces
        new Random(2).NextBytes(large);
        Write(from, "join.state", [1]);
        Write(from, "window-1", large);
        Write(from, "window-2", []);
        await states.SaveAsync(Join, 1, from.Path, ["join.state", "window-1", "window-2"], ["join.state", "window-1", "window-2"], Token);
        Write(from, "join.state", [2, 3]);
        Write(from, "window-3", [9]);
        await states.SaveAsync(Join, 1, from.Path, ["join.state", "window-1", "window-3"], ["join.state", "window-3"], Token);

        using var to = new TemporaryFolder();
        await states.FetchAsync(Join, 1, to.Path, Token);

        Assert.Equal(["join.state", "window-1", "window-3"], Names(to));
        Assert.Equal([2, 3], File.ReadAllBytes(to.File("join.state")));
        Assert.Equal(large, File.ReadAllBytes(to.File("window-1")));
        Assert.Equal([9], File.ReadAllBytes(to.File("window-3")));
    }

    [Fact]
    public async Task Save_FileThatIsNotThere_TheFormerStateStays()
    {
        PostgreSqlJoinStates states = await NewStates();
        using var folder = new TemporaryFolder();
        Write(folder, "join.state", [1]);
        await states.SaveAsync(Join, 1, folder.Path, ["join.state"], ["join.state"], Token);
        Write(folder, "join.state", [2]);
        await Assert.ThrowsAsync<FileNotFoundException>(
            () => states.SaveAsync(Join, 1, folder.Path, ["join.state", "gone"], ["join.state", "gone"], Token));

        using var to = new TemporaryFolder();
        await states.FetchAsync(Join, 1, to.Path, Token);
        Assert.Equal([1], File.ReadAllBytes(to.File("join.state")));
    }

    [Fact]
    public async Task FindLatest_OfSeveralEpochsAndJoins_IsTheHighestOfTheOneAskedFor()
    {
        PostgreSqlJoinStates states = await NewStates();
        using var folder = new TemporaryFolder();
        Write(folder, "join.state", [1]);
        Assert.Equal(0, await states.FindLatestAsync(Join, Token));
        await states.SaveAsync(Join, 9, folder.Path, [], [], Token);        // begun, and nothing joined yet
        await states.SaveAsync(Join, 10, folder.Path, ["join.state"], ["join.state"], Token);
        await states.SaveAsync("fleet.1", 77, folder.Path, ["join.state"], ["join.state"], Token);
        await states.SaveAsync(Join, 9, folder.Path, ["join.state"], ["join.state"], Token);    // one that has woken up
        Assert.Equal(10, await states.FindLatestAsync(Join, Token));

        await states.ForgetBeforeAsync(Join, 10, Token);
        using var to = new TemporaryFolder();
        await states.FetchAsync(Join, 9, to.Path, Token);
        Assert.Empty(Names(to));
        await states.FetchAsync(Join, 10, to.Path, Token);
        Assert.Equal(["join.state"], Names(to));
        Assert.Equal((10, 77), (await states.FindLatestAsync(Join, Token), await states.FindLatestAsync("fleet.1", Token)));
    }

    [Fact]
    public async Task Fetch_IntoAFolderWithFilesOfAnAttemptBefore_OnlyThoseOfTheSave()
    {
        PostgreSqlJoinStates states = await NewStates();
        using var folder = new TemporaryFolder();
        Write(folder, "a", [1]);
        await states.SaveAsync(Join, 1, folder.Path, ["a"], ["a"], Token);
        using var to = new TemporaryFolder();
        Write(to, "b", [2]);
        await states.FetchAsync(Join, 1, to.Path, Token);
        Assert.Equal(["a"], Names(to));
    }

    [Fact]
    public async Task Fetch_FileWhoseNameLeadsElsewhere_Refused()
    {
        PostgreSqlJoinStates states = await NewStates();
        await fixture.Execute($"INSERT INTO {fixture.LastSchema}.join_epochs VALUES ('{Join}', 1); "
            + $"INSERT INTO {fixture.LastSchema}.join_files VALUES ('{Join}', 1, '../elsewhere', 0, 'x')");
        using var to = new TemporaryFolder();
        var e = await Assert.ThrowsAsync<InvalidDataException>(() => states.FetchAsync(Join, 1, to.Path, Token));
        Assert.Equal("The state of fleet.0, epoch 1, has a file named '../elsewhere', which leads elsewhere.", e.Message);
    }

    [Fact]
    public async Task FindLatest_SchemaIsNotThere_NamesTheCall()
    {
        await using var states = new PostgreSqlJoinStates(fixture.Source, fixture.NewSchema());
        var e = await Assert.ThrowsAsync<InvalidOperationException>(() => states.FindLatestAsync(Join, Token));
        Assert.Contains("is not there, and this library needs version 1. Call MigrateAsync once", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Save_RoleThatMayOnlyRead_SaysSoAtOnce()
    {
        PostgreSqlJoinStates states = await NewStates();
        string schema = fixture.LastSchema;
        await fixture.Execute($"CREATE ROLE {schema}_reader; GRANT USAGE ON SCHEMA {schema} TO {schema}_reader; "
            + $"GRANT SELECT ON ALL TABLES IN SCHEMA {schema} TO {schema}_reader");
        var builder = new NpgsqlConnectionStringBuilder(fixture.Server.ConnectionString) { Options = $"-c role={schema}_reader" };
        await using var reader = new PostgreSqlJoinStates(builder.ConnectionString, schema);
        using var folder = new TemporaryFolder();
        var e = await Assert.ThrowsAsync<IOException>(() => reader.SaveAsync(Join, 1, folder.Path, [], [], Token));
        Assert.StartsWith($"The states of joins in schema \"{schema}\" cannot be read or written: 42501: permission denied", e.Message,
            StringComparison.Ordinal);
        Assert.Equal(0, await states.FindLatestAsync(Join, Token));
    }

    [Fact]
    public async Task FindLatest_NoServer_GivesUpInTheEnd()
    {
        await using var states = new PostgreSqlJoinStates("Host=127.0.0.1;Port=1;Username=nobody;Timeout=2")
        { Patience = TimeSpan.Zero };
        await Assert.ThrowsAsync<IOException>(() => states.FindLatestAsync(Join, Token));
    }

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    private async Task<PostgreSqlJoinStates> NewStates()
    {
        var states = new PostgreSqlJoinStates(fixture.Source, fixture.NewSchema());
        await Task.WhenAll(states.MigrateAsync(Token), states.MigrateAsync(Token));
        return states;
    }

    private static void Write(TemporaryFolder folder, string name, byte[] bytes) => File.WriteAllBytes(folder.File(name), bytes);

    private static string[] Names(TemporaryFolder folder)
        => [.. Directory.GetFiles(folder.Path).Select(path => Path.GetFileName(path)).Order(StringComparer.Ordinal)];
}
