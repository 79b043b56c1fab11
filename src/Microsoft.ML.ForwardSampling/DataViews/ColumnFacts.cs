using Microsoft.ML.Data;

namespace Microsoft.ML.ForwardSampling.DataViews;

/// <summary>What a check needs to know of a column, read alike from a real schema and from a promised shape.</summary>
/// <remarks>One check written against this serves GetOutputSchema(SchemaShape), Fit and Transform, with one message.</remarks>
/// <param name="Name">Column name.</param>
/// <param name="Kind">Scalar, vector of known size or vector of varying size.</param>
/// <param name="ItemRawType">Raw type of the value, or of a vector's items.</param>
/// <param name="IsKey">True for a key or a vector of keys.</param>
/// <param name="TypeText">The type as ML.NET writes it, for messages.</param>
/// <param name="Size">Items of a vector of known size; 0 where that is not known, as in every promised shape.</param>
/// <param name="KeyCount">Values of a key; 0 where that is not known, as in every promised shape.</param>
internal readonly record struct ColumnFacts(string Name, SchemaShape.Column.VectorKind Kind, Type ItemRawType, bool IsKey, string TypeText,
    int Size = 0, ulong KeyCount = 0)
{
    public bool IsScalar => Kind == SchemaShape.Column.VectorKind.Scalar;

    /// <summary>True for a plain Single.</summary>
    public bool IsSingle => IsScalar && !IsKey && ItemRawType == typeof(float);

    /// <summary>True for a plain Single and for a vector of one, which is how ONNX models give a number; in a promised shape, for any
    /// vector of known size.</summary>
    public bool IsOneSingle => IsSingle || (IsSingleVector && Kind == SchemaShape.Column.VectorKind.Vector && Size is 0 or 1);

    /// <summary>True for a plain Boolean.</summary>
    public bool IsBoolean => IsScalar && !IsKey && ItemRawType == typeof(bool);

    /// <summary>True for a scalar key of any width.</summary>
    public bool IsScalarKey => IsScalar && IsKey;

    /// <summary>True for a vector of Single, of known or varying size.</summary>
    public bool IsSingleVector => !IsScalar && !IsKey && ItemRawType == typeof(float);

    /// <summary>The visible column of that name, or null.</summary>
    public static ColumnFacts? Find(DataViewSchema schema, string name) => schema.GetColumnOrNull(name) is { } column ? Of(column) : null;

    /// <summary>The column of that name, or null. The last one wins, as in a schema.</summary>
    public static ColumnFacts? Find(SchemaShape shape, string name)
    {
        ColumnFacts? found = null;
        foreach (SchemaShape.Column column in shape)
        {
            if (column.Name == name)
                found = Of(column);
        }

        return found;
    }

    private static ColumnFacts Of(DataViewSchema.Column column)
    {
        var vector = column.Type as VectorDataViewType;
        DataViewType item = vector?.ItemType ?? column.Type;
        SchemaShape.Column.VectorKind kind = vector switch
        {
            null => SchemaShape.Column.VectorKind.Scalar,
            { IsKnownSize: true } => SchemaShape.Column.VectorKind.Vector,
            _ => SchemaShape.Column.VectorKind.VariableVector,
        };
        return new ColumnFacts(column.Name, kind, item.RawType, item is KeyDataViewType, column.Type.ToString()!, vector?.Size ?? 0,
            (item as KeyDataViewType)?.Count ?? 0);
    }

    private static ColumnFacts Of(SchemaShape.Column column)
    {
        string text = column.ItemType.ToString()!;
        if (column.IsKey)
            text = $"Key<{text}>";
        text = column.Kind switch
        {
            SchemaShape.Column.VectorKind.Vector => $"Vector<{text}>",
            SchemaShape.Column.VectorKind.VariableVector => $"VarVector<{text}>",
            _ => text,
        };
        return new ColumnFacts(column.Name, column.Kind, column.ItemType.RawType, column.IsKey, text);
    }
}
