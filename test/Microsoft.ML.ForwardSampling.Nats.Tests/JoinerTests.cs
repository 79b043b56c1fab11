using Microsoft.ML.ForwardSampling.Records;
using NATS.Client.JetStream;
using NATS.Client.JetStream.Models;

namespace Microsoft.ML.ForwardSampling.Nats.Tests;

public class JoinerTests(StoreFixture fixture)
{
    [Fact]
    public async Task Run_AllPartitions_EachRowInOneWindow()
    {
        await using Fleet fleet = await Fleet.Begin(fixture, partitions: 3);
        await fleet.Write(0, 1000);
        NatsJoinerReport[] reports = await Task.WhenAll(fleet.JoinAll(0), fleet.JoinAll(1), fleet.JoinAll(2));
        Assert.Equal(1000, reports.Sum(r => r.Join.Joined));
        Assert.Equal([4, 4, 4], reports.Select(r => (int)r.Windows));
        Assert.Equal(Enumerable.Range(0, 1000).Select(i => (ulong)i), (await fleet.WorkOff(1000)).Order());
        for (int p = 0; p < 3; p++)
        {
            var numbers = new List<long>();
            await foreach (NatsSelection selection in fleet.Store.ReadSelectionsAsync(p))
            {
                numbers.Add(selection.Number);
                Assert.All(selection.Rows, row => Assert.Equal(p, (int)(row.Key % 3)));
            }

            Assert.Equal([0, 1, 2, 3], numbers);
        }
    }

    [Fact]
    public async Task Run_Saved_WritersLetGoAndStreamsAreEmptied()
    {
        await using Fleet fleet = await Fleet.Begin(fixture);
        await fleet.Write(0, 500);
        await fleet.JoinAll();
        await StoreFixture.Until(() => fleet.Records.Report.UnconfirmedRecords + fleet.Labels.Report.UnconfirmedRecords == 0,
            "The writers were not told.");
    }

    [Fact]
    public async Task Window_CarriesTheRowsAsTheyWereJoined()
    {
        await using Fleet fleet = await Fleet.Begin(fixture);
        await fleet.Write(0, 100);
        await fleet.JoinAll();
        await using NatsWindow? window = await fleet.Store.ClaimWindowAsync();
        JoinedRecord[] expected = [.. Enumerable.Range(0, 100).Select(i => new RegressionRecord((ulong)i, i + 0.5f, 1,
            Fleet.Start.AddMilliseconds(i)).Join(i))];
        Assert.Equal(expected, window!.Records);
    }

    /// <summary>A message that a node has lost, or a store edited so that copies differ.</summary>
    [Theory]
    [InlineData(1ul)]
    [InlineData(7ul)]
    [InlineData(20ul)]
    public async Task Run_BlockMissingInTheStream_AskedForAgainAndNothingLost(ulong missing)
    {
        await using Fleet fleet = await Fleet.Begin(fixture);
        await fleet.Write(0, 1000);
        await new NatsJSContext(fixture.Connection).DeleteMessageAsync($"{fleet.Options.Name}-records-0",
            new StreamMsgDeleteRequest { Seq = missing });
        await using NatsJoiner<RegressionRecord> joiner = await fleet.OpenJoiner();
        using var soon = new CancellationTokenSource(TimeSpan.FromSeconds(30));
        Task running = joiner.RunAsync(soon.Token);
        await StoreFixture.Until(() => fleet.Records.Report.UnconfirmedRecords == 0 || running.IsCompleted, "The gap was not filled.");
        joiner.Complete();
        await running;
        Assert.Equal((1000, 0), (joiner.Report.Join.Joined, joiner.Report.LostBlocks));
        Assert.Equal(Enumerable.Range(0, 1000).Select(i => (ulong)i), (await fleet.WorkOff(1000)).Order());
        Assert.True(fleet.Records.Report.RepeatedBlocks > 0);
    }

    [Fact]
    public async Task Run_BlocksTwiceInTheStream_CountedOnce()
    {
        await using Fleet fleet = await Fleet.Begin(fixture);
        await fleet.Write(0, 300);
        var stream = new JetStream(fixture.Connection);
        string name = $"{fleet.Options.Name}-records-0", subject = $"{fleet.Options.Name}.records.0";
        for (ulong seq = 1; seq <= 6; seq++)
            await stream.Append(subject, (await stream.Next(name, subject, seq, default))!.Data, null, null, default);
        NatsJoinerReport report = await fleet.JoinAll();
        Assert.Equal((300, 6, 0), (report.Join.Joined, report.RepeatedBlocks, report.Join.DuplicateRecords));
    }

    [Fact]
    public async Task Run_MessageThatIsNoBlock_CountedAndPassedOver()
    {
        await using Fleet fleet = await Fleet.Begin(fixture);
        await fixture.Connection.PublishAsync($"{fleet.Options.Name}.records.0", "not a block");
        await fleet.Write(0, 100);
        NatsJoinerReport report = await fleet.JoinAll();
        Assert.Equal((100, 1), (report.Join.Joined, report.DamagedBlocks));
    }

    [Fact]
    public async Task Open_SecondJoiner_WaitsAndGoesOnWhereTheFirstHadSaved()
    {
        await using Fleet fleet = await Fleet.Begin(fixture);
        await fleet.Write(0, 250);
        NatsJoiner<RegressionRecord> first = await fleet.OpenJoiner();
        using var ending = new CancellationTokenSource();
        Task running = first.RunAsync(ending.Token);
        await StoreFixture.Until(() => fleet.Records.Report.UnconfirmedRecords == 0 || running.IsCompleted, "Nothing was saved.");
        Task<NatsJoiner<RegressionRecord>> opening = fleet.OpenJoiner();
        await Task.Delay(1500);
        Assert.False(opening.IsCompleted);
        await ending.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => running);
        await first.DisposeAsync();

        await using NatsJoiner<RegressionRecord> second = await opening;
        Assert.Equal(2, second.Epoch);
        await fleet.Write(250, 50);
        second.Complete();
        await second.RunAsync();
        Assert.Equal(300, second.Report.Join.Joined);
        Assert.Equal(Enumerable.Range(0, 300).Select(i => (ulong)i), (await fleet.WorkOff(300)).Order());
    }

    /// <summary>A joiner that stood still and wakes up finds the partition taken: it saves into its own folder, and tells nobody.</summary>
    [Fact]
    public async Task Run_TakenOver_ThrowsAndItsWindowsStayUnseen()
    {
        await using Fleet fleet = await Fleet.Begin(fixture);
        await fleet.Write(0, 100);
        await using NatsJoiner<RegressionRecord> zombie = await fleet.OpenJoiner();
        // As a later owner does it: an entry behind the zombie's.
        var stream = new JetStream(fixture.Connection);
        await stream.Append($"{fleet.Options.Name}.lease.0", new LeaseEntry(2, 77, 1, IsReleased: true, "another").ToArray(), null, null,
            default);
        zombie.Complete();
        var lost = await Assert.ThrowsAsync<LeaseLostException>(() => zombie.RunAsync());
        Assert.Equal("Partition 0 is joined by another now, epoch 2; this joiner was of epoch 1.", lost.Message);
        Assert.Null(await fleet.Store.ClaimWindowAsync());
        Assert.Equal(100, fleet.Records.Report.UnconfirmedRecords);
        await fleet.JoinAll();
        Assert.Equal(100, (await fleet.WorkOff(100)).Count);
    }

    /// <summary>Dead between the lease and telling: who goes on has no news, and answers all the same.</summary>
    [Theory]
    [InlineData("saved")]
    [InlineData("committed")]
    public async Task Run_EndedBeforeItTold_TheNextTellsAndSends(string moment)
    {
        await using Fleet fleet = await Fleet.Begin(fixture);
        await fleet.Write(0, 100);
        await using (NatsJoiner<RegressionRecord> dead = await fleet.OpenJoiner())
        {
            dead.Passing = passing =>
            {
                if (passing == moment && dead.Report.Windows == 1)
                    throw new IOException("It ends here.");
            };
            await Assert.ThrowsAsync<IOException>(() => dead.RunAsync());
        }

        Assert.Null(await fleet.Store.ClaimWindowAsync());
        await using NatsJoiner<RegressionRecord> next = await fleet.OpenJoiner();
        using var ending = new CancellationTokenSource();
        Task running = next.RunAsync(ending.Token);
        Assert.Equal(100, (await fleet.WorkOff(100)).Count);
        await StoreFixture.Until(() => fleet.Records.Report.UnconfirmedRecords + fleet.Labels.Report.UnconfirmedRecords == 0
            || running.IsCompleted, "The writers were not told.");
        var context = new NatsJSContext(fixture.Connection);
        await StoreFixture.Until(() => context.GetStreamAsync($"{fleet.Options.Name}-records-0").AsTask().GetAwaiter().GetResult()
            .Info.State.Messages == 0 || running.IsCompleted, "The cluster did not forget.");
        Assert.False(running.IsCompleted);
        await ending.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => running);
    }

    [Fact]
    public async Task Open_FolderWithoutTheLatestState_Refused()
    {
        await using Fleet fleet = await Fleet.Begin(fixture);
        await fleet.Write(0, 100);
        await fleet.JoinAll();
        using var other = new ForwardSampling.Tests.Shared.TemporaryFolder();
        var e = await Assert.ThrowsAsync<InvalidOperationException>(() => fleet.Store.OpenJoinerAsync(0, other.Path, Fleet.Rules));
        Assert.Contains("its state of epoch 1 is not in this folder, which has none.", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Window_LostByTheCluster_SentAgain()
    {
        await using Fleet fleet = await Fleet.Begin(fixture);
        await fleet.Write(0, 100);
        await using NatsJoiner<RegressionRecord> joiner = await fleet.OpenJoiner();
        joiner.Complete();
        await joiner.RunAsync();
        await new NatsJSContext(fixture.Connection).PurgeStreamAsync($"{fleet.Options.Name}-windows-0", new StreamPurgeRequest());
        await StoreFixture.Until(() => joiner.Report.RepeatedWindows > 0, "The window was not missed.");
        Assert.Equal(100, (await fleet.WorkOff(100)).Count);
        await joiner.CompletedAsync();
        Assert.Empty(Directory.GetFiles(fleet.JoinerFolder, "0*.fsw", SearchOption.AllDirectories));
    }

    [Fact]
    public async Task Window_OtherRowsUnderItsNumber_TheJoinerStops()
    {
        await using Fleet fleet = await Fleet.Begin(fixture);
        await fleet.Write(0, 100);
        await new JetStream(fixture.Connection).TryCreate($"{fleet.Options.Name}.windows.0.0", new byte[] { 1, 2, 3 }, default);
        await using NatsJoiner<RegressionRecord> joiner = await fleet.OpenJoiner();
        joiner.Complete();
        var e = await Assert.ThrowsAsync<LeaseLostException>(() => joiner.RunAsync());
        Assert.StartsWith("Window 0 of partition 0 is in the cluster with other rows", e.Message);
    }

    [Fact]
    public async Task Run_StoppedAtAnyMomentAndOpenedAgain_EveryRowOnce()
    {
        await using Fleet fleet = await Fleet.Begin(fixture);
        var random = new Random(4);
        int written = 0;
        for (int i = 0; i < 12; i++)
        {
            int more = random.Next(20, 300);
            await fleet.Write(written, more);
            written += more;
            await using NatsJoiner<RegressionRecord> joiner = await fleet.OpenJoiner();
            using var soon = new CancellationTokenSource(TimeSpan.FromMilliseconds(random.Next(5, 150)));
            await Assert.ThrowsAnyAsync<OperationCanceledException>(() => joiner.RunAsync(soon.Token));
        }

        NatsJoinerReport report = await fleet.JoinAll();
        Assert.Equal((written, 0, 0), (report.Join.Joined, report.LostBlocks, report.Join.DuplicateRecords));
        Assert.Equal(Enumerable.Range(0, written).Select(i => (ulong)i), (await fleet.WorkOff(written)).Order());
    }

    /// <summary>Windows of one save are in one file, which stays until all of them are completed.</summary>
    [Fact]
    public async Task Open_SomeWindowsCompleted_OnlyTheOthersAreOpen()
    {
        await using Fleet fleet = await Fleet.Begin(fixture);
        await fleet.Write(0, 500);
        List<ulong> keys;
        await using (NatsJoiner<RegressionRecord> first = await SaveOnce(fleet))
        {
            keys = await fleet.WorkOff(200);
            await StoreFixture.Until(() => first.Report.OpenWindows == 3, "Completed windows were not let go of.");
        }

        await using NatsJoiner<RegressionRecord> second = await fleet.OpenJoiner();
        Assert.Equal((3, 5), (second.Report.OpenWindows, second.Report.Windows));
        Assert.Single(Directory.GetFiles(fleet.JoinerFolder, "0*.fsw", SearchOption.AllDirectories));
        keys.AddRange(await fleet.WorkOff(300));
        Assert.Equal(Enumerable.Range(0, 500).Select(i => (ulong)i), keys.Order());
        await second.CompletedAsync();
        Assert.Empty(Directory.GetFiles(fleet.JoinerFolder, "0*.fsw", SearchOption.AllDirectories));
    }

    [Theory]
    [InlineData(9, "no window, or damaged: its header is not whole.")]
    [InlineData(-1, "bytes is not whole.")]
    public async Task Open_DamagedFileOfWindows_NamesThePlace(int damaged, string expected)
    {
        await using Fleet fleet = await Fleet.Begin(fixture);
        await fleet.Write(0, 300);
        await (await SaveOnce(fleet)).DisposeAsync();
        string file = Directory.GetFiles(fleet.JoinerFolder, "0*.fsw", SearchOption.AllDirectories).Single();
        byte[] bytes = await File.ReadAllBytesAsync(file);
        int second = BitConverter.ToInt32(bytes, 4);        // the first window's length
        if (damaged < 0)
            bytes = bytes[..^1];
        else
            bytes[second + damaged] ^= 1;
        await File.WriteAllBytesAsync(file, bytes);
        var e = await Assert.ThrowsAsync<InvalidDataException>(() => fleet.OpenJoiner());
        Assert.Contains($".fsw at byte {(damaged < 0 ? 2 * second : second)}: ", e.Message, StringComparison.Ordinal);
        Assert.EndsWith(expected, e.Message, StringComparison.Ordinal);
    }

    /// <summary>Dead while it closed its last window short: half of that is there, and all of its rows as they were saved before.</summary>
    [Fact]
    public async Task Open_WindowClosedShortAndTorn_MadeAgainFromTheSavedRows()
    {
        await using Fleet fleet = await Fleet.Begin(fixture);
        await fleet.Write(0, 150);
        await using (NatsJoiner<RegressionRecord> dead = await fleet.OpenJoiner())
        {
            using var ending = new CancellationTokenSource();
            Task running = dead.RunAsync(ending.Token);
            await StoreFixture.Until(() => fleet.Records.Report.UnconfirmedRecords + fleet.Labels.Report.UnconfirmedRecords == 0
                || running.IsCompleted, "Nothing was saved.");
            await ending.CancelAsync();
            await Assert.ThrowsAnyAsync<OperationCanceledException>(() => running);
        }

        string partial = Directory.GetFiles(fleet.JoinerFolder, "partial-*.fsw", SearchOption.AllDirectories).Single();
        await File.WriteAllBytesAsync(partial.Replace("partial-", "", StringComparison.Ordinal), [(byte)'F', (byte)'S']);
        NatsJoinerReport report = await fleet.JoinAll();
        Assert.Equal((150, 2), (report.Join.Joined, report.Windows));
        Assert.Equal(Enumerable.Range(0, 150).Select(i => (ulong)i), (await fleet.WorkOff(150)).Order());
    }

    /// <summary>Joiners wait for blocks: on the pool's threads they would keep them from coming.</summary>
    [Fact]
    public async Task Run_ItsThread_IsNoneOfThePool()
    {
        await using Fleet fleet = await Fleet.Begin(fixture);
        await fleet.Write(0, 10);
        await using NatsJoiner<RegressionRecord> joiner = await fleet.OpenJoiner();
        bool? isPool = null;
        joiner.Passing = moment => isPool = moment == "saved" ? Thread.CurrentThread.IsThreadPoolThread : isPool;
        joiner.Complete();
        await joiner.RunAsync();
        Assert.False(isPool);
    }

    /// <summary>Windows that nobody takes fill their stream; then joining waits, and writers keep their blocks.</summary>
    [Fact]
    public async Task Run_WindowsStreamFull_WaitsForWorkersAndLosesNothing()
    {
        const int Rows = 12 * 4096;
        await using Fleet fleet = await Fleet.Begin(fixture, streamBytes: 1 << 20, windowRows: 4096);
        await using NatsJoiner<RegressionRecord> joiner = await fleet.OpenJoiner();
        using var soon = new CancellationTokenSource(TimeSpan.FromSeconds(60));
        Task running = joiner.RunAsync(soon.Token);
        Task writing = fleet.Write(0, Rows);
        await StoreFixture.Until(() => joiner.Report.Failure is not null || running.IsCompleted, "The stream did not fill.");
        Assert.Equal("maximum bytes exceeded", joiner.Report.Failure);
        List<ulong> keys = await fleet.WorkOff(Rows);
        await writing;
        joiner.Complete();
        await running;
        Assert.Equal(Enumerable.Range(0, Rows).Select(i => (ulong)i), keys.Order());
    }

    /// <summary>What the lease stands on.</summary>
    [Fact]
    public async Task TryAppendAfter_SomethingElseIsLast_Refused()
    {
        NatsStoreOptions options = fixture.NewOptions(partitions: 1);
        await fixture.NewStore<RegressionRecord>(options);
        var stream = new JetStream(fixture.Connection);
        string subject = $"{options.Name}.lease.0";
        Assert.Equal(1ul, await stream.TryAppendAfter(subject, new byte[1], 0, default));
        Assert.Null(await stream.TryAppendAfter(subject, new byte[1], 0, default));
        Assert.Equal(2ul, await stream.TryAppendAfter(subject, new byte[1], 1, default));
        Assert.Null(await stream.TryAppendAfter(subject, new byte[1], 1, default));
    }

    /// <summary>A joiner that has joined all that is there and saved once.</summary>
    private static async Task<NatsJoiner<RegressionRecord>> SaveOnce(Fleet fleet)
    {
        NatsJoiner<RegressionRecord> joiner = await fleet.Store.OpenJoinerAsync(0, fleet.JoinerFolder, Fleet.Rules,
            new NatsJoinerOptions { SaveInterval = TimeSpan.FromHours(1) });
        joiner.Complete();
        await joiner.RunAsync();
        return joiner;
    }
}
