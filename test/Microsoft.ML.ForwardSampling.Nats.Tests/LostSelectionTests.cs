using Microsoft.ML.ForwardSampling.Records;
using NATS.Client.JetStream;
using NATS.Client.JetStream.Models;

namespace Microsoft.ML.ForwardSampling.Nats.Tests;

/// <summary>A cluster that loses selections which it has acknowledged.</summary>
public sealed class LostSelectionTests(StoreFixture fixture)
{
    [Fact]
    public async Task Selection_LostAfterTheJoinerSawIt_ComesBackBitForBit()
    {
        await using Fleet fleet = await Fleet.Begin(fixture);
        await using NatsJoiner<RegressionRecord> joiner = await CompleteThree(fleet);
        byte[] before = await Selection(fleet, 1);
        await Lose(fleet, 1);
        Assert.Single(await Read(fleet));

        await joiner.CompletedAsync();

        Assert.Equal(before, await Selection(fleet, 1));
        Assert.Equal([0, 1, 2], await Read(fleet));
        Assert.Equal((1, 0), (joiner.Report.RestoredSelections, joiner.Report.RepeatedWindows));
        Assert.Null(await fleet.Store.ClaimWindowAsync());
    }

    [Fact]
    public async Task Selection_LostWhileNoJoinerRan_ComesBackFromTheFolder()
    {
        await using Fleet fleet = await Fleet.Begin(fixture);
        await (await CompleteThree(fleet)).DisposeAsync();
        byte[] before = await Selection(fleet, 2);
        await Lose(fleet, 0);
        await Lose(fleet, 2);

        await using NatsJoiner<RegressionRecord> next = await fleet.OpenJoiner();
        await next.CompletedAsync();

        Assert.Equal([0, 1, 2], await Read(fleet));
        Assert.Equal(before, await Selection(fleet, 2));
        Assert.Equal(2, next.Report.RestoredSelections);
    }

    [Fact]
    public async Task Selection_AnotherInItsPlace_TheKeptOneIsTheWindows()
    {
        await using Fleet fleet = await Fleet.Begin(fixture);
        await using NatsJoiner<RegressionRecord> joiner = await CompleteThree(fleet);
        byte[] before = await Selection(fleet, 1);
        await Lose(fleet, 1);
        byte[] other = SelectionEncoding.Write(7, "another", [new SelectedKey(150, 2f)]);
        Assert.True(await new JetStream(fixture.Connection).TryCreate($"{fleet.Options.Name}.selections.0.1", other, default));

        await joiner.CompletedAsync();

        Assert.Equal(before, await Selection(fleet, 1));
    }

    /// <summary>As after a kill between the two.</summary>
    [Fact]
    public async Task Open_SelectionKeptAndItsWindowNotLetGoOf_TheWindowIsNotOfferedAgain()
    {
        await using Fleet fleet = await Fleet.Begin(fixture);
        await fleet.Write(0, 300);
        await fleet.JoinAll();
        string windows = Assert.Single(Directory.GetFiles(fleet.JoinerFolder, "0*.fsw", SearchOption.AllDirectories));
        byte[] open = await File.ReadAllBytesAsync(windows);
        await using (NatsJoiner<RegressionRecord> first = await fleet.OpenJoiner())
        {
            Assert.Equal(300, (await fleet.WorkOff(300)).Count);
            await first.CompletedAsync();
        }

        string folder = Path.GetDirectoryName(Directory.GetFiles(fleet.JoinerFolder, "*.fsk", SearchOption.AllDirectories)[0])!;
        await File.WriteAllBytesAsync(Path.Combine(folder, Path.GetFileName(windows)), open);
        await Lose(fleet, 0);

        await using NatsJoiner<RegressionRecord> second = await fleet.OpenJoiner();
        Assert.Equal(0, second.Report.OpenWindows);
        await second.CompletedAsync();
        Assert.Equal([0, 1, 2], await Read(fleet));
        Assert.Null(await fleet.Store.ClaimWindowAsync());
        Assert.Empty(Directory.GetFiles(fleet.JoinerFolder, "0*.fsw", SearchOption.AllDirectories));
    }

    [Fact]
    public async Task Selection_Settled_IsKeptNoLonger()
    {
        await using Fleet fleet = await Fleet.Begin(fixture);
        await using NatsJoiner<RegressionRecord> joiner = await CompleteThree(fleet, TimeSpan.FromMilliseconds(50));

        await StoreFixture.Until(() => Directory.GetFiles(fleet.JoinerFolder, "*.fsk", SearchOption.AllDirectories).Length == 0,
            "Settled selections were not let go of.");
        Assert.Equal(0, joiner.Report.RestoredSelections);
        Assert.Equal([0, 1, 2], await Read(fleet));
    }

    [Fact]
    public void Scan_CutOffAnywhere_GivesWhatIsWhole()
    {
        using var folder = new ForwardSampling.Tests.Shared.TemporaryFolder();
        byte[] first = SelectionEncoding.Write(1, "a", [new SelectedKey(1, 2f)]), second = SelectionEncoding.Write(2, "b", []);
        string path = folder.File("selections.fsk");
        KeptSelections written = KeptSelections.Write(path, [(4, first), (9, second)]);
        byte[] whole = File.ReadAllBytes(path);
        Assert.Equal(written.Entries, KeptSelections.Scan(path).Entries);
        Assert.Equal(second, KeptSelections.Scan(path).Read(written.Entries[1]));
        for (int length = 0; length < whole.Length; length++)
        {
            File.WriteAllBytes(path, whole[..length]);
            Assert.Equal(length < written.Entries[1].Offset - 16 ? 0 : 1, KeptSelections.Scan(path).Entries.Count);
        }

        whole[3] = 2;
        File.WriteAllBytes(path, whole);
        Assert.Equal($"{path} has format version 2, and this library reads versions up to 1.",
            Assert.Throws<NotSupportedException>(() => KeptSelections.Scan(path)).Message);
    }

    private static async Task<NatsJoiner<RegressionRecord>> CompleteThree(Fleet fleet, TimeSpan? settled = null)
    {
        await fleet.Write(0, 300);
        NatsJoiner<RegressionRecord> joiner = await fleet.Store.OpenJoinerAsync(0, fleet.JoinerFolder, Fleet.Rules,
            settled is { } time ? Fleet.Often with { SettledAfter = time } : Fleet.Often);
        joiner.Complete();
        await joiner.RunAsync();
        Assert.Equal(300, (await fleet.WorkOff(300)).Count);
        await joiner.CompletedAsync();
        return joiner;
    }

    private async Task Lose(Fleet fleet, long window) => await new NatsJSContext(fixture.Connection).PurgeStreamAsync(
        $"{fleet.Options.Name}-selections", new StreamPurgeRequest { Filter = $"{fleet.Options.Name}.selections.0.{window}" });

    private async Task<byte[]> Selection(Fleet fleet, long window) => (await new JetStream(fixture.Connection).Last(
        $"{fleet.Options.Name}-selections", $"{fleet.Options.Name}.selections.0.{window}", default))!.Data.ToArray();

    private static async Task<List<long>> Read(Fleet fleet)
    {
        var numbers = new List<long>();
        await foreach (NatsSelection selection in fleet.Store.ReadSelectionsAsync(0))
            numbers.Add(selection.Number);
        return numbers;
    }
}
