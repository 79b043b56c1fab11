using Microsoft.ML.Data;
using Microsoft.ML.Runtime;

namespace Microsoft.ML.Trainers;

/// <summary>A trainer that reads a feature vector, a label and perhaps a weight.</summary>
public abstract class TrainerEstimatorBase<TTransformer, TModel> : IEstimator<TTransformer>
    where TTransformer : ISingleFeaturePredictionTransformer<TModel>
    where TModel : class
{
    public readonly SchemaShape.Column FeatureColumn;
    public readonly SchemaShape.Column LabelColumn;
    public readonly SchemaShape.Column WeightColumn;

    private protected TrainerEstimatorBase(IHost host, TrainerInputBaseWithWeight input, SchemaShape.Column label)
    {
        Errors.CheckName(input.FeatureColumnName, "name");
        Errors.CheckName(input.LabelColumnName, "name");
        Host = host;
        FeatureColumn = new(input.FeatureColumnName, SchemaShape.Column.VectorKind.Vector, NumberDataViewType.Single, isKey: false);
        LabelColumn = label;
        if (input.ExampleWeightColumnName is { } weight)
            WeightColumn = new(weight, NumberDataViewType.Single);
    }

    private protected IHost Host { get; }

    public TTransformer Fit(IDataView input)
    {
        ArgumentNullException.ThrowIfNull(input);
        CheckShape(SchemaShape.Create(input.Schema));
        return Train(input);
    }

    public SchemaShape GetOutputSchema(SchemaShape inputSchema)
    {
        ArgumentNullException.ThrowIfNull(inputSchema);
        CheckShape(inputSchema);
        return inputSchema.With(OutputColumns(inputSchema.Find(LabelColumn.Name)));
    }

    private protected abstract TTransformer Train(IDataView data);

    private protected abstract SchemaShape.Column[] OutputColumns(SchemaShape.Column label);

    private void CheckShape(SchemaShape inputSchema)
    {
        CheckColumn(inputSchema, FeatureColumn, "feature", nameof(inputSchema));
        if (WeightColumn.Name is not null)
            CheckColumn(inputSchema, WeightColumn, "weight", nameof(inputSchema));
        CheckColumn(inputSchema, LabelColumn, "label", "labelCol");
    }

    private static void CheckColumn(SchemaShape inputSchema, SchemaShape.Column expected, string role, string paramName)
    {
        var found = inputSchema.Find(expected.Name, role);
        if (!found.HasTypeOf(expected))
            throw Errors.SchemaMismatch(paramName, role, expected.Name, expected.GetTypeString(), found.GetTypeString());
    }
}

/// <summary>A trainer that takes rows in random order.</summary>
public abstract class StochasticTrainerBase<TTransformer, TModel> : TrainerEstimatorBase<TTransformer, TModel>
    where TTransformer : ISingleFeaturePredictionTransformer<TModel>
    where TModel : class
{
    private protected StochasticTrainerBase(IHost host, TrainerInputBaseWithWeight input, SchemaShape.Column label) : base(host, input, label) { }
}
