namespace Microsoft.ML.Data;

/// <summary>A column with its ranges resolved to fields [Min, Limit).</summary>
internal sealed class TextColumn
{
    private readonly (int Min, int Limit)[] _segments;
    private readonly bool _isVariable;

    public TextColumn(TextLoader.Column column, Func<int> lineWidth)
    {
        Name = column.Name.Trim();
        _segments = [.. column.Source!.Select(range => (range.Min, Limit(range, lineWidth)))];
        var ordered = _segments.OrderBy(segment => segment.Min).ToArray();
        bool areDisjoint = ordered.Zip(ordered.Skip(1)).All(pair => pair.First.Limit <= pair.Second.Min);
        Errors.CheckArgument(areDisjoint, nameof(TextLoader.Column.Source), $"Intervals specified for column '{Name}' overlap");

        _isVariable = _segments.Any(segment => segment.Limit == int.MaxValue);
        ItemType = TextParser.TypeOf(column.DataKind, column.KeyCount);
        IsVector = _isVariable || _segments.Length > 1 || _segments[0].Limit - _segments[0].Min > 1 || column.Source![0].ForceVector;
        Type = !IsVector ? ItemType : new VectorDataViewType(ItemType, _isVariable ? 0 : Size(0));
    }

    public string Name { get; }
    public PrimitiveDataViewType ItemType { get; }
    public bool IsVector { get; }
    public DataViewType Type { get; }
    public int FirstField => _segments[0].Min;

    /// <summary>Length of the vector in a line of that many fields.</summary>
    public int Size(int fieldCount) => _segments.Sum(segment => Math.Max(0, End(segment.Limit, fieldCount) - segment.Min));

    /// <summary>The fields the slots come from, in order.</summary>
    public IEnumerable<int> Fields(int fieldCount) =>
        _segments.SelectMany(segment => Enumerable.Range(segment.Min, Math.Max(0, End(segment.Limit, fieldCount) - segment.Min)));

    public DataViewSchema.Annotations? SlotNames(TextFields header)
    {
        ReadOnlyMemory<char>[] names = IsVector && !_isVariable ? [.. Fields(0).Select(field => header[field].Trim())] : [];
        if (names.All(name => name.IsEmpty))
            return null;
        var builder = new DataViewSchema.Annotations.Builder();
        builder.Add("SlotNames", new VectorDataViewType(TextDataViewType.Instance, names.Length),
            (ref VBuffer<ReadOnlyMemory<char>> value) => new VBuffer<ReadOnlyMemory<char>>(names.Length, names).CopyTo(ref value));
        return builder.ToAnnotations();
    }

    private static int End(int limit, int fieldCount) => limit == int.MaxValue ? fieldCount : limit;

    private static int Limit(TextLoader.Range range, Func<int> lineWidth)
    {
        if (range.Max is { } max)
            return max + 1;
        if (!range.AutoEnd)
            return range.VariableEnd ? int.MaxValue : range.Min + 1;
        int width = lineWidth();
        Errors.CheckArgument(range.Min < width, nameof(range.Min), $"Column #{range.Min} not found in the dataset (it only has {width} columns)");
        return width;
    }
}
