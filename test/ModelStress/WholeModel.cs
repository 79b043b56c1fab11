using System.IO.Compression;
using Microsoft.ML.Data;
using Microsoft.ML.ForwardSampling.DataViews;
using Microsoft.ML.ForwardSampling.Saving;

namespace Microsoft.ML.ForwardSampling.ModelStress;

/// <summary>A model file that is not damaged, in its parts.</summary>
/// <param name="File">The bytes on disk.</param>
/// <param name="Streams">What is zipped in it.</param>
/// <param name="Carrier">The stages that carry this library's state.</param>
/// <param name="State">That state.</param>
internal sealed record WholeModel(byte[] File, IReadOnlyList<(string Name, byte[] Bytes)> Streams, ITransformer[] Carrier, byte[] State)
{
    /// <summary>Whether the state ends with a checksum of its own.</summary>
    public bool HasChecksum => (StateKind)State[4] == StateKind.LowMemory;

    public static WholeModel Of(MLContext context, string path)
    {
        byte[] file = System.IO.File.ReadAllBytes(path);
        var streams = new List<(string, byte[])>();
        using (var zip = new ZipArchive(new MemoryStream(file)))
        {
            foreach (ZipArchiveEntry entry in zip.Entries)
            {
                using Stream stream = entry.Open();
                using var bytes = new MemoryStream();
                stream.CopyTo(bytes);
                streams.Add((entry.FullName, bytes.ToArray()));
            }
        }

        ITransformer[] carrier = CarrierIn(context.Model.Load(path, out _))
            ?? throw new InvalidOperationException($"{path} carries no state of this library.");
        return new WholeModel(file, streams, carrier, StateCarrier.TryRead(carrier)!);
    }

    /// <summary>The same chain with another state.</summary>
    public ITransformer Carrying(MLContext context, byte[] state)
    {
        DataViewSchema keys = StateCarrier.SchemaOf(StateCarrier.KeyColumn, TextDataViewType.Instance);
        return new TransformerChain<ITransformer>([Carrier[0], context.Transforms.Conversion.MapValue(StateCarrier.StateColumn,
            [KeyValuePair.Create(StateCarrier.Key, Convert.ToBase64String(state))], StateCarrier.KeyColumn).Fit(new EmptyView(keys)),
            .. Carrier.AsSpan(2)]);
    }

    private static ITransformer[]? CarrierIn(ITransformer model)
    {
        if (model is not TransformerChain<ITransformer> chain)
            return null;
        ITransformer[] stages = [.. chain];
        return StateCarrier.TryRead(stages) is not null ? stages : stages.Select(CarrierIn).FirstOrDefault(found => found is not null);
    }
}
