using Microsoft.ML.Data;
using Microsoft.ML.ForwardSampling.DataViews;
using Microsoft.ML.ForwardSampling.Networks;

namespace Microsoft.ML.ForwardSampling.GroupTesting;

/// <summary>Names of the columns that a group-tested model reads and adds, and the schema with them.</summary>
/// <param name="Features">Vector of Single of known size.</param>
/// <param name="Label">What it was trained on; not needed to score.</param>
/// <param name="TestsName">What a row cost.</param>
internal sealed record GroupColumns(string Features, string Label, string TestsName)
{
    /// <summary>The column that tells what a row cost.</summary>
    public static DataViewSchema.DetachedColumn Tests(string name) => new(name, NumberDataViewType.Single);

    /// <summary>The input's columns, then Score, Probability, PredictedLabel and the tests.</summary>
    public DataViewSchema Append(DataViewSchema inputSchema)
    {
        var builder = new DataViewSchema.Builder();
        builder.AddColumns(inputSchema);
        builder.AddColumns(SingleScoreColumns.Of(PredictionTask.Binary, inputSchema));
        builder.AddColumns([Tests(TestsName)]);
        return builder.ToSchema();
    }

    /// <summary>The feature column, checked.</summary>
    /// <exception cref="ArgumentOutOfRangeException">It is missing or of another type or size.</exception>
    public DataViewSchema.Column Find(DataViewSchema inputSchema, DataViewType type)
    {
        new ColumnNeed("feature", type.ToString()!, "The network was trained on this column.", nameof(inputSchema))
            .Require(ColumnFacts.Find(inputSchema, Features), Features, _ => inputSchema[Features].Type.Equals(type));
        return inputSchema[Features];
    }
}
