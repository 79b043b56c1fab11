using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Npgsql;

namespace Microsoft.ML.ForwardSampling.PostgreSql.Tests;

/// <summary>A real PostgreSQL server of its own, on a temporary folder and a free loopback port, with a password and TLS.</summary>
internal sealed class PostgreSqlServer : IAsyncDisposable
{
    private readonly string _programs;
    private readonly string _folder;
    private readonly int _port;
    private readonly string _password = Convert.ToHexString(RandomNumberGenerator.GetBytes(12));
    private Process? _server;

    private PostgreSqlServer(string programs)
    {
        _programs = programs;
        _folder = Directory.CreateTempSubdirectory("postgres-").FullName;
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        _port = ((IPEndPoint)listener.LocalEndpoint).Port;
    }

    /// <summary>Connects as the superuser.</summary>
    public string ConnectionString => ConnectionStringOf("postgres", _password);

    /// <summary>File of the certificate that the server shows.</summary>
    public string Certificate => Path.Combine(_folder, "server.crt");

    /// <summary>Processor time that the server's processes have taken so far, those that are gone again left out.</summary>
    public TimeSpan ProcessorTime()
    {
        long ticks = 0;
        foreach (string process in Directory.GetDirectories("/proc").Where(d => char.IsAsciiDigit(d[^1])))
        {
            try
            {
                string stat = File.ReadAllText(Path.Combine(process, "stat"));
                // After the name: state, parent, ...; the 12th and 13th are user and system time, in hundredths of a second.
                string[] fields = stat[(stat.LastIndexOf(')') + 2)..].Split(' ');
                if (fields[1] == _server!.Id.ToString(CultureInfo.InvariantCulture))
                    ticks += long.Parse(fields[11], CultureInfo.InvariantCulture) + long.Parse(fields[12], CultureInfo.InvariantCulture);
            }
            catch (IOException)
            {
                // It has ended meanwhile.
            }
        }

        return TimeSpan.FromMilliseconds(10 * ticks);
    }

    /// <summary>Folder of the server programs and psql, or null when PostgreSQL is not installed.</summary>
    public static string? FindPrograms()
        => (Directory.Exists("/usr/lib/postgresql") ? Directory.GetDirectories("/usr/lib/postgresql").Order(StringComparer.Ordinal)
            .Reverse().Select(d => Path.Combine(d, "bin")) : [])
            .Concat((Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator))
            .FirstOrDefault(d => File.Exists(Path.Combine(d, "initdb")) && File.Exists(Path.Combine(d, "postgres")));

    public static async Task<PostgreSqlServer> Start(string programs)
    {
        var server = new PostgreSqlServer(programs);
        server.MakeCertificate();
        string password = Path.Combine(server._folder, "password");
        await File.WriteAllTextAsync(password, server._password);
        if (Environment.UserName == "root")
            await Finish(Process.Start("chown", ["-R", "postgres", server._folder])!);
        await Finish(server.Run("initdb", "-D", server.Data, "-A", "scram-sha-256", "-U", "postgres", "--pwfile", password, "-E", "UTF8",
            "--locale=C", "--no-sync"));
        await server.Start();
        return server;
    }

    public string ConnectionStringOf(string user, string password)
        => $"Host=127.0.0.1;Port={_port};Database=postgres;Username={user};Password={password};Timeout=5;Command Timeout=20";

    /// <summary>Starts psql as the superuser.</summary>
    public Process Psql(params string[] arguments)
    {
        var start = new ProcessStartInfo(Path.Combine(_programs, "psql"),
            ["-h", "127.0.0.1", "-p", _port.ToString(CultureInfo.InvariantCulture), "-U", "postgres", "-d", "postgres", "-v",
            "ON_ERROR_STOP=1", "-q", "-X", .. arguments]);
        start.Environment["PGPASSWORD"] = _password;
        return Process.Start(start)!;
    }

    /// <summary>Waits for a process and requires that it succeeded.</summary>
    public static async Task Finish(Process process)
    {
        using (process)
        {
            await process.WaitForExitAsync();
            if (process.ExitCode != 0)
                throw new InvalidOperationException(
                    $"{process.StartInfo.FileName} {string.Join(' ', process.StartInfo.ArgumentList)} ended with {process.ExitCode}.");
        }
    }

    /// <summary>Kills the server and all its processes with SIGKILL, then starts it again.</summary>
    public async Task KillAndRestart(TimeSpan pause)
    {
        Kill();
        await Task.Delay(pause);
        await Start();
    }

    public async ValueTask DisposeAsync()
    {
        if (_server is not null)
            Kill();
        await Task.Run(() => Directory.Delete(_folder, recursive: true));
    }

    private string Data => Path.Combine(_folder, "data");

    private async Task Start()
    {
        _server = Run("postgres", "-D", Data, "-p", _port.ToString(CultureInfo.InvariantCulture), "-k", _folder, "-c",
            "listen_addresses=127.0.0.1", "-c", "shared_buffers=128MB",
            "-c", "max_wal_size=4GB", "-c", "ssl=on", "-c", $"ssl_cert_file={Certificate}", "-c",
                $"ssl_key_file={Path.Combine(_folder, "server.key")}", "-c", "log_min_messages=panic", "-c",
                "log_min_error_statement=panic");
        for (int attempt = 0; ; attempt++)
        {
            try
            {
                await using var connection = new NpgsqlConnection(ConnectionString + ";Pooling=false");
                await connection.OpenAsync();
                return;
            }
            catch (NpgsqlException) when (attempt < 400 && !_server.HasExited)
            {
                await Task.Delay(25);
            }
        }
    }

    private void Kill()
    {
        _server!.Kill(entireProcessTree: true);
        _server.WaitForExit();
        _server.Dispose();
        _server = null;
    }

    /// <summary>Starts a server program, as user postgres when this is root: the server refuses to run as root.</summary>
    private Process Run(string program, params string[] arguments)
    {
        string path = Path.Combine(_programs, program);
        ProcessStartInfo start = Environment.UserName == "root"
            ? new ProcessStartInfo("setpriv", ["--reuid=postgres", "--regid=postgres", "--clear-groups", path, .. arguments])
            : new ProcessStartInfo(path, arguments);
        start.WorkingDirectory = _folder;
        start.RedirectStandardOutput = true;
        start.RedirectStandardError = true;
        Process process = Process.Start(start)!;
        process.OutputDataReceived += (_, _) => { };
        process.ErrorDataReceived += (_, e) => Console.Error.Write(e.Data is null ? "" : $"{program}: {e.Data}\n");
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
        return process;
    }

    private void MakeCertificate()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=localhost", key, HashAlgorithmName.SHA256);
        var names = new SubjectAlternativeNameBuilder();
        names.AddIpAddress(IPAddress.Loopback);
        request.CertificateExtensions.Add(names.Build());
        using X509Certificate2 certificate = request.CreateSelfSigned(DateTimeOffset.UnixEpoch,
            new DateTimeOffset(2100, 1, 1, 0, 0, 0, TimeSpan.Zero));
        File.WriteAllText(Certificate, certificate.ExportCertificatePem());
        string keyFile = Path.Combine(_folder, "server.key");
        File.WriteAllText(keyFile, key.ExportPkcs8PrivateKeyPem());
        if (!OperatingSystem.IsWindows())
            File.SetUnixFileMode(keyFile, UnixFileMode.UserRead | UnixFileMode.UserWrite);
    }
}
