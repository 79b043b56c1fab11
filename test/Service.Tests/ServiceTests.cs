using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Http.Json;
using System.Text.RegularExpressions;
using Microsoft.AspNetCore.Builder;
using Microsoft.ML.ForwardSampling.Examples.ServeAndTrain;
using Microsoft.ML.ForwardSampling.Records;

namespace Microsoft.ML.ForwardSampling.Examples.Service.Tests;

/// <summary>The service on loopback: in this process, and as a program that is told to stop.</summary>
public sealed partial class ServiceTests : IDisposable
{
    private const int WindowRows = 640;

    private readonly TemporaryFolder _folder = new();

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task Service_PredictsTakesLabelsTrainsAndSwaps_AndItsMetricsSayWhatWasDone()
    {
        var options = new ServiceOptions { Folder = _folder.File("data"), WindowRows = WindowRows };
        var answers = new ConcurrentBag<OrderAnswer>();
        ulong[] orders = [.. Enumerable.Range(0, WindowRows + 60).Select(n => (ulong)n)];
        await using (WebApplication app = Start(options))
        {
            using HttpClient client = await ListenAsync(app);
            Dictionary<string, double> before = Samples(await client.GetStringAsync("/metrics", Token));
            await Parallel.ForEachAsync(orders, new ParallelOptions { MaxDegreeOfParallelism = 8, CancellationToken = Token },
                async (order, cancellation) => answers.Add(await PredictAsync(client, order, cancellation)));
            string first = answers.First().Model;
            Assert.All(answers, answer =>
            {
                Assert.Equal(first, answer.Model);
                Assert.InRange(answer.Probability, 0f, 1f);
            });

            OrderLabel[] labels = [.. orders.Reverse().Select(n => new OrderLabel(n, Orders.Of(n, options.Seed).Label))];
            HttpResponseMessage labelled = await client.PostAsJsonAsync("/labels", labels, Token);
            Assert.Equal(HttpStatusCode.Accepted, labelled.StatusCode);

            await Until(async () => (await PredictAsync(client, 0, Token)).Model != first);
            Assert.Equal("Healthy", await client.GetStringAsync("/health/ready", Token));
            Assert.Equal("Healthy", await client.GetStringAsync("/health/live", Token));

            await Task.Delay(400, Token);                   // the exporter answers from memory for 0.3 s
            string text = await client.GetStringAsync("/metrics", Token);
            Dictionary<string, double> after = Samples(text);
            Assert.True(Gained("record_appended", "kind=\"binary\"") >= orders.Length, text);
            Assert.Equal(labels.Length, Gained("record_acknowledged", "kind=\"label\""));
            Assert.Equal(orders.Length, Gained("join_records", "joined"));
            Assert.Equal(WindowRows / 10, Gained("selection_rows_selected", "BalancedGradientNorm") / Passes());
            Assert.True(Gained("training_steps", "binary") > 0, text);
            Assert.True(Gained("model_loads", "outcome=\"loaded\"") >= 1, text);
            Assert.True(After("model_age", "model") is >= 0 and < 60, text);

            double Gained(string name, string tag) => After(name, tag) - Of(before, name, tag);

            double After(string name, string tag) => Of(after, name, tag);

            double Passes() => Gained("selection_windows", "BalancedGradientNorm");

            await app.StopAsync(Token);
        }

        HashSet<ulong> recorded = [.. Read<BinaryRecord>(options.RecordFolder).Select(record => record.Key)];
        Assert.Empty(answers.Select(answer => answer.Order).Except(recorded));
        Assert.Equal(orders, Read<LabelEvent>(options.LabelFolder).Select(label => label.Key).Order());
    }

    [Fact]
    public async Task Dashboard_AsksItsOwnServiceOnly()
    {
        await using WebApplication app = Start(new ServiceOptions { Folder = _folder.File("data"), Trains = false });
        using HttpClient client = await ListenAsync(app);

        string page = await client.GetStringAsync("/", Token);

        Assert.StartsWith("<!doctype html>", page, StringComparison.Ordinal);
        Assert.All(Address().Matches(page), address => Assert.Equal("http://www.w3.org/2000/svg", address.Value)); // a name, not a place
        await app.StopAsync(Token);
    }

    [Fact]
    public async Task Ready_ModelFileDamaged_IsDegradedAndPredictionsGoOn()
    {
        var options = new ServiceOptions { Folder = _folder.File("data"), Trains = false };
        await using WebApplication app = Start(options);
        using HttpClient client = await ListenAsync(app);
        string model = (await PredictAsync(client, 1, Token)).Model;

        File.WriteAllText(options.ModelPath, "not a model");

        await Until(async () => await client.GetStringAsync("/health/ready", Token) == "Degraded");
        Assert.Equal(model, (await PredictAsync(client, 1, Token)).Model);
        await app.StopAsync(Token);
    }

    [Fact]
    public async Task Program_ToldToStopUnderLoad_HasEveryAnsweredPredictionInTheLog()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "there is no SIGTERM");
        string folder = _folder.File("data");
        // Nothing is written before an hour is over: what is in the log was written by stopping.
        using Process process = Run("--urls", "http://127.0.0.1:0", "--Folder", folder, "--FlushSeconds", "3600");
        using HttpClient client = new() { BaseAddress = new Uri(await AddressOfAsync(process)) };
        var answered = new ConcurrentBag<ulong>();
        long next = 0;
        Task[] customers = [.. Enumerable.Range(0, 4).Select(_ => Task.Run(async () =>
        {
            try
            {
                while (true)
                    answered.Add((await PredictAsync(client, (ulong)Interlocked.Increment(ref next), Token)).Order);
            }
            catch (HttpRequestException)
            {
                // it has stopped
            }
        }))];
        await Until(() => Task.FromResult(answered.Count > 500));
        Assert.Empty(Directory.Exists(Path.Combine(folder, "records")) ? Read<BinaryRecord>(Path.Combine(folder, "records")) : []);

        using (var kill = Process.Start("kill", ["-TERM", process.Id.ToString(CultureInfo.InvariantCulture)]))
            await kill.WaitForExitAsync(Token);
        await Task.WhenAll(customers);
        await process.WaitForExitAsync(Token);

        Assert.Equal(0, process.ExitCode);
        HashSet<ulong> recorded = [.. Read<BinaryRecord>(Path.Combine(folder, "records")).Select(record => record.Key)];
        Assert.Empty(answered.Except(recorded));
    }

    [Fact]
    public async Task Program_BadOption_FailsAndNamesIt()
    {
        using Process process = Run("--WindowRows", "7");
        string error = await process.StandardError.ReadToEndAsync(Token);
        await process.WaitForExitAsync(Token);

        Assert.Equal(1, process.ExitCode);
        Assert.Equal("--WindowRows must be a number between 64 and 1048576. Got '7'.", error.Trim());
    }

    private static WebApplication Start(ServiceOptions options)
    {
        WebApplicationBuilder builder = WebApplication.CreateBuilder(["--urls", "http://127.0.0.1:0"]);
        return OrderService.Build(builder, options);
    }

    private static async Task<HttpClient> ListenAsync(WebApplication app)
    {
        await app.StartAsync(Token);
        return new HttpClient { BaseAddress = new Uri(app.Urls.First()) };
    }

    private static async Task<OrderAnswer> PredictAsync(HttpClient client, ulong order, CancellationToken cancellation)
    {
        using HttpResponseMessage response = await client.PostAsJsonAsync("/predict", new OrderRequest(order), cancellation);
        response.EnsureSuccessStatusCode();
        return (await response.Content.ReadFromJsonAsync<OrderAnswer>(cancellation))!;
    }

    private static Process Run(params string[] arguments) => Process.Start(
        new ProcessStartInfo("dotnet", [Path.Combine(AppContext.BaseDirectory, "Service.dll"), .. arguments])
        { RedirectStandardOutput = true, RedirectStandardError = true })!;

    private static async Task<string> AddressOfAsync(Process process)
    {
        const string Says = "Now listening on: ";
        while (await process.StandardOutput.ReadLineAsync(Token) is { } line)
        {
            int at = line.IndexOf(Says, StringComparison.Ordinal);
            if (at < 0)
                continue;
            _ = process.StandardOutput.ReadToEndAsync(Token);   // or its pipe fills
            return line[(at + Says.Length)..].Trim();
        }

        throw new InvalidOperationException(await process.StandardError.ReadToEndAsync(Token));
    }

    private static async Task Until(Func<Task<bool>> condition)
    {
        for (int i = 0; i < 3000; i++)
        {
            if (await condition())
                return;
            await Task.Delay(20, Token);
        }

        Assert.Fail("It did not come to pass within a minute.");
    }

    private static List<T> Read<T>(string folder)
        where T : struct, ILogRecord<T>
    {
        using var reader = new ForwardRecordReader<T>(folder);
        var all = new List<T>();
        var some = new T[4096];
        for (int n; (n = reader.Read(some)) > 0;)
            all.AddRange(some.AsSpan(0, n));
        return all;
    }

    /// <summary>Prometheus text as name with tags, and value.</summary>
    private static Dictionary<string, double> Samples(string text)
        => Sample().Matches(text).ToDictionary(sample => sample.Groups[1].Value,
            sample => double.Parse(sample.Groups[2].Value, CultureInfo.InvariantCulture));

    private static double Of(Dictionary<string, double> samples, string name, string tag)
        => samples.Where(sample => sample.Key.StartsWith($"forward_sampling_{name}", StringComparison.Ordinal)
            && sample.Key.Contains(tag, StringComparison.Ordinal)).Sum(sample => sample.Value);

    [GeneratedRegex(@"^(\w+(?:\{[^}]*\})?) (\S+)", RegexOptions.Multiline)]
    private static partial Regex Sample();

    [GeneratedRegex(@"https?://[^'"" ]+")]
    private static partial Regex Address();
}
