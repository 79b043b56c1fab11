using System.Diagnostics;
using System.Globalization;
using System.IO.Compression;
using System.IO.Hashing;
using Microsoft.ML.Data;
using Microsoft.ML.ForwardSampling.ForwardPass;
using Microsoft.ML.ForwardSampling.Networks;
using Microsoft.ML.ForwardSampling.Saving;
using Microsoft.ML.ForwardSampling.Tests.Networks;
using TorchSharp;
using static TorchSharp.torch;

namespace Microsoft.ML.ForwardSampling.Tests.Saving;

[Collection(TorchCollection.Name)]
public sealed class ModelFileTests : IDisposable
{
    private static readonly NetworkTrainerOptions _options = new() { HiddenLayers = [16, 8], Epochs = 1, Seed = 3 };

    private readonly MLContext _context = new(seed: 1);
    private readonly string _folder = Directory.CreateTempSubdirectory("forward-sampling-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Theory]
    [InlineData(PredictionTask.Regression)]
    [InlineData(PredictionTask.Binary)]
    [InlineData(PredictionTask.Multiclass)]
    public void Load_PlainAndRestored_SameColumnsAndValues(PredictionTask task)
    {
        IDataView data = TrainingData.WithKey(_context, TrainingData.View(_context, 300));
        using NetworkPredictionTransformer model = Fit(task, data, _options);
        string path = Save(model, data);
        ITransformer plain = _context.Model.Load(path, out DataViewSchema schema);
        ITransformer restored = _context.ForwardSampling().Load(path, out _);
        Assert.IsType<NetworkPredictionTransformer>(restored);
        Assert.Equal(data.Schema.Select(c => c.Name), schema.Select(c => c.Name));
        string[] expected = Texts(model.Transform(data));
        Assert.Equal(expected, Texts(restored.Transform(data)));
        Assert.Equal(expected, Texts(plain.Transform(data)));
        // mlContext.Model.Save writes the same.
        string byMlNet = Path.Combine(_folder, "by-ml-net.zip");
        _context.Model.Save(model, data.Schema, byMlNet);
        Assert.Equal(expected, Texts(_context.Model.Load(byMlNet, out _).Transform(data)));
    }

    [Theory]
    [InlineData(PredictionTask.Regression)]
    [InlineData(PredictionTask.Binary)]
    [InlineData(PredictionTask.Multiclass)]
    public async Task Load_FreshProcess_SameScoresWithoutNamingThisLibrary(PredictionTask task)
    {
        IDataView data = TrainingData.View(_context, 25);
        NetworkTrainer trainer = Trainer(task, _options);
        TransformerChain<NetworkPredictionTransformer> model = _context.Transforms.Conversion.MapValueToKey("BandKey", "Band")
            .Append(trainer).Fit(data);
        string path = Save(model, data), rows = Path.Combine(_folder, "rows.csv");
        File.WriteAllLines(rows, TrainingData.Rows(25).Select(
            r => string.Join(',', r.Features.Append(r.Label).Select(v => v.ToString("R", CultureInfo.InvariantCulture)).Append(r.Band))));
        string loader = Path.Combine(AppContext.BaseDirectory, "PlainModelLoader.dll");
        using var process = Process.Start(
            new ProcessStartInfo("dotnet", ["exec", loader, path, rows]) { RedirectStandardOutput = true, RedirectStandardError = true })!;
        Task<string> errors = process.StandardError.ReadToEndAsync(TestContext.Current.CancellationToken);
        string output = await process.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken);
        await process.WaitForExitAsync(TestContext.Current.CancellationToken);
        Assert.True(process.ExitCode == 0, await errors);
        Assert.Equal(ScoreTexts(model.Transform(data)), output.Split('\n', StringSplitOptions.RemoveEmptyEntries));
        model.Dispose();
    }

    [Fact]
    public void Load_Pipeline_KeepsOtherStagesScopesAndLabels()
    {
        IDataView data = TrainingData.View(_context, 200);
        using TransformerChain<ITransformer> model = new EstimatorChain<ITransformer>()
            .Append<ITransformer>(_context.Transforms.Conversion.MapValueToKey("BandKey", "Band"), TransformerScope.TrainTest)
            .Append<ITransformer>(_context.Transforms.NormalizeMinMax("Features"))
            .Append<ITransformer>(Trainer(PredictionTask.Multiclass, _options))
            .Append<ITransformer>(_context.Transforms.Conversion.MapKeyToValue("Predicted", "PredictedLabel"))
            .Fit(data);
        var restored = (TransformerChain<ITransformer>)_context.ForwardSampling().Load(Save(model, data), out _);
        Assert.IsType<NetworkPredictionTransformer>(restored.ElementAt(2));
        Assert.Equal(3, restored.GetModelFor(TransformerScope.Scoring).Count());
        Assert.Equal(4, restored.GetModelFor(TransformerScope.Training).Count());
        Assert.Equal(model.Transform(data).GetColumn<string>("Predicted"), restored.Transform(data).GetColumn<string>("Predicted"));
    }

    [Theory]
    [InlineData(2)]
    [InlineData(16)]
    [InlineData(17)]
    [InlineData(40)]
    public void Load_AnyNumberOfClasses_PlainScoresHaveKnownSize(int classes)
    {
        IDataView data = ClassData(classes);
        using NetworkPredictionTransformer model = _context.ForwardSampling()
            .Trainers.MulticlassClassification(_options with { LabelColumnName = "Class" }).Fit(data);
        ITransformer plain = _context.Model.Load(Save(model, data), out _);
        IDataView scored = plain.Transform(data);
        Assert.Equal(new VectorDataViewType(NumberDataViewType.Single, classes), scored.Schema["Score"].Type);
        Assert.Equal(new KeyDataViewType(typeof(uint), classes), scored.Schema["PredictedLabel"].Type);
        Assert.Equal(model.Transform(data).GetColumn<float[]>("Score"), scored.GetColumn<float[]>("Score"));
        Assert.Equal(model.Transform(data).GetColumn<uint>("PredictedLabel"), scored.GetColumn<uint>("PredictedLabel"));
        Assert.Equal(_context.MulticlassClassification.Evaluate(model.Transform(data), "Class").LogLoss,
            _context.MulticlassClassification.Evaluate(scored, "Class").LogLoss);
    }

    [Theory]
    [InlineData("Label")]
    [InlineData("IsHigh")]
    [InlineData("Band")]
    public void Load_LabelOfAnyType_PredictedLabelMapsBack(string source)
    {
        TrainingRow[] rows = TrainingData.Rows(60);
        for (int i = 0; i < rows.Length; i++)
            rows[i].Label = 0.5f + i % 3;
        IDataView raw = _context.Data.LoadFromEnumerable(rows);
        IDataView data = _context.Transforms.Conversion.MapValueToKey("Key", source).Fit(raw).Transform(raw);
        using NetworkPredictionTransformer model = _context.ForwardSampling()
            .Trainers.MulticlassClassification(_options with { LabelColumnName = "Key" })
            .Fit(data);
        string path = Save(model, data);
        string[] expected = MappedBack(model);
        Assert.Equal(expected, MappedBack(_context.Model.Load(path, out _)));
        Assert.Equal(expected, MappedBack(_context.ForwardSampling().Load(path, out _)));

        string[] MappedBack(ITransformer transformer)
        {
            IDataView scored = transformer.Transform(data);
            IDataView mapped = _context.Transforms.Conversion.MapKeyToValue("Back", "PredictedLabel").Fit(scored).Transform(scored);
            return [.. mapped.Preview(100).RowView.Select(row => row.Values.Last(v => v.Key == "Back").Value.ToString()!)];
        }
    }

    [Fact]
    public void Load_ThenFit_GoesOnTraining()
    {
        IDataView data = TrainingData.View(_context, 300);
        using NetworkPredictionTransformer model = Fit(PredictionTask.Regression, data,
            _options with { Normalization = Normalization.Batch, RegressionLoss = RegressionLoss.Huber(2f) });
        var loaded = (NetworkPredictionTransformer)_context.ForwardSampling().Load(Save(model, data), out _);
        using NetworkPredictionTransformer next = _context.ForwardSampling()
            .Trainers.Regression(_options with { Normalization = Normalization.Batch }).Fit(data, loaded);
        Assert.False(next.Model.Report!.OptimizerContinued);
        Assert.NotEqual(TrainingData.Scores(model.Transform(data)), TrainingData.Scores(next.Transform(data)));
    }

    [Fact]
    public void Load_UsersNetwork_NeedsTheFactory()
    {
        IDataView data = TrainingData.View(_context, 100);
        NetworkFactory factory = (inputs, outputs, device) =>
            nn.Sequential(nn.Linear(inputs, 6, device: device), nn.Tanh(), nn.Linear(6, outputs, device: device));
        using NetworkPredictionTransformer model = Fit(PredictionTask.Regression, data, _options with { Network = factory });
        string path = Save(model, data);
        ForwardSamplingCatalog catalog = _context.ForwardSampling();
        Assert.Contains("giving the factory", Assert.Throws<InvalidOperationException>(() => catalog.Load(path, out _)).Message,
            StringComparison.Ordinal);
        ITransformer loaded = catalog.Load(path, out _, factory);
        Assert.Equal(TrainingData.Scores(model.Transform(data)), TrainingData.Scores(loaded.Transform(data)));
        var error = Assert.Throws<InvalidDataException>(() =>
            catalog.Load(path, out _, (inputs, outputs, device) => nn.Linear(inputs, outputs, device: device)));
        Assert.Contains(path, error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Load_Recorder_IsRestoredWithItsOptions()
    {
        IDataView data = TrainingData.View(_context, 100);
        using NetworkPredictionTransformer model = Fit(PredictionTask.Regression, data, _options);
        ForwardRecordingTransformer recorder = _context.ForwardSampling()
            .RecordForwardPass(model, new ForwardRecordingOptions { LossColumnName = "MyLoss" }).Fit(data);
        string path = Save(recorder, data);
        var restored = Assert.IsType<ForwardRecordingTransformer>(_context.ForwardSampling().Load(path, out _));
        Assert.Equal(recorder.Options, restored.Options);
        Assert.IsType<NetworkPredictionTransformer>(restored.InnerTransformer);
        Assert.Equal(recorder.Transform(data).GetColumn<float>("MyLoss"), restored.Transform(data).GetColumn<float>("MyLoss"));
        // Without this library's Load: the wrapped model.
        IDataView plain = _context.Model.Load(path, out _).Transform(data);
        Assert.Equal(TrainingData.Scores(model.Transform(data)), TrainingData.Scores(plain));
        Assert.DoesNotContain(plain.Schema, c => !c.IsHidden && c.Name.StartsWith("__fs", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void RecordForwardPass_PlainLoadedMulticlass_RecordsAsTheOriginal(bool keysHaveValues)
    {
        IDataView data = keysHaveValues ? TrainingData.WithKey(_context, TrainingData.View(_context, 100)) : WithoutKeyValues();
        using NetworkPredictionTransformer model = Fit(PredictionTask.Multiclass, data, _options);
        ITransformer plain = _context.Model.Load(Save(model, data), out _);
        var options = new ForwardRecordingOptions { Task = PredictionTask.Multiclass, LabelColumnName = "BandKey" };
        IEnumerable<float> Losses(ITransformer transformer) => _context.ForwardSampling().RecordForwardPass(transformer, options).Fit(data)
            .Transform(data).GetColumn<float>(ForwardColumns.Loss);
        Assert.Equal(Losses(model), Losses(plain));
        Assert.All(Losses(plain), loss => Assert.True(float.IsFinite(loss)));

        // Keys that stand for other classes are refused over the plainly loaded model too.
        if (!keysHaveValues)
            return;
        TrainingRow[] rows = TrainingData.Rows(100);
        IDataView reordered = TrainingData.WithKey(_context,
            _context.Data.LoadFromEnumerable(rows.SkipWhile(row => row.Band == rows[0].Band).ToArray()));
        Assert.Contains("Fit MapValueToKey once", Assert.Throws<ArgumentException>(
            () => _context.ForwardSampling().RecordForwardPass(plain, options).Fit(reordered)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Restore_ForeignModel_IsHandedBack()
    {
        IDataView data = TrainingData.View(_context, 50);
        ITransformer foreign = _context.Transforms.NormalizeMinMax("Features").Append(_context.Transforms.CopyColumns("A", "Label"))
            .Fit(data);
        string path = Save(foreign, data);
        ITransformer loaded = _context.Model.Load(path, out _);
        Assert.Same(loaded, _context.ForwardSampling().Restore(loaded));
    }

    [Fact]
    public void Load_TruncatedAnywhere_IsRefusedByName()
    {
        IDataView data = TrainingData.View(_context, 50);
        using NetworkPredictionTransformer model = Fit(PredictionTask.Regression, data, _options with { HiddenLayers = [2] });
        byte[] whole = File.ReadAllBytes(Save(model, data));
        string path = Path.Combine(_folder, "short.zip");
        for (int length = 0; length < whole.Length; length += Math.Max(1, whole.Length / 40))
        {
            File.WriteAllBytes(path, whole[..length]);
            var error = Assert.Throws<InvalidDataException>(() => _context.ForwardSampling().Load(path, out _));
            Assert.StartsWith($"'{path}' ({length} bytes) is not a whole model file", error.Message, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void Load_APartThatIsNotWhatWasWritten_IsRefusedByItsName()
    {
        IDataView data = TrainingData.View(_context, 50);
        using NetworkPredictionTransformer model = Fit(PredictionTask.Regression, data, _options with { HiddenLayers = [2] });
        string path = Save(model, data), changed = Path.Combine(_folder, "changed.zip");
        var parts = new Dictionary<string, byte[]>();
        using (ZipArchive whole = ZipFile.OpenRead(path))
        {
            foreach (ZipArchiveEntry entry in whole.Entries)
            {
                using var bytes = new MemoryStream();
                using Stream part = entry.Open();
                part.CopyTo(bytes);
                parts.Add(entry.FullName, bytes.ToArray());
            }
        }

        foreach ((string name, byte[] bytes) in parts.Where(part => part.Value.Length > 0))
        {
            foreach (int at in new[] { 0, bytes.Length / 2, bytes.Length - 1 })
            {
                byte[] other = [.. bytes];
                other[at] ^= 1;
                uint sum = Crc32.HashToUInt32(other), former = Crc32.HashToUInt32(bytes);
                File.WriteAllBytes(changed, Replace(Zip(parts.Select(part => (part.Key, part.Key == name ? other : part.Value))),
                    sum, former));
                Assert.Equal($"'{changed}' ({new FileInfo(changed).Length} bytes) is not a whole model file, as mlContext.Model.Save "
                    + $"writes it: its part '{name}' is damaged: checksum {sum:X8} instead of {former:X8}",
                    Assert.Throws<InvalidDataException>(() => _context.ForwardSampling().Load(changed, out _)).Message);
            }
        }
    }

    [Fact]
    public void Load_DeclaredSizes_AreComparedWithWhatIsThere()
    {
        byte[] file = Zip([("TrainingInfo/Version.txt", new byte[77_777])], CompressionLevel.Fastest);
        string Refusal(uint declared) => Assert.Throws<InvalidDataException>(() => _context.ForwardSampling()
            .Load(new MemoryStream(Replace([.. file], 77_777, declared)), out _)).Message;
        Assert.Contains("'TrainingInfo/Version.txt' is damaged: it declares 77778 bytes and has 77777", Refusal(77_778),
            StringComparison.Ordinal);
        Assert.Contains("'TrainingInfo/Version.txt' is damaged", Refusal(77_776), StringComparison.Ordinal);
        Assert.Contains("it declares 2000000000 bytes, more than", Refusal(2_000_000_000), StringComparison.Ordinal);
    }

    [Fact]
    public void Load_FromAStream_AsFromAFile()
    {
        IDataView data = TrainingData.View(_context, 50);
        using NetworkPredictionTransformer model = Fit(PredictionTask.Regression, data, _options);
        using var stream = new MemoryStream(File.ReadAllBytes(Save(model, data)));
        ITransformer loaded = _context.ForwardSampling().Load(stream, out DataViewSchema schema);
        Assert.Equal(data.Schema.Count, schema.Count);
        Assert.Equal(TrainingData.Scores(model.Transform(data)), TrainingData.Scores(Assert.IsType<NetworkPredictionTransformer>(loaded)
            .Transform(data)));
        stream.Position = 1;
        Assert.Contains("at its beginning", Assert.Throws<ArgumentException>(() => _context.ForwardSampling().Load(stream, out _)).Message,
            StringComparison.Ordinal);
        Assert.StartsWith("The stream (3 bytes) is not a whole model file", Assert.Throws<InvalidDataException>(
            () => _context.ForwardSampling().Load(new MemoryStream(new byte[3]), out _)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Load_ForeignFiles_AreRefusedByName()
    {
        string text = Path.Combine(_folder, "notes.txt"), zip = Path.Combine(_folder, "photos.zip");
        File.WriteAllText(text, "not a model");
        using (ZipArchive archive = ZipFile.Open(zip, ZipArchiveMode.Create))
            archive.CreateEntry("photo.txt").Open().Dispose();
        foreach (string path in new[] { text, zip })
            Assert.Contains(path, Assert.Throws<InvalidDataException>(() => _context.ForwardSampling().Load(path, out _)).Message,
                StringComparison.Ordinal);
        Assert.Throws<FileNotFoundException>(() => _context.ForwardSampling().Load(Path.Combine(_folder, "none.zip"), out _));
    }

    [Fact]
    public void Save_Fails_OldFileStaysAndNothingElse()
    {
        IDataView data = TrainingData.View(_context, 50);
        NetworkPredictionTransformer model = Fit(PredictionTask.Regression, data, _options);
        string path = Save(model, data);
        byte[] before = File.ReadAllBytes(path);
        model.Dispose();
        Assert.ThrowsAny<Exception>(() => _context.ForwardSampling().Save(model, data.Schema, path));
        Assert.Equal(before, File.ReadAllBytes(path));
        Assert.Equal([path], Directory.GetFileSystemEntries(_folder));
    }

    /// <summary>The rest is tested where files are replaced: AtomicFileTests.</summary>
    [Fact]
    public async Task Save_OverALinkThatIsWatched_KeepsLinkAndMode_AndIsHeardAsChanged()
    {
        IDataView data = TrainingData.View(_context, 50);
        using NetworkPredictionTransformer model = Fit(PredictionTask.Regression, data, _options);
        string path = Save(model, data), link = Path.Combine(_folder, "current.zip");
        File.CreateSymbolicLink(link, "model.zip");
        if (!OperatingSystem.IsWindows())
            File.SetUnixFileMode(path, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead);
        var heard = new TaskCompletionSource();
        using var watcher = new FileSystemWatcher(_folder, "model.zip");
        watcher.Changed += (_, _) => heard.TrySetResult();
        watcher.EnableRaisingEvents = true;

        _context.ForwardSampling().Save(model, data.Schema, link);

        await heard.Task.WaitAsync(TimeSpan.FromSeconds(10), TestContext.Current.CancellationToken);
        Assert.Equal("model.zip", new FileInfo(link).LinkTarget);
        if (!OperatingSystem.IsWindows())
            Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead, File.GetUnixFileMode(path));
        Assert.NotNull(_context.ForwardSampling().Load(link, out _));
    }

    [Fact]
    public void Decode_StateCutOrChangedAnywhere_GivesOneKindOfError()
    {
        IDataView data = TrainingData.WithKey(_context, TrainingData.View(_context, 50));
        data = _context.Transforms.Conversion.MapValueToKey("Color", nameof(TrainingRow.Band)).Fit(data).Transform(data);
        foreach (NetworkTrainerOptions options in new[] { _options, _options with
        {
            MoreFeatureColumns = [nameof(TrainingRow.Weight)],
            EmbeddingColumns = new Dictionary<string, int> { ["Color"] = 2 },
        } })
        {
            using NetworkPredictionTransformer model = Fit(PredictionTask.Multiclass, data, options with { HiddenLayers = [2] });
            byte[] whole = NetworkStateCodec.Encode(model);
            for (int length = 0; length < whole.Length; length++)
                Assert.True(DecodeFails(whole[..length]), $"cut at {length}");
            var random = new Random(1);
            for (int i = 0; i < 500; i++)
            {
                byte[] changed = [.. whole];
                changed[random.Next(whole.Length)] ^= (byte)(1 << random.Next(8));
                DecodeFails(changed); // a changed weight still decodes; nothing else may be thrown
            }
        }

        static bool DecodeFails(byte[] state)
        {
            try
            {
                using var reader = new BinaryReader(new MemoryStream(state));
                StateHeader.Read(reader, out int version);
                NetworkStateCodec.Decode(reader, version, null).Dispose();
                return false;
            }
            catch (NotSupportedException) when (state[5] > 2 || (state[5] > 1 && state[4] != (byte)StateKind.Network))
            {
                return true; // a newer version
            }
            catch (InvalidOperationException e) when (e.Message.Contains("user's own", StringComparison.Ordinal))
            {
                return true;
            }
            catch (InvalidDataException)
            {
                return true;
            }
        }
    }

    [Fact]
    public void Decode_SizesThatAreNotThere_AreRefusedBeforeMemoryIsTaken()
    {
        using NetworkPredictionTransformer model = Fit(PredictionTask.Regression, TrainingData.View(_context, 50),
            _options with { HiddenLayers = [2] });
        byte[] whole = NetworkStateCodec.Encode(model);
        byte[] two = BitConverter.GetBytes(2), many = BitConverter.GetBytes((1 << 24) - 1);
        int places = 0;
        for (int at = 0; at + 4 <= whole.Length; at++)
        {
            if (!whole.AsSpan(at, 4).SequenceEqual(two) && !whole.AsSpan(at, 4).SequenceEqual(BitConverter.GetBytes(4)))
                continue;
            places++;
            byte[] changed = [.. whole];
            many.CopyTo(changed, at);
            long before = GC.GetAllocatedBytesForCurrentThread();
            using var reader = new BinaryReader(new MemoryStream(changed));
            StateHeader.Read(reader, out int version);
            Assert.Throws<InvalidDataException>(() => NetworkStateCodec.Decode(reader, version, null));
            Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 1 << 20);
        }

        Assert.InRange(places, 5, 30); // features, units, dimensions and weights
    }

    /// <summary>BinaryReader tells of it by an IOException.</summary>
    [Fact]
    public void Whole_TextOfNegativeLength_GivesOneKindOfError()
    {
        using var reader = new BinaryReader(new MemoryStream([0xF5, 0xFF, 0xFF, 0xFF, 0x0F]));
        Assert.Contains("The saved state is damaged at byte 5", Assert.Throws<InvalidDataException>(
            () => StateReading.Whole(reader, state => state.ReadString())).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Read_NewerVersion_SaysWhatToDo()
    {
        byte[] state = [0x46, 0x77, 0x64, 0x53, 2, 2];
        using var reader = new BinaryReader(new MemoryStream(state));
        Assert.Equal(
            "The saved state has format version 2; this version of Microsoft.ML.ForwardSampling reads version 1. Update the package to "
                + "load it.",
            Assert.Throws<NotSupportedException>(() => StateHeader.Read(reader)).Message);
        state[4] = (byte)StateKind.Network;
        reader.BaseStream.Position = 0;
        Assert.Equal(StateKind.Network, StateHeader.Read(reader, out int version));
        Assert.Equal(2, version);
        state[5] = 3;
        reader.BaseStream.Position = 0;
        Assert.Contains("format version 3", Assert.Throws<NotSupportedException>(() => StateHeader.Read(reader)).Message,
            StringComparison.Ordinal);
    }

    private static byte[] Zip(IEnumerable<(string Name, byte[] Bytes)> parts, CompressionLevel level = CompressionLevel.NoCompression)
    {
        using var file = new MemoryStream();
        using (var zip = new ZipArchive(file, ZipArchiveMode.Create, leaveOpen: true))
        {
            foreach ((string name, byte[] bytes) in parts)
            {
                using Stream part = zip.CreateEntry(name, level).Open();
                part.Write(bytes);
            }
        }

        return file.ToArray();
    }

    /// <summary>Writes another number wherever that one stands.</summary>
    private static byte[] Replace(byte[] bytes, uint former, uint next)
    {
        for (int at = 0; at <= bytes.Length - sizeof(uint); at++)
        {
            if (BitConverter.ToUInt32(bytes, at) == former)
                BitConverter.TryWriteBytes(bytes.AsSpan(at), next);
        }

        return bytes;
    }

    private NetworkTrainer Trainer(PredictionTask task, NetworkTrainerOptions options)
    {
        NetworkTrainers trainers = _context.ForwardSampling().Trainers;
        return task switch
        {
            PredictionTask.Regression => trainers.Regression(options),
            PredictionTask.Binary => trainers.BinaryClassification(options with { LabelColumnName = "IsHigh" }),
            _ => trainers.MulticlassClassification(options with { LabelColumnName = "BandKey" }),
        };
    }

    private NetworkPredictionTransformer Fit(PredictionTask task, IDataView data, NetworkTrainerOptions options) =>
        Trainer(task, options).Fit(data);

    private string Save(ITransformer model, IDataView data)
    {
        string path = Path.Combine(_folder, "model.zip");
        _context.ForwardSampling().Save(model, data.Schema, path);
        return path;
    }

    private IDataView ClassData(int classes)
    {
        TrainingRow[] rows = TrainingData.Rows(10 * classes);
        for (int i = 0; i < rows.Length; i++)
            rows[i].Band = (i % classes).ToString(CultureInfo.InvariantCulture);
        IDataView raw = _context.Data.LoadFromEnumerable(rows);
        return _context.Transforms.Conversion.MapValueToKey("Class", "Band").Fit(raw).Transform(raw);
    }

    private IDataView WithoutKeyValues()
        => _context.Data.LoadFromEnumerable(TrainingData.Rows(100).Select(
            row => new KeyRow { Features = row.Features, BandKey = row.Band == "low" ? 0u : row.Band == "mid" ? 1u : 2u }).ToArray());

    private sealed class KeyRow
    {
        [VectorType(4)]
        public float[] Features { get; set; } = [];

        [KeyType(3)]
        public uint BandKey { get; set; }
    }

    private static string[] Texts(IDataView view) =>
        [.. view.Preview(1000).RowView.Select(row => string.Join(" | ",
        row.Values.Where(v => v.Key is "Score" or "Probability" or "PredictedLabel").Select(v => $"{v.Key}: {Text(v.Value)}")))];

    private static string Text(object value) => value is VBuffer<float> vector
        ? string.Join(",", vector.DenseValues().Select(x => x.ToString("R", CultureInfo.InvariantCulture)))
        : Convert.ToString(value, CultureInfo.InvariantCulture)!;

    private static string[] ScoreTexts(IDataView view) =>
        [.. view.Preview(1000).RowView.Select(row => Text(row.Values.Last(v => v.Key == "Score").Value))];
}
