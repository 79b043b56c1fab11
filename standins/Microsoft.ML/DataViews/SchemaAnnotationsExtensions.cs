namespace Microsoft.ML.Data;

/// <summary>Reads the usual annotations of a column.</summary>
internal static class SchemaAnnotationsExtensions
{
    public static bool IsNormalized(this DataViewSchema.Column column)
    {
        bool value = false;
        if (column.Annotations.Schema.GetColumnOrNull(AnnotationKinds.IsNormalized)?.Type is BooleanDataViewType)
            column.Annotations.GetValue(AnnotationKinds.IsNormalized, ref value);
        return value;
    }

    /// <summary>An annotation's values; none where it is absent or of another type.</summary>
    public static T[] Values<T>(this DataViewSchema.Column column, string kind)
    {
        if (column.Annotations.Schema.GetColumnOrNull(kind)?.Type is not VectorDataViewType type || type.ItemType.RawType != typeof(T))
            return [];
        VBuffer<T> values = default;
        column.Annotations.GetValue(kind, ref values);
        return [.. values.DenseValues()];
    }

    /// <summary>The names of a vector's slots; none where there is not one for each.</summary>
    public static ReadOnlyMemory<char>[] SlotNames(this DataViewSchema.Column column)
    {
        ReadOnlyMemory<char>[] names = column.Values<ReadOnlyMemory<char>>(AnnotationKinds.SlotNames);
        return column.Type is VectorDataViewType type && type.Size == names.Length ? names : [];
    }
}
