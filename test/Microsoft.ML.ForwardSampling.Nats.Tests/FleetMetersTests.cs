using System.Diagnostics.Metrics;
using Microsoft.ML.ForwardSampling.Records;

namespace Microsoft.ML.ForwardSampling.Nats.Tests;

public class FleetMetersTests(StoreFixture fixture)
{
    [Fact]
    public async Task Collected_AFleetAtWork_CountsWhatItsReportsDo()
    {
        using var collecting = new Collecting();
        Dictionary<string, long> before = collecting.Collect();
        await using Fleet fleet = await Fleet.Begin(fixture);
        await fleet.Write(0, 300, withLabels: false);
        Dictionary<string, long> written = collecting.Collect();
        NatsWriterReport writer = fleet.Records.Report;
        Assert.Equal(writer.ShippedBlocks, Since(before, written, "blocks_shipped/regression"));
        Assert.Equal(300, Since(before, written, "unconfirmed/regression"));
        Assert.Equal(writer.DiskBytes, Since(before, written, "disk/regression"));

        for (int i = 0; i < 300; i++)
            fleet.Labels.Append(new LabelEvent((ulong)i, i, Fleet.Start.AddMilliseconds(i)));
        fleet.Labels.Flush();
        await StoreFixture.Until(() => fleet.Labels.Report.UnshippedBlocks == 0, "Not shipped.");
        await using (NatsJoiner<RegressionRecord> joiner = await fleet.OpenJoiner())
        {
            joiner.Complete();
            await joiner.RunAsync();
            await StoreFixture.Until(() => fleet.Records.Report.UnconfirmedRecords == 0, "Not confirmed.");
            Dictionary<string, long> joined = collecting.Collect();
            Assert.Equal((3, 3, 0), (Since(before, joined, "windows/0"), Since(before, joined, "windows_open/0"),
                Since(before, joined, "windows_unsent/0")));
            Assert.Equal(joiner.Report.Saves, Since(before, joined, "saves/0"));
            Assert.Equal(0, Since(before, joined, "unconfirmed/regression"));
        }

        // What was added up stays; what waited has gone with its joiner. The next counts its own alone.
        await using NatsJoiner<RegressionRecord> next = await fleet.OpenJoiner();
        Dictionary<string, long> after = collecting.Collect();
        Assert.Equal((3, 3), (Since(before, after, "windows/0"), Since(before, after, "windows_open/0")));
        Assert.Equal(3, next.Report.Windows);
    }

    private static long Since(Dictionary<string, long> before, Dictionary<string, long> now, string name)
        => now[name] - before.GetValueOrDefault(name);

    /// <summary>Values of the fleet's instruments, by name and tag.</summary>
    private sealed class Collecting : IDisposable
    {
        private readonly MeterListener _listener = new();
        private readonly Dictionary<string, long> _values = [];

        public Collecting()
        {
            const string Prefix = "forward_sampling.fleet.";
            _listener.InstrumentPublished = (instrument, of) =>
            {
                if (instrument.Name.StartsWith(Prefix, StringComparison.Ordinal))
                    of.EnableMeasurementEvents(instrument);
            };
            _listener.SetMeasurementEventCallback<long>((instrument, value, tags, _) =>
                _values[$"{instrument.Name[Prefix.Length..]}/{tags[0].Value}"] = value);
            _listener.Start();
        }

        public Dictionary<string, long> Collect()
        {
            _values.Clear();
            _listener.RecordObservableInstruments();
            return new Dictionary<string, long>(_values);
        }

        public void Dispose() => _listener.Dispose();
    }
}
