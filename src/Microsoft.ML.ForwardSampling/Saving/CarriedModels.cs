using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Microsoft.ML.Data;

namespace Microsoft.ML.ForwardSampling.Saving;

/// <summary>A carried state and the features of a row to score by it: what the first mapping of every carried model reads.</summary>
internal sealed class CarriedRow
{
    [ColumnName(StateCarrier.StateColumn)]
    public ReadOnlyMemory<char> State { get; set; }

    [ColumnName(StateCarrier.FeaturesColumn)]
    public VBuffer<float> Features { get; set; }
}

/// <summary>The models that carried states are of.</summary>
/// <remarks>A mapping is given the state with every row. A loaded state is one string that lives as long as its model: it is parsed
/// once.</remarks>
/// <param name="kind">What the states are of.</param>
/// <param name="what">The same in words.</param>
/// <param name="decode">Reads behind the header, of the format version given.</param>
internal sealed class CarriedModels<TModel>(StateKind kind, string what, Func<BinaryReader, int, TModel> decode)
    where TModel : class
{
    private readonly ConditionalWeakTable<string, TModel> _models = [];

    /// <exception cref="InvalidDataException">The state is damaged, or of something else.</exception>
    /// <exception cref="NotSupportedException">The state is of a newer version.</exception>
    public TModel Of(ReadOnlyMemory<char> state)
    {
        if (!MemoryMarshal.TryGetString(state, out string? text, out int start, out int length) || start != 0 || length != text.Length)
            text = string.Intern(state.ToString());
        return _models.GetValue(text, Decode);
    }

    private TModel Decode(string state)
    {
        using var reader = new BinaryReader(new MemoryStream(StateCarrier.Decode(state)));
        return StateHeader.Read(reader, out int version) == kind ? decode(reader, version)
            : throw new InvalidDataException($"The saved state is not of {what}.");
    }
}
