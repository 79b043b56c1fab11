using Microsoft.ML.Data;

namespace Microsoft.ML.ForwardSampling.DataViews;

/// <summary>Makes and combines the shapes that estimators promise.</summary>
/// <remarks>
/// A <see cref="SchemaShape.Column"/> has no public constructor. Every <see cref="EstimatorChain{TLastTransformer}"/> turns its
/// input's schema into a shape before fitting, though: a chain around <see cref="Probe"/> hands us that conversion,
/// for every column type, with annotations and hidden columns treated as ML.NET treats them.
/// </remarks>
internal static class Shapes
{
    /// <summary>The shape of a schema's visible columns.</summary>
    public static SchemaShape Of(DataViewSchema schema)
    {
        var probe = new Probe();
        new EstimatorChain<ITransformer>().Append<ITransformer>(probe).Fit(new EmptyView(schema));
        return probe.Seen ?? throw new InvalidOperationException("EstimatorChain.Fit did not propagate the shape of its input.");
    }

    /// <summary>The shapes of columns about to be added.</summary>
    public static SchemaShape Of(IEnumerable<DataViewSchema.DetachedColumn> columns)
    {
        var builder = new DataViewSchema.Builder();
        builder.AddColumns(columns);
        return Of(builder.ToSchema());
    }

    /// <summary><paramref name="shape"/> with columns added; one that was there under the same name is replaced.</summary>
    public static SchemaShape Append(SchemaShape shape, IEnumerable<SchemaShape.Column> added)
    {
        var byName = new Dictionary<string, SchemaShape.Column>(shape.Count, StringComparer.Ordinal);
        foreach (SchemaShape.Column column in shape)
            byName[column.Name] = column;
        foreach (SchemaShape.Column column in added)
            byName[column.Name] = column;
        return new SchemaShape(byName.Values);
    }

    /// <summary><paramref name="shape"/> without the columns of that name.</summary>
    public static SchemaShape Without(SchemaShape shape, string name) => new(shape.Where(column => column.Name != name));

    /// <summary>The column of that name, or null.</summary>
    public static SchemaShape.Column? Find(SchemaShape shape, string name)
    {
        foreach (SchemaShape.Column column in shape)
        {
            if (column.Name == name)
                return column;
        }

        return null;
    }

    /// <summary>An estimator that notes the shape that was propagated to it, and changes nothing.</summary>
    private sealed class Probe : IEstimator<ITransformer>
    {
        public SchemaShape? Seen { get; private set; }

        public SchemaShape GetOutputSchema(SchemaShape inputSchema) => Seen = inputSchema;

        public ITransformer Fit(IDataView input) => NothingChanged.Instance;
    }

    private sealed class NothingChanged : ITransformer
    {
        public static readonly NothingChanged Instance = new();

        public bool IsRowToRowMapper => false;

        public DataViewSchema GetOutputSchema(DataViewSchema inputSchema) => inputSchema;

        public IDataView Transform(IDataView input) => input;

        public IRowToRowMapper GetRowToRowMapper(DataViewSchema inputSchema) =>
            throw new NotSupportedException("This transformer only passes a schema on.");

        void ICanSaveModel.Save(ModelSaveContext ctx) => throw new NotSupportedException("This transformer only passes a schema on.");
    }
}
