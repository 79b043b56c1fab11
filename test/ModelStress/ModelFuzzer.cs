using System.Buffers.Binary;
using System.IO.Compression;
using System.IO.Hashing;
using Microsoft.ML.Data;
using Microsoft.ML.ForwardSampling.GroupTesting;
using Microsoft.ML.ForwardSampling.LowMemory;
using Microsoft.ML.ForwardSampling.Networks;
using Microsoft.ML.ForwardSampling.RecordStress;
using Microsoft.ML.ForwardSampling.Saving;
using TorchSharp;
using static TorchSharp.torch;

namespace Microsoft.ML.ForwardSampling.ModelStress;

/// <summary>Makes damaged model files and loads each: the file as it lies on disk, one part of it under the checksum that it had, or this
/// library's own state in it.</summary>
/// <remarks>What must hold for any: it is loaded, or refused as <c>fs.Load</c> documents, within the limits of time and memory; a damaged
/// part is always refused. ML.NET's own parts, changed and given a checksum that holds, are not among them: its readers (Microsoft.ML
/// 5.0.1) take time and memory without bound for some, and who makes such a file can have any code run.</remarks>
public sealed class ModelFuzzer : IFuzzer
{
    private readonly Random _random;
    private readonly FileDamage _damage;
    private readonly MLContext _context = new(seed: 1);
    private readonly string _path;
    private readonly string _folder;
    private readonly List<WholeModel> _whole = [];
    private readonly Reading _files = new(FileAllocationLimit, IsRefusal);
    private readonly Reading _states = new(StateAllocationLimit, IsRefusal);
    private byte[] _bytes = [];
    private string _ending = "";

    /// <summary>Starts a sequence of files.</summary>
    /// <param name="seed">Decides everything.</param>
    public ModelFuzzer(int seed)
    {
        _random = new Random(seed);
        _damage = new FileDamage(_random);
        string memory = "/dev/shm";
        _folder = Directory.CreateDirectory(
            Path.Combine(Directory.Exists(memory) ? memory : Path.GetTempPath(), $"model-fuzz-{Environment.ProcessId}-{seed}")).FullName;
        _path = Path.Combine(_folder, "model.zip");
        foreach (string path in WholeFiles.Saved("*.zip"))
            Add(path);
        foreach (ITransformer model in Train())
        {
            _context.ForwardSampling().Save(model, Rows().Schema, _path);
            Add(_path);
        }
    }

    /// <summary>Bytes that loading one file may allocate: ML.NET's own readers take some 3 MB for the largest that is whole.</summary>
    public static long FileAllocationLimit => 64L << 20;

    /// <summary>Bytes that putting back one state may allocate.</summary>
    public static long StateAllocationLimit => 4L << 20;

    /// <inheritdoc/>
    public string Summary => $"model files: {_files.Summary}; their states: {_states.Summary}";

    /// <inheritdoc/>
    public string? Next()
    {
        WholeModel whole = _whole[_random.Next(_whole.Count)];
        return _random.Next(4) switch
        {
            0 => LoadFile(Repeat(whole.File, _damage.Break)),
            1 => DamagePart(whole) is { } file ? LoadFile(file) ?? (_files.WasRefused ? null : "was loaded with a damaged part") : null,
            _ => Restore(whole),
        };
    }

    /// <inheritdoc/>
    public string Keep(string folder) => Reading.Keep(folder, _ending, _bytes);

    /// <inheritdoc/>
    public void Dispose() => Directory.Delete(_folder, recursive: true);

    private static bool IsRefusal(Exception e) => e is InvalidDataException or NotSupportedException
        || (e is InvalidOperationException && e.Message.Contains("are the user's own", StringComparison.Ordinal));

    private static nn.Module<Tensor, Tensor> OwnModule(int inputs, int outputs, Device device)
        => nn.Sequential(nn.Linear(inputs, 6, device: device), nn.Tanh(), nn.Linear(6, outputs, device: device));

    private string? LoadFile(byte[] file)
    {
        (_bytes, _ending) = (file, "model.zip");
        File.WriteAllBytes(_path, file);
        return _files.Of(() => (_context.ForwardSampling().Load(_path, out _, OwnModule) as IDisposable)?.Dispose());
    }

    private string? Restore(WholeModel whole)
    {
        byte[] state = Repeat(whole.State, bytes => _random.Next(4) == 0 ? _damage.Break(bytes) : Lie(bytes));
        if (whole.HasChecksum && state.Length > StateHeaderBytes + sizeof(uint) && _random.Next(8) > 0)
            BitConverter.TryWriteBytes(state.AsSpan()[^sizeof(uint)..], Crc32C.Of(state.AsSpan()[StateHeaderBytes..^sizeof(uint)]));
        (_bytes, _ending) = (state, "model.state");
        ITransformer carrier = whole.Carrying(_context, state);
        return _states.Of(() => (_context.ForwardSampling().Restore(carrier, OwnModule) as IDisposable)?.Dispose());
    }

    private const int StateHeaderBytes = 6;

    private byte[] Lie(byte[] bytes)
    {
        bytes = [.. bytes];
        if (bytes.Length > 0)
            _damage.Lie(bytes);
        return bytes;
    }

    private byte[] Repeat(byte[] bytes, Func<byte[], byte[]> damage)
    {
        for (int times = _random.Next(3); times >= 0; times--)
            bytes = damage(bytes);
        return bytes;
    }

    /// <summary>The file with other bytes in one part, under its old checksum; null when the damage left all as it was.</summary>
    private byte[]? DamagePart(WholeModel whole)
    {
        (string damaged, byte[] former) = whole.Parts[_random.Next(whole.Parts.Length)];
        byte[] changed = Repeat(former, part => _random.Next(4) == 0 ? _damage.Break(part) : Lie(part));
        if (changed.AsSpan().SequenceEqual(former))
            return null;
        using var file = new MemoryStream();
        using (var zip = new ZipArchive(file, ZipArchiveMode.Create, leaveOpen: true))
        {
            CompressionLevel level = _random.Next(2) == 0 ? CompressionLevel.NoCompression : CompressionLevel.Fastest;
            foreach ((string name, byte[] bytes) in whole.Parts)
            {
                using Stream part = zip.CreateEntry(name, level).Open();
                part.Write(name == damaged ? changed : bytes);
            }
        }

        return Replace(file.ToArray(), Crc32.HashToUInt32(changed), Crc32.HashToUInt32(former));
    }

    /// <summary>Writes another number wherever that one stands.</summary>
    private static byte[] Replace(byte[] bytes, uint former, uint next)
    {
        for (int at = 0; at <= bytes.Length - sizeof(uint); at++)
        {
            if (BinaryPrimitives.ReadUInt32LittleEndian(bytes.AsSpan(at)) == former)
                BinaryPrimitives.WriteUInt32LittleEndian(bytes.AsSpan(at), next);
        }

        return bytes;
    }

    private void Add(string path) => _whole.Add(WholeModel.Of(_context, path));

    private IEnumerable<ITransformer> Train()
    {
        ForwardSamplingCatalog fs = _context.ForwardSampling();
        var options = new LowMemoryTrainerOptions();
        LowMemoryPredictionTransformer linear = fs.Trainers.LowMemoryRegression(options).Fit(Rows());
        yield return linear;
        yield return linear.ForPrediction(7);
        using GroupTestingTransformer groups = fs.GroupTesting(new GroupTestingOptions
        { Merge = GroupMerge.Tree, StemLayers = [4], PairLayers = [4], BodyLayers = [4], Steps = 2, Seed = 1, LabelColumnName = "IsHigh" })
            .Fit(Rows());
        yield return groups;
    }

    private IDataView Rows() => _context.Data.LoadFromEnumerable(Enumerable.Range(0, 64).Select(i => new Row
    { Features = [i % 3, i % 5, i % 7, 1], Label = i % 11, IsHigh = i % 8 == 0 }));

    private sealed class Row
    {
        [VectorType(4)]
        public float[] Features { get; set; } = [];

        public float Label { get; set; }

        public bool IsHigh { get; set; }
    }
}
