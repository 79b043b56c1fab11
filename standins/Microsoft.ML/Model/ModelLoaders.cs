namespace Microsoft.ML;

/// <summary>What reads each kind of component back. The names are written in model files.</summary>
internal static class ModelLoaders
{
    public const string TransformerChain = "TransformerChain";
    public const string CustomMapping = "CustomMapping";
    public const string CopyColumns = "CopyColumns";
    public const string SelectColumns = "SelectColumns";
    public const string Concatenate = "Concatenate";
    public const string Normalize = "Normalize";
    public const string ValueToKey = "ValueToKey";
    public const string KeyToValue = "KeyToValue";
    public const string KeyToVector = "KeyToVector";
    public const string MapValue = "MapValue";
    public const string ReplaceMissing = "ReplaceMissing";

    private static readonly Dictionary<string, Func<ModelLoadContext, ITransformer>> _loaders = new()
    {
        [TransformerChain] = TransformerChainLoader.Load,
        [PredictionTask.Loader] = PredictionTask.Load,
        [CustomMapping] = CustomMappingLoader.Load,
        [CopyColumns] = ColumnCopyingTransformer.Load,
        [SelectColumns] = ColumnSelectingTransformer.Load,
        [Concatenate] = ColumnConcatenatingTransformer.Load,
        [Normalize] = NormalizingTransformer.Load,
        [ValueToKey] = ValueToKeyMappingTransformer.Load,
        [KeyToValue] = KeyToValueMappingTransformer.Load,
        [KeyToVector] = KeyToVectorMappingTransformer.Load,
        [MapValue] = ValueMappingTransformer.Load,
        [ReplaceMissing] = MissingValueReplacingTransformer.Load,
    };

    public static Func<ModelLoadContext, ITransformer> Find(string name) =>
        _loaders.TryGetValue(name, out Func<ModelLoadContext, ITransformer>? loader)
            ? loader
            : throw new FormatException($"Corrupt model file: no loader is called '{name}'");
}
