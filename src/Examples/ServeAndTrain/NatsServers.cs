using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;

namespace Microsoft.ML.ForwardSampling.Examples.ServeAndTrain;

/// <summary>A NATS cluster of three nodes on loopback, of one run: each keeps its files in a folder of the run.</summary>
internal sealed class NatsServers : IDisposable
{
    public const string HowToInstall = "On Debian, as root: apt-get install nats-server";

    private const string Program = "nats-server";
    private const int Nodes = 3;

    private readonly string _folder;
    private readonly List<Process> _processes = [];

    private NatsServers(string folder) => _folder = folder;

    /// <summary>Starts the nodes for a run that needs them, and names them to the processes that this one starts.</summary>
    /// <param name="run">The run.</param>
    /// <param name="folders">Where to look for the program; left out, the PATH, and where Debian puts it.</param>
    /// <returns>The nodes; null where the run has another store, or servers are named already.</returns>
    /// <exception cref="IOException">The program is not installed, or ends at once.</exception>
    public static NatsServers? StartFor(RunFolder run, IEnumerable<string>? folders = null)
    {
        if (run.Options.Store != StoreKind.Nats
            || !string.IsNullOrWhiteSpace(Environment.GetEnvironmentVariable(NatsStore.ConnectionVariable)))
            return null;
        var servers = new NatsServers(run.In("nats"));
        try
        {
            servers.Start(FindProgram(folders ?? Folders) ?? throw new IOException($"--store nats needs {Program}, which is not installed. "
                + $"{HowToInstall}. Or name the servers of a cluster: --connection nats://ONE:4222,nats://TWO:4222,nats://THREE:4222"));
            return servers;
        }
        catch
        {
            servers.Dispose();
            throw;
        }
    }

    private static IEnumerable<string> Folders
        => (Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator).Append("/usr/sbin");

    public void Dispose()
    {
        Environment.SetEnvironmentVariable(NatsStore.ConnectionVariable, null);
        foreach (Process process in _processes)
        {
            if (!process.HasExited)
                process.Kill();
            process.WaitForExit();
            process.Dispose();
        }

        _processes.Clear();
    }

    private static string? FindProgram(IEnumerable<string> folders)
        => folders.SelectMany(folder => (string[])[Path.Combine(folder, Program), Path.Combine(folder, Program + ".exe")])
            .FirstOrDefault(File.Exists);

    private void Start(string program)
    {
        Directory.CreateDirectory(_folder);
        int[] ports = FreePorts(2 * Nodes);
        string routes = string.Join(", ", ports[Nodes..].Select(port => $"\"nats://127.0.0.1:{port}\""));
        for (int node = 0; node < Nodes; node++)
        {
            StopFormer(node);
            string configuration = In(node, "conf"), log = In(node, "log");
            File.WriteAllText(configuration, $$"""
                server_name: n{{node}}
                listen: "127.0.0.1:{{ports[node]}}"
                pid_file: "{{Escaped(In(node, "pid"))}}"
                log_file: "{{Escaped(log)}}"
                jetstream { store_dir: "{{Escaped(Path.Combine(_folder, $"n{node}"))}}", max_memory_store: 64MB, max_file_store: 8GB }
                cluster { name: serve_and_train, listen: "127.0.0.1:{{ports[Nodes + node]}}", routes: [{{routes}}] }
                """);
            _processes.Add(Process.Start(new ProcessStartInfo(program, ["-c", configuration]))!);
        }

        for (int node = 0; node < Nodes; node++)
        {
            if (_processes[node].WaitForExit(TimeSpan.FromMilliseconds(200)))
                throw new IOException($"{program} ended with {_processes[node].ExitCode}; {In(node, "log")} says why.");
        }

        Environment.SetEnvironmentVariable(NatsStore.ConnectionVariable,
            string.Join(',', ports[..Nodes].Select(port => $"nats://127.0.0.1:{port}")));
    }

    /// <summary>A run that was killed has left its nodes running: two on one folder would spoil it.</summary>
    private void StopFormer(int node)
    {
        if (!File.Exists(In(node, "pid")) || !int.TryParse(File.ReadAllText(In(node, "pid")), CultureInfo.InvariantCulture, out int id))
            return;
        try
        {
            using Process former = Process.GetProcessById(id);
            if (former.ProcessName == Program)
            {
                former.Kill();
                former.WaitForExit();
            }
        }
        catch (ArgumentException)
        {
            // It is gone.
        }

        File.Delete(In(node, "pid"));
    }

    private string In(int node, string extension) => Path.Combine(_folder, $"n{node}.{extension}");

    private static string Escaped(string path) => path.Replace("\\", "\\\\", StringComparison.Ordinal);

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
