namespace Microsoft.ML.Data;

/// <summary>How the evaluators find and read their columns: by name and type, never by annotation.</summary>
internal static class EvaluationColumns
{
    public static DataViewSchema.Column Find(IDataView data, string role, string name, string argument)
    {
        ArgumentNullException.ThrowIfNull(data);
        Errors.CheckName(name, argument);
        return Find(data.Schema, role, name);
    }

    // ML.NET's text has name and role the wrong way round; callers may match on it.
    public static DataViewSchema.Column Find(DataViewSchema schema, string role, string name) =>
        schema.GetColumnOrNull(name) ?? throw new ArgumentOutOfRangeException("schema", $"{name} column '{role}' not found");

    public static void Require(bool fits, string role, DataViewSchema.Column column, string expected)
    {
        if (!fits)
            throw Errors.SchemaMismatch("schema", role, column.Name, expected, column.Type.ToString());
    }

    /// <summary>A label as Single: class numbers from 0 for keys, NaN for a missing one.</summary>
    public static ValueGetter<float> LabelGetter(DataViewRow row, DataViewSchema.Column label) => label.Type switch
    {
        KeyDataViewType key when key.RawType == typeof(byte) => Convert<byte>(row, label, value => Key(value, key)),
        KeyDataViewType key when key.RawType == typeof(ushort) => Convert<ushort>(row, label, value => Key(value, key)),
        KeyDataViewType key when key.RawType == typeof(ulong) => Convert<ulong>(row, label, value => Key(value, key)),
        KeyDataViewType key => Convert<uint>(row, label, value => Key(value, key)),
        BooleanDataViewType => Convert<bool>(row, label, value => value ? 1 : 0),
        _ when label.Type.RawType == typeof(double) => Convert<double>(row, label, value => (float)value),
        _ => row.GetGetter<float>(label),
    };

    private static float Key(ulong value, KeyDataViewType type) => 0 < value && value <= type.Count ? value - 1 : float.NaN;

    private static ValueGetter<float> Convert<T>(DataViewRow row, DataViewSchema.Column column, Func<T, float> convert)
    {
        var getter = row.GetGetter<T>(column);
        T value = default!;
        return (ref float result) =>
        {
            getter(ref value);
            result = convert(value);
        };
    }
}
