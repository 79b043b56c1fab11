namespace Microsoft.ML.Data;

/// <summary>The column's name, where it is not the member's.</summary>
[AttributeUsage(AttributeTargets.Field | AttributeTargets.Property, AllowMultiple = false, Inherited = true)]
public sealed class ColumnNameAttribute(string name) : Attribute
{
    internal string Name { get; } = name;
}

/// <summary>Keeps a member out of the schema.</summary>
[AttributeUsage(AttributeTargets.Field | AttributeTargets.Property, AllowMultiple = false, Inherited = true)]
public sealed class NoColumnAttribute : Attribute;

/// <summary>The known dimensions of a vector member; without them the vector's size may vary.</summary>
[AttributeUsage(AttributeTargets.Field | AttributeTargets.Property, AllowMultiple = false, Inherited = true)]
public sealed class VectorTypeAttribute : Attribute
{
    public VectorTypeAttribute(int size) => Dimensions = [size];
    public VectorTypeAttribute(params int[] dimensions) => Dimensions = dimensions;
    internal int[] Dimensions { get; }
}

/// <summary>Makes an unsigned member a key of that many values.</summary>
[AttributeUsage(AttributeTargets.Field | AttributeTargets.Property, AllowMultiple = false, Inherited = true)]
public sealed class KeyTypeAttribute : Attribute
{
    public KeyTypeAttribute() => throw new NotSupportedException("Using KeyType without the Count parameter is not supported");
    public KeyTypeAttribute(ulong count) => Count = count;
    internal ulong Count { get; }
}

/// <summary>Where a text file holds the member's values.</summary>
[AttributeUsage(AttributeTargets.Field | AttributeTargets.Property, AllowMultiple = false, Inherited = true)]
public sealed class LoadColumnAttribute : Attribute
{
    public LoadColumnAttribute(int fieldIndex) => Sources = [(fieldIndex, fieldIndex)];
    public LoadColumnAttribute(int start, int end) => Sources = [(start, end)];
    public LoadColumnAttribute(int[] columnIndexes) => Sources = [.. columnIndexes.Select(i => (i, i))];

    /// <summary>First and last field of each range, both included.</summary>
    internal (int First, int Last)[] Sources { get; }
}
