using System.Text;
using Microsoft.ML.Data;
using Microsoft.ML.ForwardSampling.DataViews;
using Microsoft.ML.Transforms;

namespace Microsoft.ML.ForwardSampling.Saving;

/// <summary>Carries our own state through ML.NET's model file, which has no public place for it.</summary>
/// <remarks>
/// A transformer from outside ML.NET cannot write to a <see cref="ModelSaveContext"/>, but it can have a chain of ML.NET's own
/// transformers written in its place. The first two of ours hold the state: a custom mapping that gives every row the same key,
/// and a value mapping from that key to the state as base64 text, which ML.NET stores in the file. What follows computes the same
/// output columns, so that plain <c>mlContext.Model.Load</c> gives a model that works; <see cref="ModelRestorer"/> puts the
/// full-speed transformer back. Contract names and columns are a format for ever: a change takes a new name.
/// </remarks>
internal static class StateCarrier
{
    public const string KeyContract = "ForwardSampling.Key.v1";
    public const string KeyColumn = "__fs_key";
    public const string StateColumn = "__fs_state";
    public const string FeaturesColumn = "__fs_features";
    public const string Key = "state";
    private const string OwnPrefix = "__fs_";

    /// <summary>Builds a flat chain, one fitted transformer after the other, over a schema without rows.</summary>
    public sealed class Builder(DataViewSchema schema)
    {
        private readonly List<ITransformer> _stages = [];

        public DataViewSchema Schema { get; private set; } = schema;

        public void Add<T>(IEstimator<T> estimator)
            where T : class, ITransformer
            => Add(estimator.Fit(new EmptyView(Schema)));

        public void Add(ITransformer transformer)
        {
            _stages.Add(transformer);
            Schema = transformer.GetOutputSchema(Schema);
        }

        /// <summary>Adds a stage that is not bound to the schema built so far.</summary>
        public void AddLast(ITransformer transformer) => _stages.Add(transformer);

        /// <summary>The two stages that every carrier begins with.</summary>
        public void AddState(byte[] state)
        {
            TransformsCatalog transforms = PrivateContext.Instance.Transforms;
            Add(transforms.CustomMapping(new KeyFactory().GetMapping(), KeyContract));
            Add(transforms.Conversion.MapValue(StateColumn, [KeyValuePair.Create(Key, Convert.ToBase64String(state))], KeyColumn));
        }

        /// <summary>Drops the columns that only the chain itself needs.</summary>
        public void DropOwnColumns() => Add(PrivateContext.Instance.Transforms.DropColumns(
            [.. Schema.Where(c => !c.IsHidden && c.Name.StartsWith(OwnPrefix, StringComparison.Ordinal)).Select(c => c.Name)]));

        public void Save(ModelSaveContext context) => ((ICanSaveModel)new TransformerChain<ITransformer>([.. _stages])).Save(context);
    }

    /// <summary>The state that a loaded chain carries; null when the chain is no carrier of ours.</summary>
    /// <exception cref="InvalidDataException">It is a carrier, and damaged.</exception>
    public static byte[]? TryRead(IReadOnlyList<ITransformer> stages)
    {
        if (stages.Count < 2 || stages[0] is not CustomMappingTransformer<NoColumns, StateKey>)
            return null;
        return Decode(ReadText(stages).Span);
    }

    /// <summary>What the two stages say; of damaged ones ML.NET says in any way that it cannot be had.</summary>
    private static ReadOnlyMemory<char> ReadText(IReadOnlyList<ITransformer> stages)
    {
        try
        {
            IDataView oneRow = PrivateContext.Instance.Data.LoadFromEnumerable(new[] { new OneRow() });
            IDataView carried = stages[1].Transform(stages[0].Transform(oneRow));
            return carried.GetColumn<ReadOnlyMemory<char>>(StateColumn).Single();
        }
        catch (Exception e) when (e is not OutOfMemoryException)
        {
            throw new InvalidDataException($"The saved state is damaged: {e.Message}", e);
        }
    }

    public static byte[] Decode(ReadOnlySpan<char> base64)
    {
        byte[] ascii = new byte[base64.Length];
        if (!Encoding.ASCII.TryGetBytes(base64, ascii, out int length))
            throw new InvalidDataException("The saved state is damaged: it is not base64 text.");
        byte[] state = new byte[System.Buffers.Text.Base64.GetMaxDecodedFromUtf8Length(length)];
        if (System.Buffers.Text.Base64.DecodeFromUtf8(ascii.AsSpan(0, length), state, out _,
            out int written) != System.Buffers.OperationStatus.Done)
            throw new InvalidDataException("The saved state is damaged: it is not base64 text.");
        return state[..written];
    }

    /// <summary>A schema of one column.</summary>
    public static DataViewSchema SchemaOf(string columnName, DataViewType type) => SchemaOf([(columnName, type)]);

    /// <summary>A schema of some columns.</summary>
    public static DataViewSchema SchemaOf(IEnumerable<(string Name, DataViewType Type)> columns)
    {
        var builder = new DataViewSchema.Builder();
        foreach ((string name, DataViewType type) in columns)
            builder.AddColumn(name, type);
        return builder.ToSchema();
    }

    private sealed class OneRow
    {
        public float Unused { get; set; }
    }
}

/// <summary>Input of a mapping that reads nothing.</summary>
internal sealed class NoColumns;

/// <summary>The same key for every row.</summary>
internal sealed class StateKey
{
    [ColumnName(StateCarrier.KeyColumn)]
    public string Key { get; set; } = "";
}

/// <summary>Contract of the first stage of every carrier.</summary>
[CustomMappingFactoryAttribute(StateCarrier.KeyContract)]
internal sealed class KeyFactory : CustomMappingFactory<NoColumns, StateKey>
{
    public override Action<NoColumns, StateKey> GetMapping() => static (_, output) => output.Key = StateCarrier.Key;
}
