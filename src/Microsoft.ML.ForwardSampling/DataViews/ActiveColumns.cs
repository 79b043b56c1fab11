namespace Microsoft.ML.ForwardSampling.DataViews;

/// <summary>Which columns of an appending view somebody asked for, and which input columns that takes.</summary>
/// <remarks>Immutable; one instance serves every cursor of a set, so all of them report the same active columns.</remarks>
internal sealed class ActiveColumns
{
    private readonly bool[] _output;
    private readonly int _inputCount;

    /// <param name="inputSchema">Schema of the source; its columns come first in the output.</param>
    /// <param name="outputSchema">Schema of the view: the input's columns, then the added ones.</param>
    /// <param name="requested">Columns asked for; only their index counts, as everywhere in ML.NET.</param>
    public ActiveColumns(DataViewSchema inputSchema, DataViewSchema outputSchema, IEnumerable<DataViewSchema.Column> requested)
    {
        ArgumentNullException.ThrowIfNull(requested);
        _inputCount = inputSchema.Count;
        _output = new bool[outputSchema.Count];
        foreach (DataViewSchema.Column column in requested)
        {
            SchemaErrors.ThrowIfOutside(column, outputSchema);
            _output[column.Index] = true;
        }
    }

    /// <summary>One flag for each added column, in the order they were added.</summary>
    public ReadOnlySpan<bool> Added => _output.AsSpan(_inputCount);

    /// <summary>True if somebody asked for at least one added column: only then is there anything to compute.</summary>
    public bool AnyAdded => Added.Contains(true);

    /// <summary>True if the column was asked for. A column that is only read to compute another one is not active.</summary>
    public bool IsActive(DataViewSchema.Column column, DataViewSchema outputSchema)
    {
        SchemaErrors.ThrowIfOutside(column, outputSchema);
        return _output[column.Index];
    }

    /// <summary>A copy of the flags of the pass-through columns, to which the dependencies of added columns can be added.</summary>
    public bool[] CopyPassedThrough() => _output.AsSpan(0, _inputCount).ToArray();

    /// <summary>The columns of <paramref name="schema"/> whose flag is set, in schema order.</summary>
    public static DataViewSchema.Column[] Choose(DataViewSchema schema, ReadOnlySpan<bool> needed)
    {
        var chosen = new List<DataViewSchema.Column>();
        for (int i = 0; i < needed.Length; i++)
        {
            if (needed[i])
                chosen.Add(schema[i]);
        }

        return [.. chosen];
    }
}
