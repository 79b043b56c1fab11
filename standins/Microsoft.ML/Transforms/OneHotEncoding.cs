namespace Microsoft.ML
{
    /// <summary>Numbers from categories.</summary>
    public static class CategoricalCatalog
    {
        public static OneHotEncodingEstimator OneHotEncoding(this TransformsCatalog.CategoricalTransforms catalog, string outputColumnName,
            string? inputColumnName = null, OneHotEncodingEstimator.OutputKind outputKind = OneHotEncodingEstimator.OutputKind.Indicator,
            int maximumNumberOfKeys = 1000000,
            ValueToKeyMappingEstimator.KeyOrdinality keyOrdinality = ValueToKeyMappingEstimator.KeyOrdinality.ByOccurrence, IDataView? keyData = null) =>
            new(new(catalog.Environment.Name(outputColumnName), inputColumnName, maximumNumberOfKeys, keyOrdinality, asText: true, keyData), outputColumnName, outputKind);
    }
}

namespace Microsoft.ML.Transforms
{
    /// <summary>Learns the categories of a column, then makes keys of them and vectors of the keys.</summary>
    public sealed class OneHotEncodingEstimator : IEstimator<OneHotEncodingTransformer>
    {
        private readonly IEstimator<ITransformer> _steps;

        internal OneHotEncodingEstimator(ValueToKeyMappingEstimator toKeys, string output, OutputKind kind) => _steps = kind == OutputKind.Key
            ? toKeys
            : toKeys.Append(new KeyToVectorMappingEstimator(new(output, output)));

        public OneHotEncodingTransformer Fit(IDataView input) => new(_steps.Fit(input));
        public SchemaShape GetOutputSchema(SchemaShape inputSchema) => _steps.GetOutputSchema(inputSchema);

        /// <summary>What the output column holds.</summary>
        public enum OutputKind : byte
        {
            Indicator = 2,
            Key = 3,
        }
    }

    /// <summary>See <see cref="OneHotEncodingEstimator"/>.</summary>
    public sealed class OneHotEncodingTransformer : ITransformer
    {
        private readonly ITransformer _steps;
        internal OneHotEncodingTransformer(ITransformer steps) => _steps = steps;

        bool ITransformer.IsRowToRowMapper => _steps.IsRowToRowMapper;

        public DataViewSchema GetOutputSchema(DataViewSchema inputSchema) => _steps.GetOutputSchema(inputSchema);
        public IDataView Transform(IDataView input) => _steps.Transform(input);

        IRowToRowMapper ITransformer.GetRowToRowMapper(DataViewSchema inputSchema) => _steps.GetRowToRowMapper(inputSchema);

        void ICanSaveModel.Save(ModelSaveContext ctx) => _steps.Save(ctx); // and is loaded as its steps
    }
}
