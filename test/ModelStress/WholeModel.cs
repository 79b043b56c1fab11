using System.IO.Compression;
using Microsoft.ML.Data;
using Microsoft.ML.ForwardSampling.DataViews;
using Microsoft.ML.ForwardSampling.Saving;

namespace Microsoft.ML.ForwardSampling.ModelStress;

/// <summary>A model file that is not damaged, in its parts.</summary>
/// <param name="File">The bytes on disk.</param>
/// <param name="Parts">What is zipped in it.</param>
/// <param name="Carrier">The stages that carry this library's state.</param>
/// <param name="State">That state.</param>
internal sealed record WholeModel(byte[] File, (string Name, byte[] Bytes)[] Parts, ITransformer[] Carrier, byte[] State)
{
    /// <summary>Whether the state ends with a checksum of its own.</summary>
    public bool HasChecksum => (StateKind)State[4] == StateKind.LowMemory;

    public static WholeModel Of(MLContext context, string path)
    {
        byte[] file = System.IO.File.ReadAllBytes(path);
        ITransformer[] carrier = CarrierIn(context.Model.Load(path, out _))
            ?? throw new InvalidOperationException($"{path} carries no state of this library.");
        return new WholeModel(file, PartsOf(file), carrier, StateCarrier.TryRead(carrier)!);
    }

    /// <summary>The same chain with another state.</summary>
    public ITransformer Carrying(MLContext context, byte[] state)
    {
        DataViewSchema keys = StateCarrier.SchemaOf(StateCarrier.KeyColumn, TextDataViewType.Instance);
        return new TransformerChain<ITransformer>([Carrier[0], context.Transforms.Conversion.MapValue(StateCarrier.StateColumn,
            [KeyValuePair.Create(StateCarrier.Key, Convert.ToBase64String(state))], StateCarrier.KeyColumn).Fit(new EmptyView(keys)),
            .. Carrier.AsSpan(2)]);
    }

    private static (string, byte[])[] PartsOf(byte[] file)
    {
        using var zip = new ZipArchive(new MemoryStream(file));
        return [.. zip.Entries.Select(entry =>
        {
            using Stream part = entry.Open();
            byte[] bytes = new byte[entry.Length];
            part.ReadExactly(bytes);
            return (entry.FullName, bytes);
        })];
    }

    private static ITransformer[]? CarrierIn(ITransformer model)
    {
        if (model is not TransformerChain<ITransformer> chain)
            return null;
        ITransformer[] stages = [.. chain];
        return StateCarrier.TryRead(stages) is not null ? stages : stages.Select(CarrierIn).FirstOrDefault(found => found is not null);
    }
}
