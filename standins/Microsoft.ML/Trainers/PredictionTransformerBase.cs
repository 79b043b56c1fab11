using Microsoft.ML.Trainers;

namespace Microsoft.ML.Data;

/// <summary>Scores rows with a trained model.</summary>
public abstract class PredictionTransformerBase<TModel> : IPredictionTransformer<TModel>, IDisposable where TModel : class
{
    private protected PredictionTransformerBase(TModel model) => Model = model;

    public TModel Model { get; }

    bool ITransformer.IsRowToRowMapper => true;

    public abstract DataViewSchema GetOutputSchema(DataViewSchema inputSchema);

    public IDataView Transform(IDataView input)
    {
        ArgumentNullException.ThrowIfNull(input);
        return new RowMapperView(input, CreateMapper(input.Schema));
    }

    IRowToRowMapper ITransformer.GetRowToRowMapper(DataViewSchema inputSchema) => CreateMapper(inputSchema);

    void ICanSaveModel.Save(ModelSaveContext ctx) => Save(ctx);

    public void Dispose() { }

    private protected abstract RowMapper CreateMapper(DataViewSchema inputSchema);

    private protected abstract void Save(ModelSaveContext ctx);
}

/// <summary>Scores rows with a linear model of one feature column.</summary>
public abstract class SingleFeaturePredictionTransformerBase<TModel> : PredictionTransformerBase<TModel>, ISingleFeaturePredictionTransformer<TModel>
    where TModel : class
{
    private readonly DataViewSchema _trainSchema;
    private readonly string _task;

    /// <param name="task">One of <see cref="PredictionTask"/>.</param>
    /// <param name="trainSchema">The feature column, then the label column if what it is called and made of is needed.</param>
    private protected SingleFeaturePredictionTransformerBase(TModel model, LinearModel linear, string task, DataViewSchema trainSchema) : base(model)
    {
        Linear = linear;
        _task = task;
        _trainSchema = trainSchema;
    }

    public string FeatureColumnName => _trainSchema[0].Name;
    public DataViewType FeatureColumnType => _trainSchema[0].Type;

    private protected LinearModel Linear { get; }

    public sealed override DataViewSchema GetOutputSchema(DataViewSchema inputSchema)
    {
        ArgumentNullException.ThrowIfNull(inputSchema);
        var type = inputSchema.InputColumn(FeatureColumnName, role: "feature").Type;
        if (!type.Equals(FeatureColumnType))
            throw Errors.SchemaMismatch(nameof(inputSchema), "feature", FeatureColumnName, FeatureColumnType.ToString(), type.ToString());
        return CreateMapper(inputSchema).OutputSchema;
    }

    private protected override RowMapper CreateMapper(DataViewSchema inputSchema)
    {
        ArgumentNullException.ThrowIfNull(inputSchema);
        var features = EvaluationColumns.Find(inputSchema, "Feature", FeatureColumnName);
        if (!features.Type.Equals(FeatureColumnType))
            throw new InvalidOperationException($"Incompatible features column type: '{features.Type}' vs '{FeatureColumnType}'");
        return new RowMapper(inputSchema, AddedColumns(new ScoreColumns(inputSchema, features.Index, _task)), atEnd: true);
    }

    private protected abstract AddedColumn[] AddedColumns(ScoreColumns columns);

    private protected override void Save(ModelSaveContext ctx)
    {
        BinaryWriter writer = ctx.Begin(PredictionTask.Loader);
        writer.Write(_task);
        writer.WriteSchema(_trainSchema);
        Linear.Save(writer);
    }
}
