using System.Diagnostics;
using System.Diagnostics.Metrics;
using Microsoft.ML.ForwardSampling.Records;

namespace Microsoft.ML.ForwardSampling.PostgreSql.Tests;

public class StoreMetersTests(StoreFixture fixture)
{
    [Fact]
    public async Task Join_CountsItsRowsAndIsASpan_AndItsWriterIsAmongAllWriters()
    {
        DateTime time = new(2026, 3, 29, 1, 2, 3, DateTimeKind.Utc);
        var spans = new List<Activity>();
        long joined = 0, appended = 0, appendedBefore = 0;
        using var listener = new MeterListener();
        listener.InstrumentPublished = (instrument, of) =>
        {
            if (instrument.Name is "forward_sampling.store.joined" or "forward_sampling.record.appended")
                of.EnableMeasurementEvents(instrument);
        };
        listener.SetMeasurementEventCallback<long>((instrument, value, tags, _) =>
        {
            Assert.Equal("forward_sampling.record.kind", tags[0].Key);
            if (instrument is Counter<long>)
                joined += value;
            else if ((string)tags[0].Value! == "binary")
                appended = value;
        });
        listener.Start();
        using var tracing = new ActivityListener
        {
            ShouldListenTo = source => source.Name == ForwardSamplingDiagnostics.ActivitySourceName,
            Sample = (ref ActivityCreationOptions<ActivityContext> _) => ActivitySamplingResult.AllData,
            ActivityStopped = spans.Add,
        };
        ActivitySource.AddActivityListener(tracing);
        listener.RecordObservableInstruments();
        appendedBefore = appended;

        PostgreSqlRecordStore<BinaryRecord> store = await fixture.NewStore<BinaryRecord>();
        await using (PostgreSqlRecordWriter<BinaryRecord> writer = await store.OpenWriterAsync())
            writer.Append([.. Enumerable.Range(0, 5).Select(i => BinaryRecord.FromScore((ulong)i, 0.5f, 1, time))]);
        await store.AddLabelsAsync(Enumerable.Range(0, 3).Select(i => new LabelEvent((ulong)i, 1, time)).ToArray());
        Assert.Equal(3, await store.JoinAsync(new LabelJoinOptions()));

        listener.RecordObservableInstruments();
        Assert.Equal((3, 5), (joined, appended - appendedBefore));
        Activity span = Assert.Single(spans);
        Assert.Equal(("forward_sampling.join", ActivityKind.Client), (span.OperationName, span.Kind));
        Assert.Equal((3L, "binary", "postgresql"), ((long)span.GetTagItem("forward_sampling.join.rows")!,
            (string)span.GetTagItem("forward_sampling.record.kind")!, (string)span.GetTagItem("db.system.name")!));
    }
}
