using Microsoft.ML.Data;
using Microsoft.ML.ForwardSampling.DataViews;

namespace Microsoft.ML.ForwardSampling.LowMemory;

/// <summary>A trained low-memory model in a pipeline: adds the task's output columns.</summary>
/// <remarks>A row is scored when one of its scores is first read, by its features that are not 0. It needs no disposal.</remarks>
public sealed class LowMemoryPredictionTransformer : ISingleFeaturePredictionTransformer<LowMemoryModel>
{
    internal LowMemoryPredictionTransformer(LowMemoryModel model, string featureColumnName, string labelColumnName)
    {
        Model = model;
        FeatureColumnName = featureColumnName;
        LabelColumnName = labelColumnName;
        FeatureColumnType = new VectorDataViewType(NumberDataViewType.Single, model.FeatureCount);
    }

    /// <summary>The trained model.</summary>
    public LowMemoryModel Model { get; }

    /// <summary>The column that is scored: a vector of Single of the model's size.</summary>
    public string FeatureColumnName { get; }

    /// <inheritdoc/>
    public DataViewType FeatureColumnType { get; }

    /// <summary>The label column the model was trained on; not needed to score.</summary>
    public string LabelColumnName { get; }

    /// <inheritdoc/>
    public bool IsRowToRowMapper => true;

    /// <summary>The same model for scoring alone: without counters, its coefficients rounded at random to fewer bits.</summary>
    /// <remarks>q2.7 takes 10 bits a coefficient, q2.5 8 and q2.3 6, in memory and in a file, instead of 24. What it costs in loss is in
    /// docs/low-memory.md. A trainer cannot go on from it.</remarks>
    /// <param name="fractionBits">m of Qn.m, in [1, the model's own].</param>
    /// <param name="seed">Of the rounding: the same seed gives the same model.</param>
    /// <returns>A new transformer; this one stays as it is.</returns>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="fractionBits"/> is outside the range.</exception>
    public LowMemoryPredictionTransformer ForPrediction(int fractionBits, int seed = 0)
        => new(Model.ForPrediction(fractionBits, seed), FeatureColumnName, LabelColumnName);

    /// <summary>The schema with the output columns added.</summary>
    /// <param name="inputSchema">Schema with the feature column.</param>
    /// <returns>The input's columns, then the task's output columns.</returns>
    /// <exception cref="ArgumentOutOfRangeException">The feature column is missing or of another type or size.</exception>
    public DataViewSchema GetOutputSchema(DataViewSchema inputSchema) => new LinearScoreAppender(inputSchema, this).OutputSchema;

    /// <summary>A view with the output columns; nothing is scored until a cursor reads it.</summary>
    /// <param name="input">Rows with the feature column.</param>
    /// <returns>The input's columns, then the task's output columns.</returns>
    /// <exception cref="ArgumentOutOfRangeException">The feature column is missing or of another type or size.</exception>
    /// <exception cref="NotSupportedException">Called by ML.NET's ConvertToOnnx, which would leave the model out.</exception>
    public IDataView Transform(IDataView input)
    {
        ArgumentNullException.ThrowIfNull(input);
        OnnxConversion.Refuse();
        return new AppendedColumnsView(input, new LinearScoreAppender(input.Schema, this));
    }

    /// <summary>Scores row by row: the path of a prediction engine.</summary>
    /// <param name="inputSchema">Schema with the feature column.</param>
    /// <returns>A mapper from a row to the row with the output columns.</returns>
    /// <exception cref="ArgumentOutOfRangeException">The feature column is missing or of another type or size.</exception>
    public IRowToRowMapper GetRowToRowMapper(DataViewSchema inputSchema)
        => new AppendedColumnsMapper(new IdentityMapper(inputSchema), new LinearScoreAppender(inputSchema, this));

    void ICanSaveModel.Save(ModelSaveContext ctx) => LowMemoryCarrier.Save(this, ctx);
}
