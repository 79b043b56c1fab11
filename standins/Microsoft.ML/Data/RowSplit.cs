namespace Microsoft.ML.Data;

/// <summary>Divides a view by a number in [0, 1) that each row keeps in every pass.</summary>
internal sealed class RowSplit
{
    private readonly IDataView _source;
    private readonly DataViewSchema.Column[] _key;
    private readonly ulong _seed;

    /// <param name="samplingKeyColumnName">Rows with the same value stay together; null: by row id.</param>
    public RowSplit(IDataView source, string? samplingKeyColumnName, int seed)
    {
        _source = source;
        _seed = DataViewRowId.Mix((ulong)seed + 0x9E3779B97F4A7C15);
        _key = samplingKeyColumnName is null ? [] : [source.Schema.InputColumn(samplingKeyColumnName, "samplingKeyColumn", "SamplingKeyColumn")];
    }

    /// <summary>The rows whose number is in [<paramref name="low"/>, <paramref name="high"/>), or all others.</summary>
    public IDataView Part(double low, double high, bool complement) => new FilteredDataView(_source, _key, row =>
    {
        Func<ulong> hash = CreateHash(row);
        return () =>
        {
            double number = (DataViewRowId.Mix(hash() ^ _seed) >> 11) * (1.0 / (1UL << 53));
            return (number >= low && number < high) != complement;
        };
    }, sequential: _key.Length == 0);

    private Func<ulong> CreateHash(DataViewRow row)
    {
        if (_key is [var key])
            return Generic.Call<Func<ulong>>(HashOf<int>, key.Type.RawType, row, key);
        ValueGetter<DataViewRowId> idGetter = row.GetIdGetter();
        DataViewRowId id = default;
        return () =>
        {
            idGetter(ref id);
            return id.Low + DataViewRowId.Mix(id.High);
        };
    }

    private static Func<ulong> HashOf<T>(DataViewRow row, DataViewSchema.Column column)
    {
        if (typeof(T).IsGenericType && typeof(T).GetGenericTypeDefinition() == typeof(VBuffer<>))
            throw new ArgumentOutOfRangeException("samplingKeyColumn", $"Column '{column.Name}' of type {column.Type} cannot be a sampling key.");
        ValueGetter<T> getter = row.GetGetter<T>(column);
        T value = default!;
        return () =>
        {
            getter(ref value);
            return value is ReadOnlyMemory<char> text ? HashOf(text.Span) : (ulong)value!.GetHashCode();
        };
    }

    // string.GetHashCode differs from process to process: FNV-1a instead.
    private static ulong HashOf(ReadOnlySpan<char> text)
    {
        ulong hash = 14695981039346656037;
        foreach (char c in text)
            hash = (hash ^ c) * 1099511628211;
        return hash;
    }
}
