using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.ML.ForwardSampling.RecordStress;
using Microsoft.ML.ForwardSampling.Tool.Compare;

namespace Microsoft.ML.ForwardSampling.ModelStress;

/// <summary>Makes damaged results files of the tool, most of them still JSON, and shows each.</summary>
/// <remarks>What must hold for any: it is refused as documented, or its table is written.</remarks>
public sealed class ResultsFuzzer : IFuzzer
{
    private readonly Random _random;
    private readonly FileDamage _damage;
    private readonly string _folder;
    private readonly string _path;
    private readonly byte[] _whole = File.ReadAllBytes(WholeFiles.Results);
    private readonly Reading _reading = new(AllocationLimit, e => e is InvalidDataException);
    private byte[] _bytes = [];

    /// <summary>Starts a sequence of files.</summary>
    /// <param name="seed">Decides everything.</param>
    public ResultsFuzzer(int seed)
    {
        _random = new Random(seed);
        _damage = new FileDamage(_random);
        string memory = "/dev/shm";
        _folder = Directory.CreateDirectory(
            Path.Combine(Directory.Exists(memory) ? memory : Path.GetTempPath(), $"results-fuzz-{Environment.ProcessId}-{seed}")).FullName;
        _path = Path.Combine(_folder, "results.json");
    }

    /// <summary>Bytes that one file may allocate.</summary>
    public static long AllocationLimit => 8L << 20;

    /// <inheritdoc/>
    public string Summary => $"results: {_reading.Summary}";

    /// <inheritdoc/>
    public string? Next()
    {
        _bytes = _random.Next(4) == 0 ? _damage.Break(_whole) : Lie();
        File.WriteAllBytes(_path, _bytes);
        return _reading.Of(() =>
        {
            var results = CompareResults.FromFile(_path);
            using var output = new StringWriter();
            output.WriteLine(results.Protocol());
            CompareConsole.WriteMarkdown(output, results);
            output.WriteLine(ComparePage.Of(results));
            output.WriteLine(results.ToJson());
        });
    }

    /// <inheritdoc/>
    public string Keep(string folder) => Reading.Keep(folder, "results.json", _bytes);

    /// <inheritdoc/>
    public void Dispose() => Directory.Delete(_folder, recursive: true);

    /// <summary>Another value at some places of the results, or none.</summary>
    private byte[] Lie()
    {
        JsonNode file = JsonNode.Parse(_whole)!;
        for (int times = _random.Next(3); times >= 0; times--)
        {
            // Down a random path: what is near the root and what is deep are chosen alike.
            if (file["results"] is not { } node)
                break;
            for (int depth = _random.Next(8); depth > 0 && Child(node) is { } child; depth--)
                node = child;
            Replace(node);
        }

        return JsonSerializer.SerializeToUtf8Bytes(file);
    }

    private JsonNode? Child(JsonNode node) => node switch
    {
        JsonObject { Count: > 0 } fields => fields.ElementAt(_random.Next(fields.Count)).Value,
        JsonArray { Count: > 0 } items => items[_random.Next(items.Count)],
        _ => null,
    };

    private void Replace(JsonNode node)
    {
        JsonNode? value = _random.Next(8) switch
        {
            0 => null,
            1 => JsonValue.Create(_damage.Number()),
            2 => JsonValue.Create(-1e300),
            3 => new JsonArray(),
            4 => new JsonObject(),
            5 => JsonValue.Create("| <b>\u001b[2J\u0000"),
            6 => JsonValue.Create(_random.Next(3) - 1),
            _ => JsonValue.Create(true),
        };
        switch (node.Parent)
        {
            case JsonObject fields when _random.Next(4) == 0:
                fields.Remove(node.GetPropertyName());
                break;
            case JsonArray items when _random.Next(4) == 0:
                items.Remove(node);
                break;
            case not null:
                node.ReplaceWith(value);
                break;
        }
    }
}
