namespace Microsoft.ML.Data;

/// <summary>Makes the columns of one scoring, with the annotations by which ML.NET recognises them.</summary>
internal sealed class ScoreColumns(DataViewSchema inputSchema, int features, string task)
{
    private static readonly KeyDataViewType _setIdType = new(typeof(uint), int.MaxValue);

    // The input may hold the columns of earlier scorings.
    private readonly uint _setId = inputSchema.Max(SetIdOf) + 1;

    /// <summary>The annotations that a trainer promises for its output columns.</summary>
    public static SchemaShape.Column[] Shape { get; } =
    [
        new(AnnotationKinds.ScoreColumnSetId, _setIdType),
        new(AnnotationKinds.ScoreColumnKind, TextDataViewType.Instance),
        new(AnnotationKinds.ScoreValueKind, TextDataViewType.Instance),
    ];

    /// <summary>A column whose value follows from the features alone; its name is also its kind.</summary>
    public AddedColumn Add<T>(string name, DataViewType type, Func<VBuffer<float>, T> compute, Action<DataViewSchema.Annotations.Builder>? annotate = null)
    {
        var annotations = new DataViewSchema.Annotations.Builder();
        annotations.AddPrimitiveValue(AnnotationKinds.ScoreColumnSetId, _setIdType, _setId);
        annotations.AddPrimitiveValue(AnnotationKinds.ScoreColumnKind, TextDataViewType.Instance, task.AsMemory());
        annotations.AddPrimitiveValue(AnnotationKinds.ScoreValueKind, TextDataViewType.Instance, name.AsMemory());
        annotate?.Invoke(annotations);
        return new(new DataViewSchema.DetachedColumn(name, type, annotations.ToAnnotations()), [features], row =>
        {
            var getFeatures = row.GetGetter<VBuffer<float>>(row.Schema[features]);
            VBuffer<float> buffer = default;
            return new ValueGetter<T>((ref T value) =>
            {
                getFeatures(ref buffer);
                value = compute(buffer);
            });
        });
    }

    private static uint SetIdOf(DataViewSchema.Column column)
    {
        uint id = 0;
        if (column.Annotations.Schema.GetColumnOrNull(AnnotationKinds.ScoreColumnSetId)?.Type.RawType == typeof(uint))
            column.Annotations.GetValue(AnnotationKinds.ScoreColumnSetId, ref id);
        return id;
    }
}
