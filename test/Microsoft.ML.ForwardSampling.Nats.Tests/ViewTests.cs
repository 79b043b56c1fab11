using Microsoft.ML.ForwardSampling.Records;
using Microsoft.ML.ForwardSampling.RecordViews;
using Microsoft.ML.ForwardSampling.Selection;
using Microsoft.ML.ForwardSampling.Tests.Shared;

namespace Microsoft.ML.ForwardSampling.Nats.Tests;

/// <summary>A scored view becomes records in the fleet, and a window a view, selected rows and a stored selection, by the public members
/// alone.</summary>
public class ViewTests(StoreFixture fixture)
{
    [Fact]
    public async Task View_RecordedJoinedSelected_SelectionIsStored()
    {
        using var folder = new TemporaryFolder();
        NatsStoreOptions options = fixture.NewOptions(partitions: 1) with { WindowRows = 200 };
        await using NatsRecordStore<BinaryRecord> store = await fixture.NewStore<BinaryRecord>(options);
        var context = new MLContext(1);
        ForwardSamplingCatalog fs = context.ForwardSampling();
        IDataView scored = context.Data.LoadFromEnumerable(Enumerable.Range(0, 200)
            .Select(i => new Scored { Key = (ulong)i, Score = i / 100f }));
        await using (NatsRecordWriter<BinaryRecord> writer = await store.OpenWriterAsync(folder.File("records")))
        await using (NatsRecordWriter<LabelEvent> labels = await store.OpenLabelWriterAsync(folder.File("labels")))
        {
            LoggedRowsReport report = fs.AppendRecords(scored, writer, new RecordToOptions { ModelVersion = 7 });
            Assert.Equal((200, 200, 200), (report.Rows, report.Records, writer.Acknowledged));
            labels.Append([.. Enumerable.Range(0, 200).Select(i => new LabelEvent((ulong)i, i % 2))]);
            labels.Flush();
            await StoreFixture.Until(() => writer.Report.UnshippedBlocks + labels.Report.UnshippedBlocks == 0, "Not shipped.");
        }

        await using (NatsJoiner<BinaryRecord> joiner = await store.OpenJoinerAsync(0, folder.File("joiner"), Fleet.Rules))
        {
            joiner.Complete();
            await joiner.RunAsync();
        }

        await using NatsWindow window = (await store.ClaimWindowAsync())!;
        Assert.Equal((7ul, BinaryRecord.FromScore(199, 1.99f).Statistics(1).Loss),
            (window.Records[199].ModelVersion, window.Records[199].Loss));
        SelectedRows chosen = fs.SelectRows(fs.LoadJoined(window.Records, new JoinedRowsOptions { Task = PredictionTask.Binary }),
            new BalancedGradientNormPolicy(), new SelectionOptions { WindowSize = 200, Budget = 0.1, Seed = 1 });
        IReadOnlyList<SelectedKey> selected = fs.SelectedKeys(chosen);
        Assert.True(await window.CompleteAsync(selected));
        await foreach (NatsSelection selection in store.ReadSelectionsAsync(0))
            Assert.Equal(selected, selection.Rows);
        Assert.Equal(20, selected.Count);
    }

    private sealed class Scored
    {
        public ulong Key { get; set; }

        public float Score { get; set; }
    }
}
