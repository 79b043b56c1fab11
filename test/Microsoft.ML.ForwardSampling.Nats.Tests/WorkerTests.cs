using FsCheck.Fluent;
using Microsoft.ML.ForwardSampling.Records;
using Microsoft.ML.ForwardSampling.Tests;

namespace Microsoft.ML.ForwardSampling.Nats.Tests;

public class WorkerTests(StoreFixture fixture)
{
    [Fact]
    public async Task Claim_NothingOpen_Null()
    {
        await using Fleet fleet = await Fleet.Begin(fixture);
        Assert.Null(await fleet.Store.ClaimWindowAsync());
    }

    [Fact]
    public async Task Claim_Claimed_NotForOthersUntilItIsGivenBack()
    {
        await using Fleet fleet = await Fleet.Begin(fixture);
        await fleet.Write(0, 100);
        await fleet.JoinAll();
        NatsWindow? first = await fleet.Store.ClaimWindowAsync();
        await Task.Delay(1500);                             // longer than the timeout: it is held meanwhile
        Assert.Null(await fleet.Store.ClaimWindowAsync());
        await first!.DisposeAsync();
        NatsWindow? again = null;
        await StoreFixture.Until(() => (again = fleet.Store.ClaimWindowAsync().GetAwaiter().GetResult()) is not null, "Not given back.");
        Assert.Equal(first.Number, again!.Number);
        Assert.Equal(first.Records, again.Records);
        await again.DisposeAsync();
    }

    /// <summary>A worker that was taken for dead completes after the one that got its window: one selection, and it is told.</summary>
    [Fact]
    public async Task Complete_Second_IsToldThatItIsNot()
    {
        await using Fleet fleet = await Fleet.Begin(fixture);
        await fleet.Write(0, 100);
        await fleet.JoinAll();
        NatsWindow zombie = (await fleet.Store.ClaimWindowAsync())!;
        await zombie.DisposeAsync();                        // its claim is over, and it does not know
        NatsWindow? other = null;
        await StoreFixture.Until(() => (other = fleet.Store.ClaimWindowAsync().GetAwaiter().GetResult()) is not null, "Not given back.");
        await using (other)
            Assert.True(await other!.CompleteAsync([new SelectedKey(1, 2)], "other"));
        Assert.False(await zombie.CompleteAsync([new SelectedKey(3, 4)], "zombie"));
        var selections = new List<NatsSelection>();
        await foreach (NatsSelection selection in fleet.Store.ReadSelectionsAsync(0))
            selections.Add(selection);
        NatsSelection one = Assert.Single(selections);
        Assert.Equal(("other", 1ul, 2f), (one.Worker, one.Rows.Single().Key, one.Rows.Single().Weight));
    }

    [Fact]
    public async Task Complete_TwiceByTheSame_StillItsOwn()
    {
        await using Fleet fleet = await Fleet.Begin(fixture);
        await fleet.Write(0, 100);
        await fleet.JoinAll();
        await using NatsWindow window = (await fleet.Store.ClaimWindowAsync())!;
        Assert.True(await window.CompleteAsync([new SelectedKey(1, 2)]));
        Assert.True(await window.CompleteAsync([new SelectedKey(1, 2)]));
    }

    [Fact]
    public async Task Complete_ForeignKey_Refused()
    {
        await using Fleet fleet = await Fleet.Begin(fixture);
        await fleet.Write(0, 100);
        await fleet.JoinAll();
        await using NatsWindow window = (await fleet.Store.ClaimWindowAsync())!;
        var e = await Assert.ThrowsAsync<ArgumentException>(() => window.CompleteAsync([new SelectedKey(1000, 1)]));
        Assert.StartsWith("Window 0 of partition 0 has no row of key 1000", e.Message);
    }

    [Fact]
    public void Window_AnyRows_ComeBack()
        => Properties.Hold(
            from seed in Gen.Choose(0, 1 << 20)
            from count in Gen.Choose(0, 300)
            from regression in Gen.Elements(true, false)
            select (seed, count, regression),
            input =>
            {
                var random = new Random(input.seed);
                JoinedRecord[] rows = [.. Enumerable.Range(0, input.count).Select(i => Row(random, input.regression))];
                byte[] bytes = WindowEncoding.Write(2, 4, 17, rows);
                Assert.Equal(rows, WindowEncoding.Read(bytes, out int partition, out long number));
                Assert.Equal((2, 17), (partition, number));
            },
            tests: 100);

    [Fact]
    public void Window_Damaged_RefusedAtEveryByteAndLength()
    {
        var random = new Random(3);
        byte[] good = WindowEncoding.Write(2, 4, 17, [.. Enumerable.Range(0, 10).Select(i => Row(random, regression: false))]);
        for (int i = 0; i < good.Length; i++)
        {
            byte[] damaged = [.. good];
            damaged[i] ^= 0x20;
            Assert.Throws<InvalidDataException>(() => WindowEncoding.Read(damaged, out _, out _));
            Assert.Throws<InvalidDataException>(() => WindowEncoding.Read(good.AsSpan(0, i), out _, out _));
        }
    }

    [Fact]
    public void Selection_RoundTrip_AndDamageIsRefused()
    {
        byte[] good = SelectionEncoding.Write(5, "wörker", [new SelectedKey(1, 2), new SelectedKey(ulong.MaxValue, 0.5f)]);
        (string worker, SelectedKey[] rows) = SelectionEncoding.Read(good);
        Assert.Equal("wörker", worker);
        Assert.Equal([new SelectedKey(1, 2), new SelectedKey(ulong.MaxValue, 0.5f)], rows);
        for (int i = 0; i < good.Length; i++)
        {
            byte[] damaged = [.. good];
            damaged[i] ^= 0x20;
            Assert.Throws<InvalidDataException>(() => SelectionEncoding.Read(damaged));
            Assert.Throws<InvalidDataException>(() => SelectionEncoding.Read(good.AsSpan(0, i)));
        }
    }

    [Fact]
    public void Tidings_RoundTrip_AndOtherLengthsAreRefused()
    {
        Tidings[] all = [new(1, 2, 3), new(ulong.MaxValue, long.MaxValue, -1)];
        byte[] bytes = Tidings.Write(all);
        Assert.Equal(all, Tidings.Read(bytes));
        Assert.Throws<InvalidDataException>(() => Tidings.Read(bytes.AsSpan(1)));
        Assert.Throws<InvalidDataException>(() => Tidings.Read(bytes.AsSpan(0, bytes.Length - 1)));
        bytes[0] = 2;
        Assert.Throws<NotSupportedException>(() => Tidings.Read(bytes));
    }

    private static JoinedRecord Row(Random random, bool regression)
    {
        DateTime time = Fleet.Start.AddMilliseconds(random.Next(1 << 30));
        ulong key = (ulong)random.NextInt64(), version = (ulong)random.Next(3);
        float keep = random.Next(3) == 0 ? 0.5f : 1;
        return regression
            ? new RegressionRecord(key, random.NextSingle(), version, time, keep).Join(random.NextSingle(), random.Next(2) == 0)
            : BinaryRecord.FromScore(key, random.NextSingle(), version, time, keep).Join(random.Next(2), random.Next(2) == 0);
    }
}
