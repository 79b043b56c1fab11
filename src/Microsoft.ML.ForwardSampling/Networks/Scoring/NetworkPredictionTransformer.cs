using Microsoft.ML.Data;
using Microsoft.ML.ForwardSampling.DataViews;

namespace Microsoft.ML.ForwardSampling.Networks;

/// <summary>A trained network in a pipeline: adds the task's output columns.</summary>
/// <remarks>
/// A cursor looks ahead and scores up to 1,024 rows by one pass of the network; a prediction engine scores its one row.
/// On the CPU a network built from options is scored without torch, and a row's scores are the same bits alone, in a batch and after
/// loading. A user's own network, or one on a GPU, is scored by torch, where two batch sizes may differ in the last bits.
/// </remarks>
public sealed class NetworkPredictionTransformer : ISingleFeaturePredictionTransformer<NetworkModel>, IOffersActivationNorm, IDisposable
{
    internal NetworkPredictionTransformer(NetworkModel model, string featureColumnName, string labelColumnName,
        LabelKeyValues? labelKeyValues, float scoreThreshold = 0f, string? activationNormColumnName = null)
    {
        ScoreThreshold = scoreThreshold;
        Model = model;
        FeatureColumnName = featureColumnName;
        LabelColumnName = labelColumnName;
        LabelKeyValues = labelKeyValues;
        ActivationNormColumnName = activationNormColumnName;
    }

    /// <summary>The trained network.</summary>
    public NetworkModel Model { get; }

    /// <summary>The column that is scored: a vector of Single of the model's size.</summary>
    public string FeatureColumnName { get; }

    /// <inheritdoc/>
    public DataViewType FeatureColumnType => new VectorDataViewType(NumberDataViewType.Single,
        Model.FeatureCount - MoreInputs.Sum(input => input.Slots));

    /// <summary>The label column the model was trained on; not needed to score.</summary>
    public string LabelColumnName { get; }

    /// <inheritdoc/>
    public bool IsRowToRowMapper => true;

    /// <summary>The probability above which a row of a binary task is predicted positive; fs.ChangeThreshold gives another.</summary>
    /// <value>In (0, 1); 0.5 unless changed.</value>
    public float Threshold => SingleScoreColumns.ProbabilityOf(ScoreThreshold);

    /// <summary>The score, a logit, at <see cref="Threshold"/>.</summary>
    internal float ScoreThreshold { get; }

    internal LabelKeyValues? LabelKeyValues { get; }

    /// <summary>What is read beside the feature column.</summary>
    internal InputColumn[] MoreInputs { get; init; } = [];

    /// <summary>Column for the norm of the last hidden layer's activations; null where it is not added. RecordForwardPass asks for
    /// it.</summary>
    internal string? ActivationNormColumnName { get; }

    /// <summary>The schema with the output columns added.</summary>
    /// <param name="inputSchema">Schema with the feature column.</param>
    /// <returns>The input's columns, then the task's output columns.</returns>
    /// <exception cref="ArgumentOutOfRangeException">The feature column is missing or of another type or size.</exception>
    public DataViewSchema GetOutputSchema(DataViewSchema inputSchema) => new ScoreAppender(inputSchema, this).OutputSchema;

    /// <summary>A view with the output columns; nothing is scored until a cursor reads it.</summary>
    /// <param name="input">Rows with the feature column.</param>
    /// <returns>The input's columns, then the task's output columns.</returns>
    /// <exception cref="ArgumentOutOfRangeException">The feature column is missing or of another type or size.</exception>
    /// <exception cref="NotSupportedException">Called by ML.NET's ConvertToOnnx, which would leave the network out.</exception>
    public IDataView Transform(IDataView input)
    {
        ArgumentNullException.ThrowIfNull(input);
        OnnxConversion.Refuse();
        return new AppendedColumnsView(input, new ScoreAppender(input.Schema, this));
    }

    /// <summary>Scores row by row: the path of a prediction engine.</summary>
    /// <param name="inputSchema">Schema with the feature column.</param>
    /// <returns>A mapper from a row to the row with the output columns.</returns>
    /// <exception cref="ArgumentOutOfRangeException">The feature column is missing or of another type or size.</exception>
    public IRowToRowMapper GetRowToRowMapper(DataViewSchema inputSchema)
    {
        var appender = new ScoreAppender(inputSchema, this);
        return new AppendedColumnsMapper(new IdentityMapper(inputSchema), appender);
    }

    /// <summary>Releases the network's native memory. The transformer cannot score afterwards.</summary>
    public void Dispose() => Model.Dispose();

    /// <summary>The same network with another threshold. Both own it.</summary>
    internal NetworkPredictionTransformer WithThreshold(float probability)
        => new(Model, FeatureColumnName, LabelColumnName, LabelKeyValues, (float)Math.Log(probability / (1.0 - probability)),
            ActivationNormColumnName)
        { MoreInputs = MoreInputs };

    // What a user's own module calls its last hidden layer, nobody knows.
    ITransformer? IOffersActivationNorm.WithActivationNorm(string column)
        => Model.Architecture is null ? null
            : new NetworkPredictionTransformer(Model, FeatureColumnName, LabelColumnName, LabelKeyValues, ScoreThreshold, column)
            { MoreInputs = MoreInputs };

    void ICanSaveModel.Save(ModelSaveContext ctx) => NetworkCarrier.Save(this, ctx);
}
