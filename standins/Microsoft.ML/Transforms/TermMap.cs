namespace Microsoft.ML.Data;

/// <summary>The known values of a column in key order.</summary>
internal abstract class TermMap
{
    protected TermMap(PrimitiveDataViewType itemType) => ItemType = itemType;
    public PrimitiveDataViewType ItemType { get; }
    public abstract int Count { get; }
    public KeyDataViewType KeyType => new(typeof(uint), Math.Max(1, Count));

    public static TermMap Create(PrimitiveDataViewType itemType, int maximum) =>
        Generic.Call<TermMap>(Create<int>, itemType.RawType, itemType, maximum);

    /// <summary>Adds the values of the row's column each time it is called.</summary>
    public abstract Action CreateCollector(DataViewRow row, DataViewSchema.Column column);
    public abstract void Sort();

    /// <summary>A getter of keys for the column's values.</summary>
    public abstract Delegate CreateKeyGetter(DataViewRow row, DataViewSchema.Column column);
    public abstract void AddKeyValues(DataViewSchema.Annotations.Builder builder, bool asText);
    public abstract void Save(BinaryWriter writer);

    public static TermMap Load(BinaryReader reader)
    {
        TermMap map = Create((PrimitiveDataViewType)reader.ReadType(), int.MaxValue);
        map.LoadTerms(reader);
        return map;
    }

    /// <summary>Text by content, anything else by its own equality.</summary>
    public static IEqualityComparer<T> Comparer<T>() =>
        typeof(T) == typeof(ReadOnlyMemory<char>) ? (IEqualityComparer<T>)(object)new TextComparer() : EqualityComparer<T>.Default;

    public static bool IsMissing<T>(T value) => value switch
    {
        ReadOnlyMemory<char> text => text.IsEmpty,
        float single => float.IsNaN(single),
        double number => double.IsNaN(number),
        _ => false,
    };

    /// <summary>What stands for a missing value of the type.</summary>
    public static T Missing<T>() => typeof(T) == typeof(float) ? (T)(object)float.NaN : typeof(T) == typeof(double) ? (T)(object)double.NaN : default!;
    protected abstract void LoadTerms(BinaryReader reader);
    private static TermMap Create<T>(PrimitiveDataViewType itemType, int maximum) where T : notnull => new TermMap<T>(itemType, maximum);

    private sealed class TextComparer : IEqualityComparer<ReadOnlyMemory<char>>
    {
        public bool Equals(ReadOnlyMemory<char> x, ReadOnlyMemory<char> y) => x.Span.SequenceEqual(y.Span);
        public int GetHashCode(ReadOnlyMemory<char> text) => string.GetHashCode(text.Span);
    }
}

internal sealed class TermMap<T>(PrimitiveDataViewType itemType, int maximum) : TermMap(itemType) where T : notnull
{
    private readonly Dictionary<T, uint> _keys = new(Comparer<T>());
    private List<T> _terms = [];
    public override int Count => _terms.Count;

    public override Action CreateCollector(DataViewRow row, DataViewSchema.Column column) =>
        Elementwise.Visitor<T>(row, column, (value, _) => Add(value));

    public override void Sort() => Refill(_terms.Order(new TermOrder<T>()).ToArray());

    public override Delegate CreateKeyGetter(DataViewRow row, DataViewSchema.Column column) =>
        Elementwise.Getter<T, uint>(row, column, (value, _) => _keys.GetValueOrDefault(value));

    public override void AddKeyValues(DataViewSchema.Annotations.Builder builder, bool asText)
    {
        if (Count == 0)
            return;
        if (asText && typeof(T) != typeof(ReadOnlyMemory<char>))
        {
            builder.AddVector(AnnotationKinds.KeyValues, TextDataViewType.Instance,
                [.. _terms.Select(term => string.Create(System.Globalization.CultureInfo.InvariantCulture, $"{term}").AsMemory())]);
        }
        else
        {
            builder.AddVector(AnnotationKinds.KeyValues, ItemType, _terms.ToArray());
        }
    }

    public override void Save(BinaryWriter writer)
    {
        writer.WriteType(ItemType);
        writer.WriteArray(_terms.ToArray());
    }

    protected override void LoadTerms(BinaryReader reader) => Refill(reader.ReadArray<T>());

    private void Refill(IEnumerable<T> terms)
    {
        _terms = [];
        _keys.Clear();
        foreach (T term in terms)
            Add(term);
    }

    private void Add(T value)
    {
        if (IsMissing(value) || _terms.Count >= maximum || _keys.ContainsKey(value))
            return;
        if (value is ReadOnlyMemory<char> text)
            value = (T)(object)text.ToString().AsMemory(); // the source may reuse its characters
        _terms.Add(value);
        _keys.Add(value, (uint)_terms.Count);
    }
}

/// <summary>Text by code unit, anything else by its own order.</summary>
internal sealed class TermOrder<T> : IComparer<T>
{
    public int Compare(T? x, T? y) => x is ReadOnlyMemory<char> a && y is ReadOnlyMemory<char> b
        ? a.Span.SequenceCompareTo(b.Span)
        : Comparer<T>.Default.Compare(x, y);
}
