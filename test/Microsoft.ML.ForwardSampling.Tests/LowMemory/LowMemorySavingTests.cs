using Microsoft.ML.Data;
using Microsoft.ML.ForwardSampling.LowMemory;
using Microsoft.ML.ForwardSampling.Saving;

namespace Microsoft.ML.ForwardSampling.Tests.LowMemory;

public sealed class LowMemorySavingTests : IDisposable
{
    private readonly MLContext _context = new(seed: 1);
    private readonly string _folder = Directory.CreateTempSubdirectory("forward-sampling-").FullName;
    private readonly ClickStream _clicks = new(500, 1 << 16);

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Theory]
    [InlineData(PredictionTask.Regression, null)]
    [InlineData(PredictionTask.Binary, null)]
    [InlineData(PredictionTask.Regression, 7)]
    [InlineData(PredictionTask.Binary, 3)]
    public void Load_PlainAndRestored_SameScoresBitForBit(PredictionTask task, int? bits)
    {
        LowMemoryPredictionTransformer model = Fit(task);
        if (bits is { } few)
            model = model.ForPrediction(few);
        string[] columns = task == PredictionTask.Binary ? ["Score", "Probability", "PredictedLabel"] : ["Score"];
        string ours = Path.Combine(_folder, "ours.zip"), theirs = Path.Combine(_folder, "theirs.zip");
        _context.ForwardSampling().Save(model, _clicks.Schema, ours);
        _context.Model.Save(model, _clicks.Schema, theirs);
        foreach (string path in new[] { ours, theirs })
        {
            ITransformer plain = _context.Model.Load(path, out DataViewSchema schema);
            ITransformer restored = _context.ForwardSampling().Load(path, out _);
            Assert.Equal(_clicks.Schema.Select(c => c.Name), schema.Select(c => c.Name));
            Assert.IsType<LowMemoryPredictionTransformer>(restored);
            Assert.Equal(_clicks.Schema.Select(c => c.Name).Concat(columns),
                plain.Transform(_clicks).Schema.Where(c => !c.IsHidden).Select(c => c.Name));
            foreach (ITransformer loaded in new[] { plain, restored })
                Assert.Equal(Values(model), Values(loaded));
        }

        string[] Values(ITransformer transformer) => [.. transformer.Transform(_clicks).Preview(500).RowView.Select(row =>
            string.Join(' ', columns.Select(name => row.Values.Last(v => v.Key == name).Value is float number
                ? BitConverter.SingleToInt32Bits(number) : (object)row.Values.Last(v => v.Key == name).Value)))];
    }

    [Fact]
    public void Load_ThenFit_GoesOnAsIfNeverSaved()
    {
        LowMemoryPredictionTransformer model = Fit(PredictionTask.Regression);
        string path = Path.Combine(_folder, "model.zip");
        _context.ForwardSampling().Save(model, _clicks.Schema, path);
        var loaded = (LowMemoryPredictionTransformer)_context.ForwardSampling().Load(path, out _);
        LowMemoryModel expected = Trainer(PredictionTask.Regression).Fit(_clicks, model).Model;
        LowMemoryModel actual = Trainer(PredictionTask.Regression).Fit(_clicks, loaded).Model;
        Assert.Equal(expected.Learner!.Codes, actual.Learner!.Codes);
        Assert.Equal(expected.Learner.Counts, actual.Learner.Counts);
        Assert.Equal((expected.Intercept, expected.Scale, "Number", "Features"),
            (actual.Intercept, actual.Scale, loaded.LabelColumnName, loaded.FeatureColumnName));
    }

    [Fact]
    public void Load_InAPipelineWithARecorder_Works()
    {
        ForwardSamplingCatalog fs = _context.ForwardSampling();
        ITransformer recorder = fs.RecordForwardPass(Fit(PredictionTask.Binary), PredictionTask.Binary).Fit(_clicks);
        string path = Path.Combine(_folder, "recorder.zip");
        fs.Save(recorder, _clicks.Schema, path);
        Assert.Equal(recorder.Transform(_clicks).GetColumn<float>(ForwardColumns.Loss),
            fs.Load(path, out _).Transform(_clicks).GetColumn<float>(ForwardColumns.Loss));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Decode_AnyByteChangedOrLeftOut_IsRefusedByMessage(bool small)
    {
        LowMemoryPredictionTransformer model = Trainer(PredictionTask.Binary).Fit(new ClickStream(50, 32));
        byte[] state = LowMemoryStateCodec.Encode(small ? model.ForPrediction(5) : model);
        Assert.Equal(model.Model.Intercept, Decode(state).Model.Intercept);
        for (int i = 0; i < state.Length; i++)
        {
            byte[] changed = [.. state];
            changed[i] ^= 0x41;
            Assert.True(Record.Exception(() => Decode(changed)) is InvalidDataException or NotSupportedException, $"byte {i}");
            Assert.True(Record.Exception(() => Decode(state[..i])) is InvalidDataException or EndOfStreamException, $"{i} bytes");
        }
    }

    [Fact]
    public void Decode_RightChecksumOverWrongNumbers_IsRefusedWithoutTakingMemory()
    {
        byte[] state = LowMemoryStateCodec.Encode(Trainer(PredictionTask.Binary).Fit(new ClickStream(50, 32)));
        Assert.Contains("has no classes", Refused<InvalidDataException>(6, (byte)PredictionTask.Multiclass), StringComparison.Ordinal);
        Assert.Contains("features", Refused<InvalidDataException>(10, 0x7f), StringComparison.Ordinal);
        Assert.Contains("q2.14", Refused<InvalidDataException>(12, 14), StringComparison.Ordinal);
        Assert.Contains("finite", Refused<InvalidDataException>(36, 0xff, 0xff), StringComparison.Ordinal);
        long before = GC.GetAllocatedBytesForCurrentThread();
        Refused<InvalidDataException>(10, 3);               // 3 x 2^24 + 32 features
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 1 << 20);

        string Refused<T>(int at, params byte[] values)
            where T : Exception
        {
            byte[] changed = [.. state];
            values.CopyTo(changed, at);
            BitConverter.TryWriteBytes(changed.AsSpan(changed.Length - 4), Crc32C.Of(changed.AsSpan(6, changed.Length - 10)));
            return Assert.Throws<T>(() => Decode(changed)).Message;
        }
    }

    [Fact]
    public void Decode_NewerVersion_SaysUpdate()
    {
        byte[] state = LowMemoryStateCodec.Encode(Fit(PredictionTask.Binary));
        state[5] = 2;
        Assert.Contains("Update the package", Assert.Throws<NotSupportedException>(() => Decode(state)).Message, StringComparison.Ordinal);
    }

    private static LowMemoryPredictionTransformer Decode(byte[] state)
    {
        using var reader = new BinaryReader(new MemoryStream(state));
        return StateHeader.Read(reader) == StateKind.LowMemory ? LowMemoryStateCodec.Decode(reader)
            : throw new InvalidDataException("Another kind.");
    }

    private LowMemoryPredictionTransformer Fit(PredictionTask task) => Trainer(task).Fit(_clicks);

    private LowMemoryTrainer Trainer(PredictionTask task)
    {
        var trainers = _context.ForwardSampling().Trainers;
        var options = new LowMemoryTrainerOptions { Seed = 1 };
        return task == PredictionTask.Binary ? trainers.LowMemoryBinaryClassification(options)
            : trainers.LowMemoryRegression(options with { LabelColumnName = "Number" });
    }
}
