namespace Microsoft.ML.Data;

/// <summary>Which values count as missing: NaN, and the raw key 0.</summary>
internal static class MissingValues
{
    public static bool IsFloating(DataViewType itemType) => itemType == NumberDataViewType.Single || itemType == NumberDataViewType.Double;
    public static bool CanBeMissing(DataViewType type) => type.ItemTypeOrSelf is KeyDataViewType || IsFloating(type.ItemTypeOrSelf);

    /// <summary>Whether the row's value is missing, or any of its vector's.</summary>
    public static Func<bool> CreateTest(DataViewRow row, DataViewSchema.Column column) =>
        Generic.Call<Func<bool>>(column.Type is VectorDataViewType ? VectorTest<int> : ScalarTest<int>, column.Type.ItemTypeOrSelf.RawType, row, column);

    private static bool IsMissing<T>(T value, bool isKey) => value switch
    {
        float single => float.IsNaN(single),
        double number => double.IsNaN(number),
        _ => isKey && EqualityComparer<T>.Default.Equals(value, default),
    };

    private static Func<bool> ScalarTest<T>(DataViewRow row, DataViewSchema.Column column)
    {
        ValueGetter<T> getter = row.GetGetter<T>(column);
        bool isKey = column.Type is KeyDataViewType;
        T value = default!;
        return () =>
        {
            getter(ref value);
            return IsMissing(value, isKey);
        };
    }

    private static Func<bool> VectorTest<T>(DataViewRow row, DataViewSchema.Column column)
    {
        ValueGetter<VBuffer<T>> getter = row.GetGetter<VBuffer<T>>(column);
        bool isKey = column.Type.ItemTypeOrSelf is KeyDataViewType;
        VBuffer<T> value = default;
        return () =>
        {
            getter(ref value);
            if (isKey && !value.IsDense)
                return true;
            foreach (T item in value.GetValues())
            {
                if (IsMissing(item, isKey))
                    return true;
            }

            return false;
        };
    }
}
