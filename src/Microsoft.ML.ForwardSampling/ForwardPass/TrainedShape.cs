using Microsoft.ML.Data;
using Microsoft.ML.ForwardSampling.DataViews;

namespace Microsoft.ML.ForwardSampling.ForwardPass;

/// <summary>What a trained model will add to an input of which only the shape is known.</summary>
/// <remarks>
/// A transformer answers for exact schemas only, and a shape has no vector sizes and no key counts. So an exact schema is made up
/// from the shape (with the sizes that the model's feature columns had in training) and the model is asked with it.
/// Where it refuses the made-up schema, we promise what ML.NET's own trainers of the task add: the real schema follows at once,
/// in the Fit of the same chain, and is checked there.
/// </remarks>
internal static class TrainedShape
{
    private const int AssumedCount = 10;

    public static SchemaShape After(ITransformer trained, SchemaShape input, ForwardRecordingOptions options)
    {
        try
        {
            DataViewSchema madeUp = MakeUp(trained, input);
            SchemaShape output = Shapes.Of(trained.GetOutputSchema(madeUp));
            return Shapes.Append(output, PassedThrough(input, output));
        }
        catch (Exception e) when (e is not OperationCanceledException)
        {
            return Shapes.Append(input, AddedByTask(options));
        }
    }

    /// <summary>Columns of the input that came out with the same type: the input's own shape of them has the annotations too.</summary>
    private static IEnumerable<SchemaShape.Column> PassedThrough(SchemaShape input, SchemaShape output)
    {
        foreach (SchemaShape.Column column in input)
        {
            if (Shapes.Find(output, column.Name) is { Annotations.Count: 0 } same && same.Kind == column.Kind && same.IsKey == column.IsKey
                && same.ItemType.Equals(column.ItemType))
                yield return column;
        }
    }

    private static DataViewSchema MakeUp(ITransformer trained, SchemaShape input)
    {
        var features = new Dictionary<string, DataViewType>(StringComparer.Ordinal);
        NoteFeatureTypes(trained, features);

        var builder = new DataViewSchema.Builder();
        foreach (SchemaShape.Column column in input)
        {
            DataViewType type = column.IsKey ? new KeyDataViewType(column.ItemType.RawType, AssumedCount) : column.ItemType;
            if (column.Kind != SchemaShape.Column.VectorKind.Scalar)
            {
                int size = column.Kind == SchemaShape.Column.VectorKind.Vector ? AssumedCount : 0;
                type = features.TryGetValue(column.Name, out DataViewType? trainedOn) && trainedOn is VectorDataViewType
                    ? trainedOn
                    : new VectorDataViewType((PrimitiveDataViewType)type, size);
            }

            builder.AddColumn(column.Name, type);
        }

        return builder.ToSchema();
    }

    private static void NoteFeatureTypes(ITransformer transformer, Dictionary<string, DataViewType> features)
    {
        if (transformer is ISingleFeaturePredictionTransformer<object> { FeatureColumnName: { } name, FeatureColumnType: { } type })
            features.TryAdd(name, type);
        if (transformer is IEnumerable<ITransformer> chain)
        {
            foreach (ITransformer member in chain)
                NoteFeatureTypes(member, features);
        }
    }

    private static IEnumerable<SchemaShape.Column> AddedByTask(ForwardRecordingOptions options)
    {
        MLContext ml = PrivateContext.Instance;
        SchemaShape Inputs(DataViewType label) => Shapes.Of(
        [
            new DataViewSchema.DetachedColumn("L", label),
            new DataViewSchema.DetachedColumn("F", new VectorDataViewType(NumberDataViewType.Single, AssumedCount)),
        ]);
        SchemaShape added = options.Task switch
        {
            PredictionTask.Regression => ml.Regression.Trainers.Sdca("L", "F").GetOutputSchema(Inputs(NumberDataViewType.Single)),
            PredictionTask.Binary => ml.BinaryClassification.Trainers.SdcaLogisticRegression("L", "F")
                .GetOutputSchema(Inputs(BooleanDataViewType.Instance)),
            _ => ml.MulticlassClassification.Trainers.SdcaMaximumEntropy("L", "F")
                .GetOutputSchema(Inputs(new KeyDataViewType(typeof(uint), AssumedCount))),
        };
        IEnumerable<SchemaShape.Column> columns = Shapes.Without(Shapes.Without(added, "L"), "F");
        if (options.ScoreColumnName == "Score")
            return columns;
        DataViewType score = options.Task == PredictionTask.Multiclass ? new VectorDataViewType(NumberDataViewType.Single, AssumedCount)
            : NumberDataViewType.Single;
        return columns.Concat(Shapes.Of([new DataViewSchema.DetachedColumn(options.ScoreColumnName, score)]));
    }
}
