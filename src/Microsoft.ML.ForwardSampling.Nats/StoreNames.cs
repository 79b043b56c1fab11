using System.Globalization;
using Microsoft.ML.ForwardSampling.Records;

namespace Microsoft.ML.ForwardSampling.Nats;

/// <summary>The store's streams and subjects, by name: a format for ever, and what an operator grants.</summary>
internal sealed class StoreNames(string name)
{
    public string Settings => $"{name}.settings";

    public string SettingsStream => $"{name}-settings";

    public string SelectionsStream => $"{name}-selections";

    public string Selections => $"{name}.selections.*.*";

    /// <summary>Blocks of records or labels.</summary>
    public string Blocks(RecordKind kind, int partition) => Of(Word(kind), partition);

    public string BlocksStream(RecordKind kind, int partition) => StreamOf(Word(kind), partition);

    /// <summary>What a joiner tells the writers: how far it has saved their blocks, and which ones it asks for again.</summary>
    public string Told(RecordKind kind, int partition) => Of($"told.{Word(kind)}", partition);

    /// <summary>What writers ask a joiner.</summary>
    public string Ask(RecordKind kind, int partition) => Of($"ask.{Word(kind)}", partition);

    public string Lease(int partition) => Of("lease", partition);

    public string LeaseStream(int partition) => StreamOf("lease", partition);

    public string Windows(int partition) => Of("windows", partition) + ".*";

    public string Window(int partition, long number) => string.Create(CultureInfo.InvariantCulture, $"{name}.windows.{partition}.{number}");

    public string WindowsStream(int partition) => StreamOf("windows", partition);

    public string Selection(int partition, long number)
        => string.Create(CultureInfo.InvariantCulture, $"{name}.selections.{partition}.{number}");

    /// <summary>The consumer that all workers share.</summary>
    public const string Workers = "workers";

    private static string Word(RecordKind kind) => kind == RecordKind.Label ? "labels" : "records";

    private string Of(string what, int partition) => string.Create(CultureInfo.InvariantCulture, $"{name}.{what}.{partition}");

    private string StreamOf(string what, int partition) => string.Create(CultureInfo.InvariantCulture, $"{name}-{what}-{partition}");
}
