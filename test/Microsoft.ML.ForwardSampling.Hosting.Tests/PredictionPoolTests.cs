using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.ML.Data;
using Microsoft.ML.ForwardSampling.Records;

namespace Microsoft.ML.ForwardSampling.Hosting.Tests;

/// <summary>Models that say 1, 2, 3 … for every row, and a file that they take turns in.</summary>
public sealed class PredictionPoolTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    private string ModelFile => _folder.File("model.zip");

    public void Dispose() => _folder.Dispose();

    public static TheoryData<string> Replacements => ["rename", "in place", "delete and create", "save", "symlink", "folder symlink"];

    [Theory]
    [MemberData(nameof(Replacements))]
    public async Task Host_FileReplaced_ServesTheNewModel(string way)
    {
        string path = Put(way, 1);
        using var measured = new Measured();
        using IHost host = Start(path, TimeSpan.FromMilliseconds(50));
        var pool = host.Services.GetRequiredService<PredictionPool<Row, Said>>();
        Assert.Equal(1f, pool.Predict(new Row(), out ulong first).Score);

        Put(way, 2);
        await Until(() => pool.Predict(new Row()).Score == 2);

        Assert.Equal(2f, pool.Predict(new Row(), out ulong second).Score);
        Assert.NotEqual(first, second);
        Assert.Equal((second, 2L), (pool.Current!.Version, pool.Current.Number));
        Assert.Null(pool.Failure);
        Assert.Equal(2, measured.Sum("forward_sampling.model.loads{name=model,outcome=loaded}"));
        await host.StopAsync();
    }

    [Theory]
    [InlineData("half")]
    [InlineData("foreign")]
    [InlineData("empty")]
    [InlineData("gone")]
    [InlineData("other columns")]
    public async Task Host_NewFileIsNoModel_KeepsTheFormerOneAndSaysSo(string what)
    {
        Save(ModelFile, 1);
        using IHost host = Start(ModelFile, TimeSpan.FromMilliseconds(20));
        var pool = host.Services.GetRequiredService<PredictionPool<Row, Said>>();
        byte[] next = Bytes(2);
        switch (what)
        {
            case "half": File.WriteAllBytes(ModelFile, next[..(next.Length / 2)]); break;
            case "foreign": File.WriteAllText(ModelFile, "not a model"); break;
            case "empty": File.WriteAllBytes(ModelFile, []); break;
            case "gone": File.Delete(ModelFile); break;
            default: SaveOther(ModelFile); break;
        }

        await Until(() => pool.Failure is not null);
        Assert.Equal(1f, pool.Predict(new Row()).Score);
        Assert.Contains(ModelFile, pool.Failure!.Message, StringComparison.Ordinal);
        HealthReport report = await Health(host);
        Assert.Equal(HealthStatus.Degraded, report.Status);
        Assert.Equal(pool.Failure.Message, report.Entries["model model"].Description);

        File.WriteAllBytes(ModelFile, next);
        await Until(() => pool.Predict(new Row()).Score == 2);
        Assert.Equal(HealthStatus.Healthy, (await Health(host)).Status);
        await host.StopAsync();
    }

    [Fact]
    public async Task Host_NoModelYet_StartsUnhealthyAndServesItWhenItComes()
    {
        using IHost host = Start(ModelFile, TimeSpan.FromMilliseconds(20));
        var pool = host.Services.GetRequiredService<PredictionPool<Row, Said>>();
        InvalidOperationException none = Assert.Throws<InvalidOperationException>(() => pool.Predict(new Row()));
        Assert.Equal($"There is no model to predict with yet: There is no file {ModelFile}.", none.Message);
        Assert.Equal(HealthStatus.Unhealthy, (await Health(host)).Status);
        Assert.Null(pool.Age);

        Save(ModelFile, 3);
        await Until(() => pool.Current is not null);
        Assert.Equal(3f, pool.Predict(new Row()).Score);
        await host.StopAsync();
    }

    [Fact]
    public void Look_FileStillChanging_WaitsUntilItHasSettled()
    {
        Save(ModelFile, 1);
        using var pool = new PredictionPool<Row, Said>(new PredictionPoolOptions { ModelPath = ModelFile });
        Assert.True(pool.Look());
        File.WriteAllBytes(ModelFile, Bytes(2));

        Assert.False(pool.Look());
        Assert.Equal(1f, pool.Predict(new Row()).Score);
        Assert.True(pool.Look());
        Assert.Equal(2f, pool.Predict(new Row()).Score);
    }

    [Fact]
    public void Look_SameContentWrittenAgain_IsNoNewModel()
    {
        byte[] bytes = Bytes(1);
        File.WriteAllBytes(ModelFile, bytes);
        using var pool = new PredictionPool<Row, Said>(new PredictionPoolOptions { ModelPath = ModelFile });
        Assert.True(pool.Look());
        ServedModel served = pool.Current!;
        File.WriteAllBytes(ModelFile, bytes);

        Assert.False(pool.Look());
        Assert.False(pool.Look());
        Assert.Same(served, pool.Current);
    }

    [Fact]
    public void Look_AnotherFileOfTheSameSizeAndTimeRenamedOverIt_IsSeen()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "elsewhere size and time of writing decide");
        byte[] first = Bytes(1), second = Bytes(2);
        int size = Math.Max(first.Length, second.Length);
        var time = new DateTime(2026, 1, 2, 3, 4, 5, DateTimeKind.Utc);
        Write(ModelFile, first);
        using var pool = new PredictionPool<Row, Said>(new PredictionPoolOptions { ModelPath = ModelFile });
        FileSignature? before = FileSignature.Of(ModelFile);
        Write(ModelFile + ".new", second);
        File.Move(ModelFile + ".new", ModelFile, overwrite: true);
        FileSignature after = FileSignature.Of(ModelFile)!.Value;

        Assert.Equal((before!.Value.Bytes, before.Value.WrittenAt), (after.Bytes, after.WrittenAt));
        Assert.NotEqual(before, after);

        void Write(string path, byte[] bytes)
        {
            // the same size: a zip's directory is found from its end, and nobody reads this one
            File.WriteAllBytes(path, [.. bytes, .. new byte[size - bytes.Length]]);
            File.SetLastWriteTimeUtc(path, time);
        }
    }

    [Fact]
    public async Task Predict_ManyThreadsWhileModelsTakeTurns_EveryRowIsScoredByAWholeModel()
    {
        byte[][] models = [Bytes(1), Bytes(2)];
        File.WriteAllBytes(ModelFile, models[0]);
        using var pool = new PredictionPool<Row, Said>(new PredictionPoolOptions { ModelPath = ModelFile, MaximumIdleEngines = 1 });
        _ = pool.Look();
        ulong[] versions = new ulong[3];
        using var done = new CancellationTokenSource();
        long predictions = 0;
        Task[] threads = [.. Enumerable.Range(0, 4).Select(_ => Task.Run(() =>
        {
            while (!done.IsCancellationRequested)
            {
                float score = pool.Predict(new Row(), out ulong version).Score;
                Assert.True(score is 1 or 2);
                ulong known = Interlocked.CompareExchange(ref versions[(int)score], version, 0);
                Assert.True(known == 0 || known == version);
                Interlocked.Increment(ref predictions);
            }
        }))];

        for (int turn = 1; turn <= 20; turn++)
        {
            File.WriteAllBytes(ModelFile, models[turn % 2]);
            _ = pool.Look();
            Assert.True(pool.Look());
        }

        await Until(() => versions[1] != 0 && versions[2] != 0 && Interlocked.Read(ref predictions) > 100);
        done.Cancel();
        await Task.WhenAll(threads);
        Assert.Equal(21, pool.Current!.Number);
    }

    [Fact]
    public void Dispose_ThenPredict_IsRefused()
    {
        Save(ModelFile, 1);
        var pool = new PredictionPool<Row, Said>(new PredictionPoolOptions { ModelPath = ModelFile });
        _ = pool.Predict(new Row());
        pool.Dispose();
        pool.Dispose();

        Assert.Throws<ObjectDisposedException>(() => pool.Predict(new Row()));
        Assert.Throws<ObjectDisposedException>(() => pool.Look());
    }

    [Fact]
    public void Age_IsTheClocksAndIsMeasured()
    {
        Save(ModelFile, 1);
        var clock = new HandClock();
        using var pool = new PredictionPool<Row, Said>(
            new PredictionPoolOptions { ModelPath = ModelFile, Name = "aged", TimeProvider = clock });
        _ = pool.Look();
        clock.Now += TimeSpan.FromSeconds(90);
        using var measured = new Measured();

        Assert.Equal(TimeSpan.FromSeconds(90), pool.Age);
        Assert.Equal(90, measured.Now("forward_sampling.model.age{name=aged}"));
    }

    [Fact]
    public void Options_OutOfRange_NameRangeAndValue()
    {
        Assert.Equal("PredictionPoolOptions.ModelPath must be a name that is not empty. Got ''. (Parameter 'ModelPath')",
            Assert.Throws<ArgumentException>(() => new PredictionPoolOptions { ModelPath = "" }).Message);
        Assert.StartsWith("PredictionPoolOptions.PollInterval must be in [00:00:00.0100000, 01:00:00].",
            Assert.Throws<ArgumentOutOfRangeException>(
                () => new PredictionPoolOptions { ModelPath = "m", PollInterval = TimeSpan.Zero }).Message, StringComparison.Ordinal);
        Assert.StartsWith("PredictionPoolOptions.MaximumIdleEngines must be at least 1.",
            Assert.Throws<ArgumentOutOfRangeException>(
                () => new PredictionPoolOptions { ModelPath = "m", MaximumIdleEngines = 0 }).Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task RecordLog_HostStops_EverythingAppendedIsInTheLog()
    {
        string records = _folder.File("records");
        HostApplicationBuilder builder = Host.CreateEmptyApplicationBuilder(null);
        builder.Services.AddForwardRecordLog<BinaryRecord>(records, new ForwardRecordLogOptions { FlushInterval = TimeSpan.FromHours(1) });
        IHost host = builder.Build();
        await host.StartAsync();
        var writer = host.Services.GetRequiredService<IRecordWriter<BinaryRecord>>();
        for (int i = 0; i < 1000; i++)
            _ = writer.Append(BinaryRecord.FromScore((ulong)i, 0.5f));
        Assert.Equal(HealthStatus.Healthy, (await Health(host)).Status);
        await host.StopAsync();
        host.Dispose();

        using var reader = new ForwardRecordReader<BinaryRecord>(records);
        var found = new BinaryRecord[2000];
        Assert.Equal(1000, reader.Read(found));
    }

    private static IHost Start(string path, TimeSpan poll)
    {
        HostApplicationBuilder builder = Host.CreateEmptyApplicationBuilder(null);
        builder.Services.AddForwardSampling<Row, Said>(new PredictionPoolOptions { ModelPath = path, PollInterval = poll, Name = "model" });
        IHost host = builder.Build();
        host.Start();
        return host;
    }

    private static Task<HealthReport> Health(IHost host) => host.Services.GetRequiredService<HealthCheckService>().CheckHealthAsync();

    private static async Task Until(Func<bool> condition)
    {
        for (int i = 0; !condition() && i < 3000; i++)
            await Task.Delay(10, TestContext.Current.CancellationToken);
        Assert.True(condition());
    }

    /// <summary>Puts a model where the pool looks, in one of the ways that people do it; gives the path to look at.</summary>
    private string Put(string way, int says)
    {
        switch (way)
        {
            case "rename":
                File.WriteAllBytes(ModelFile + ".new", Bytes(says));
                File.Move(ModelFile + ".new", ModelFile, overwrite: true);
                return ModelFile;
            case "in place":
                File.WriteAllBytes(ModelFile, Bytes(says));
                return ModelFile;
            case "delete and create":
                File.Delete(ModelFile);
                File.WriteAllBytes(ModelFile, Bytes(says));
                return ModelFile;
            case "save":
                Save(ModelFile, says);
                return ModelFile;
            case "symlink":
                File.WriteAllBytes(_folder.File($"model-{says}.zip"), Bytes(says));
                Link(ModelFile, $"model-{says}.zip", isFolder: false);
                return ModelFile;
            default:
                // As Kubernetes mounts a config map: model.zip -> ..data/model.zip, and ..data -> ..2026_01_02.NUMBER is what is swapped.
                string version = _folder.File($"..{says}");
                Directory.CreateDirectory(version);
                File.WriteAllBytes(Path.Combine(version, "model.zip"), Bytes(says));
                Link(_folder.File("..data"), $"..{says}", isFolder: true);
                if (!File.Exists(ModelFile))
                    File.CreateSymbolicLink(ModelFile, Path.Combine("..data", "model.zip"));
                return ModelFile;
        }
    }

    /// <summary>Points a link elsewhere in one step.</summary>
    private static void Link(string path, string target, bool isFolder)
    {
        if (isFolder)
            Directory.CreateSymbolicLink(path + ".tmp", target);
        else
            File.CreateSymbolicLink(path + ".tmp", target);
        Assert.Equal(0, Rename(path + ".tmp", path));
    }

    [System.Runtime.InteropServices.DllImport("libc", EntryPoint = "rename", CharSet = System.Runtime.InteropServices.CharSet.Ansi,
        BestFitMapping = false, ThrowOnUnmappableChar = true)]
    private static extern int Rename(string from, string to);

    private byte[] Bytes(int says)
    {
        string path = _folder.File($"made-{Guid.NewGuid():N}.zip");
        Save(path, says);
        byte[] bytes = File.ReadAllBytes(path);
        File.Delete(path);
        return bytes;
    }

    private static void Save(string path, int says)
    {
        var ml = new MLContext(seed: says);
        IDataView data = ml.Data.LoadFromEnumerable(new[] { new Row() });
        ITransformer model = ml.Transforms.Expression("Score", $"x => single({says}) + 0f * x", nameof(Row.X)).Fit(data);
        ml.ForwardSampling().Save(model, data.Schema, path);
    }

    private static void SaveOther(string path)
    {
        var ml = new MLContext(seed: 1);
        IDataView data = ml.Data.LoadFromEnumerable(new[] { new Other() });
        ml.ForwardSampling().Save(ml.Transforms.CopyColumns("Another", nameof(Other.Z)).Fit(data), data.Schema, path);
    }

    private sealed class Row
    {
        public float X { get; set; } = 1;
    }

    private sealed class Other
    {
        public float Z { get; set; }
    }

    private sealed class Said
    {
        public float Score { get; set; }
    }

    private sealed class HandClock : TimeProvider
    {
        public DateTimeOffset Now { get; set; } = new(2026, 1, 2, 3, 4, 5, TimeSpan.Zero);

        public override DateTimeOffset GetUtcNow() => Now;
    }
}
