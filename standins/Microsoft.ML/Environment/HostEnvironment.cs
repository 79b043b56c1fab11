using System.Diagnostics;
using System.Globalization;

namespace Microsoft.ML.Runtime;

/// <summary>The environment behind an <see cref="MLContext"/> and behind every component registered on it.</summary>
internal sealed class HostEnvironment : IHost
{
    private readonly string? _name;
    private readonly HostEnvironment? _parent;
    private readonly object _lock = new();

    public HostEnvironment(int? seed)
    {
        Seed = seed;
        Rand = seed is int value ? new Random(value) : new Random();
        ComponentCatalog = new ComponentCatalog();
    }

    private HostEnvironment(HostEnvironment parent, string name, int seed)
    {
        _parent = parent;
        _name = name;
        Seed = parent.Seed;
        Rand = new Random(seed);
        ComponentCatalog = parent.ComponentCatalog;
    }

    public event EventHandler<LoggingEventArgs>? Log;

    /// <summary>The seed of the context, or null when its streams are not meant to be repeatable.</summary>
    public int? Seed { get; }
    public Random Rand { get; }
    public ComponentCatalog ComponentCatalog { get; }

    // As in ML.NET, a component's own parent is left out of its name.
    private string ContextDescription =>
        _parent?._parent?._name is null ? _name ?? "HostEnvironment" : $"{_parent._parent.ContextDescription}; {_name}";

    /// <summary>The new component's seed is drawn from this stream, so it depends on how many were registered before.</summary>
    public IHost Register(string name, int? seed = null, bool? verbose = null)
    {
        ArgumentException.ThrowIfNullOrEmpty(name);
        lock (_lock)
            return new HostEnvironment(this, name, seed ?? Rand.Next());
    }

    public IChannel Start(string name) => new Channel(this, name);

    private void Send(LoggingEventArgs message)
    {
        for (HostEnvironment? host = this; host is not null; host = host._parent)
            host.Log?.Invoke(host, message);
    }

    private sealed class Channel : IChannel
    {
        private readonly HostEnvironment _host;
        private readonly string _source;
        private readonly long _started = Stopwatch.GetTimestamp();
        private bool _disposed;

        public Channel(HostEnvironment host, string name)
        {
            _host = host;
            _source = host._name is null ? name : $"{host.ContextDescription}; {name}";
            Send(ChannelMessageKind.Trace, "Channel started");
        }

        public void Info(MessageSensitivity sensitivity, string fmt) => Send(ChannelMessageKind.Info, fmt);
        public void Info(MessageSensitivity sensitivity, string fmt, params object[] args) => Send(ChannelMessageKind.Info, fmt, args);
        public void Warning(MessageSensitivity sensitivity, string fmt) => Send(ChannelMessageKind.Warning, fmt);
        public void Warning(MessageSensitivity sensitivity, string fmt, params object[] args) => Send(ChannelMessageKind.Warning, fmt, args);

        public void Dispose()
        {
            if (_disposed)
                return;
            _disposed = true;
            Send(ChannelMessageKind.Trace, "Channel finished. Elapsed {0:c}.", Stopwatch.GetElapsedTime(_started));
            Send(ChannelMessageKind.Trace, "Channel disposed");
        }

        private void Send(ChannelMessageKind kind, string format, params object[] args)
        {
            string raw = args.Length == 0 ? format : string.Format(CultureInfo.InvariantCulture, format, args);
            _host.Send(new LoggingEventArgs(raw, kind, _source));
        }
    }
}
