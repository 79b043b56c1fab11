using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;

namespace Microsoft.ML.ForwardSampling.Tests.Shared;

/// <summary>Real nats-servers with JetStream on free loopback ports and temporary folders: one, or a cluster of three.</summary>
internal sealed class NatsCluster : IAsyncDisposable
{
    private readonly string _program;
    private readonly string _folder = Directory.CreateTempSubdirectory("nats-").FullName;
    private readonly int[] _ports;
    private readonly int[] _routes;
    private readonly Process?[] _nodes;
    private readonly string _extra;

    private NatsCluster(string program, int nodes, string extra)
    {
        (_program, _nodes, _extra) = (program, new Process?[nodes], extra);
        int[] free = FreePorts(2 * nodes);
        (_ports, _routes) = (free[..nodes], free[nodes..]);
    }

    public int Count => _nodes.Length;

    /// <summary>All nodes, as a client takes them.</summary>
    public string Url => string.Join(',', _ports.Select(port => $"nats://127.0.0.1:{port}"));

    /// <summary>The server's program, or null when it is not installed.</summary>
    public static string? FindProgram()
        => (Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator).Append("/usr/sbin")
            .Select(folder => Path.Combine(folder, "nats-server")).FirstOrDefault(File.Exists);

    /// <summary>Starts the nodes; a client waits for their being ready.</summary>
    /// <param name="nodes">1 or 3.</param>
    /// <param name="extra">More lines for the configuration, such as users.</param>
    public static NatsCluster Start(int nodes, string extra = "")
    {
        var cluster = new NatsCluster(
            FindProgram() ?? throw new InvalidOperationException("nats-server is not installed: apt-get install nats-server."),
            nodes,
            extra);
        for (int node = 0; node < nodes; node++)
            cluster.StartNode(node);
        return cluster;
    }

    /// <summary>Process of a node, for signals.</summary>
    public int ProcessOf(int node) => _nodes[node]!.Id;

    public void KillNode(int node)
    {
        _nodes[node]!.Kill();
        _nodes[node]!.WaitForExit();
        _nodes[node]!.Dispose();
        _nodes[node] = null;
    }

    public void StartNode(int node)
    {
        string configuration = Path.Combine(_folder, string.Create(CultureInfo.InvariantCulture, $"n{node}.conf"));
        string routes = string.Join(", ", _routes.Select(route => $"\"nats://127.0.0.1:{route}\""));
        string cluster = _nodes.Length == 1 ? ""
            : $$"""cluster { name: records, listen: "127.0.0.1:{{_routes[node]}}", routes: [{{routes}}] }""";
        File.WriteAllText(configuration, $$"""
            server_name: n{{node}}
            listen: "127.0.0.1:{{_ports[node]}}"
            jetstream { store_dir: "{{Path.Combine(_folder, $"n{node}")}}", max_memory_store: 64MB, max_file_store: 64GB }
            {{cluster}}
            {{_extra}}
            """);
        Process process = Process.Start(new ProcessStartInfo(_program, ["-c", configuration])
        { RedirectStandardError = true, RedirectStandardOutput = true })!;
        process.OutputDataReceived += (_, _) => { };
        process.ErrorDataReceived += (_, _) => { };
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
        _nodes[node] = process;
    }

    public async ValueTask DisposeAsync()
    {
        for (int node = 0; node < _nodes.Length; node++)
        {
            if (_nodes[node] is not null)
                KillNode(node);
        }

        await Task.Run(() => Directory.Delete(_folder, recursive: true));
    }

    private static int[] FreePorts(int count)
    {
        TcpListener[] listeners = [.. Enumerable.Range(0, count).Select(_ => new TcpListener(IPAddress.Loopback, 0))];
        foreach (TcpListener listener in listeners)
            listener.Start();
        int[] ports = [.. listeners.Select(listener => ((IPEndPoint)listener.LocalEndpoint).Port)];
        foreach (TcpListener listener in listeners)
            listener.Dispose();
        return ports;
    }
}
