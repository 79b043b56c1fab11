using Microsoft.ML.ForwardSampling.Records;

namespace Microsoft.ML.ForwardSampling.PostgreSql.Tests;

public class WorkerTests(StoreFixture fixture)
{
    [Fact]
    public async Task Claims_AreOfDifferentWindows_ComeBackWhenGivenUp_AndAreSilentOnlySoLong()
    {
        PostgreSqlRecordStore<RegressionRecord> store = await fixture.NewStore<RegressionRecord>(
            new PostgreSqlStoreOptions { WindowRows = 2, ClaimTimeout = TimeSpan.FromSeconds(1) });
        await using (PostgreSqlRecordWriter<RegressionRecord> writer = await store.OpenWriterAsync())
            writer.Append([.. Enumerable.Range(0, 4).Select(i => new RegressionRecord((ulong)i, i))]);
        await store.AddLabelsAsync(Enumerable.Range(0, 4).Select(i => new LabelEvent((ulong)i, 0)).ToArray());
        await store.JoinAsync(new LabelJoinOptions());

        ClaimedWindow first = (await store.ClaimWindowAsync())!;
        ClaimedWindow second = (await store.ClaimWindowAsync())!;
        Assert.Equal((0, 1), (first.Number, second.Number));
        Assert.Null(await store.ClaimWindowAsync());
        await first.DisposeAsync();
        ClaimedWindow again = (await store.ClaimWindowAsync())!;
        Assert.Equal(0, again.Number);
        Assert.Equal(first.Records, again.Records);

        // The second is completed in time; the first is then silent for too long.
        await Assert.ThrowsAsync<ArgumentException>(() => second.CompleteAsync([default]));
        await second.CompleteAsync([new SelectedKey(2, 0.5f), new SelectedKey(3, 2)]);
        await second.DisposeAsync();
        Assert.Empty(await Selections(0));                          // the first window is still open
        await Task.Delay(1300, TestContext.Current.CancellationToken);
        await Assert.ThrowsAnyAsync<Exception>(() => again.CompleteAsync([]));
        await again.DisposeAsync();
        await using (ClaimedWindow free = (await store.ClaimWindowAsync())!)
        {
            Assert.Equal(0, free.Number);
            Assert.Equal(first.Records, free.Records);
            await free.CompleteAsync([]);
        }

        Assert.Null(await store.ClaimWindowAsync());
        SelectedWindow[] selections = await Selections(0);
        Assert.Equal([0L, 1L], selections.Select(s => s.Number));
        Assert.Empty(selections[0].Rows);
        Assert.Equal([new SelectedKey(2, 0.5f), new SelectedKey(3, 2)], selections[1].Rows);
        Assert.Equal(1, Assert.Single(await Selections(1)).Number);
        Assert.Empty(await Selections(2));

        async Task<SelectedWindow[]> Selections(long from)
        {
            var read = new List<SelectedWindow>();
            await foreach (SelectedWindow window in store.ReadSelectionsAsync(from))
                read.Add(window);
            return [.. read];
        }
    }
}
