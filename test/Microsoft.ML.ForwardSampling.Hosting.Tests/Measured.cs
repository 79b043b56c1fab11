using System.Diagnostics.Metrics;
using Microsoft.ML.ForwardSampling.Records;

namespace Microsoft.ML.ForwardSampling.Hosting.Tests;

/// <summary>What the library's instruments say from here on: sums of what is added, counts of what is recorded, and for what is looked at
/// the difference to now.</summary>
internal sealed class Measured : IDisposable
{
    private readonly MeterListener _listener = new();
    private readonly Dictionary<string, double> _added = [];
    private readonly Dictionary<string, double> _looked = [];
    private readonly Dictionary<string, double> _before;
    private readonly Dictionary<string, List<double>> _recorded = [];

    public Measured()
    {
        _listener.InstrumentPublished = (instrument, listener) =>
        {
            if (instrument.Meter.Name == ForwardSamplingDiagnostics.MeterName)
                listener.EnableMeasurementEvents(instrument);
        };
        _listener.SetMeasurementEventCallback<long>((instrument, value, tags, _) => Take(instrument, value, tags));
        _listener.SetMeasurementEventCallback<double>((instrument, value, tags, _) => Take(instrument, value, tags));
        _listener.Start();
        Look();
        _before = new(_looked);
    }

    /// <summary>Tags that were seen, by instrument.</summary>
    public SortedSet<string> Tags { get; } = new(StringComparer.Ordinal);

    /// <summary>Looks at what is only measured then.</summary>
    public void Look()
    {
        lock (_looked)
            _looked.Clear();
        _listener.RecordObservableInstruments();
    }

    /// <summary>A counter's sum; "name" or "name{a=1,b=2}" with tag names from their last part on.</summary>
    public double Sum(string name) => _added.GetValueOrDefault(name);

    /// <summary>What an observed instrument has gained since this began.</summary>
    public double Gained(string name) => _looked.GetValueOrDefault(name) - _before.GetValueOrDefault(name);

    /// <summary>What an observed instrument says.</summary>
    public double? Now(string name) => _looked.TryGetValue(name, out double value) ? value : null;

    /// <summary>What a histogram was given.</summary>
    public IReadOnlyList<double> Values(string name) => _recorded.GetValueOrDefault(name) ?? [];

    public void Dispose() => _listener.Dispose();

    private void Take(Instrument instrument, double value, ReadOnlySpan<KeyValuePair<string, object?>> tags)
    {
        var named = new SortedDictionary<string, string>(StringComparer.Ordinal);
        foreach (KeyValuePair<string, object?> tag in tags)
            named.Add(tag.Key.Split('.')[^1], $"{tag.Value}");
        string key = named.Count == 0 ? instrument.Name
            : $"{instrument.Name}{{{string.Join(',', named.Select(tag => $"{tag.Key}={tag.Value}"))}}}";
        lock (_looked)
        {
            foreach (KeyValuePair<string, object?> tag in tags)
                Tags.Add($"{instrument.Name} {tag.Key}");
            if (instrument.IsObservable)
                _looked[key] = value;
            else if (instrument is Histogram<double>)
                (_recorded.TryGetValue(key, out List<double>? values) ? values : _recorded[key] = []).Add(value);
            else
                _added[key] = _added.GetValueOrDefault(key) + value;
        }
    }
}
