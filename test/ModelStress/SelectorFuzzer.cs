using System.Buffers.Binary;
using Microsoft.ML.ForwardSampling.RecordStress;
using Microsoft.ML.ForwardSampling.Selection;

namespace Microsoft.ML.ForwardSampling.ModelStress;

/// <summary>Makes damaged states of selectors, some with checksums that hold, and resumes from each.</summary>
/// <remarks>What must hold for any: it is refused as documented, or the selector goes on with it over a window.</remarks>
public sealed class SelectorFuzzer : IFuzzer
{
    private const int Rows = 96, Budget = 10, HeaderBytes = 9, ChecksumBytes = 4;

    private readonly Random _random;
    private readonly FileDamage _damage;
    private readonly List<(byte[] Bytes, IRowSelectionPolicy Policy)> _whole = [];
    private readonly Reading _reading = new(AllocationLimit, e => e is InvalidDataException or NotSupportedException
        or ArgumentException { ParamName: "state" });
    private readonly float[] _statistics = [.. Enumerable.Range(0, 3 * Rows).Select(i => 1f / (1 + (i % 37)))];
    private readonly int[] _labels = [.. Enumerable.Range(0, Rows).Select(i => i % 4)];
    private byte[] _bytes = [];

    /// <summary>Starts a sequence of states.</summary>
    /// <param name="seed">Decides everything.</param>
    public SelectorFuzzer(int seed)
    {
        _random = new Random(seed);
        _damage = new FileDamage(_random);
        foreach (string path in WholeFiles.Saved("*.selector"))
        {
            _whole.Add((File.ReadAllBytes(path), Path.GetFileNameWithoutExtension(path) switch
            {
                "Uniform" => new UniformPolicy(),
                "Assisted" => new AssistedPolicy(),
                "AdaptivePercentile" => new AdaptivePercentilePolicy(),
                "SelectiveBackprop-history" => new SelectiveBackpropPolicy { History = 64 },
                var other => throw new InvalidOperationException($"{path}: no policy for {other}."),
            }));
        }
    }

    /// <summary>Bytes that one state may allocate: an empty selector's first window, and a few times the state.</summary>
    public static long AllocationLimit => 1L << 18;

    /// <inheritdoc/>
    public string Summary => $"selectors: {_reading.Summary}";

    /// <inheritdoc/>
    public string? Next()
    {
        (_bytes, IRowSelectionPolicy policy) = _whole[_random.Next(_whole.Count)];
        for (int times = _random.Next(3); times >= 0; times--)
            _bytes = _random.Next(4) == 0 ? _damage.Break(_bytes) : Lie([.. _bytes]);
        return _reading.Of(() =>
        {
            var selector = new RowSelector(policy, RowSelectorState.Load(new MemoryStream(_bytes)));
            var window = new SelectionWindow(Rows, selector.Scratch)
            { Loss = _statistics.AsSpan(0, Rows), Label = _labels, Features = _statistics };
            var rows = new int[Budget];
            selector.Select(in window, rows, new float[Budget]);
            if (rows.Distinct().Count() != Budget || rows.Any(row => row is < 0 or >= Rows))
                throw new InvalidOperationException($"Chose rows {string.Join(' ', rows)} of {Rows}.");
        });
    }

    /// <inheritdoc/>
    public string Keep(string folder) => Reading.Keep(folder, "state.selector", _bytes);

    /// <inheritdoc/>
    public void Dispose()
    {
    }

    /// <summary>Another number in the content, or less or more of it, with a length and a checksum that hold.</summary>
    private byte[] Lie(byte[] bytes)
    {
        if (bytes.Length <= HeaderBytes + ChecksumBytes)
            return bytes;
        byte[] content = bytes[HeaderBytes..^ChecksumBytes];
        if (_random.Next(4) == 0)
            content = _damage.Break(content);
        else
            _damage.Lie(content);
        bytes = [.. bytes[..HeaderBytes], .. content, .. new byte[ChecksumBytes]];
        BinaryPrimitives.WriteInt32LittleEndian(bytes.AsSpan(HeaderBytes - sizeof(int)), content.Length);
        BinaryPrimitives.WriteUInt32LittleEndian(bytes.AsSpan()[^ChecksumBytes..], Crc32C.Of(bytes.AsSpan()[..^ChecksumBytes]));
        return bytes;
    }
}
