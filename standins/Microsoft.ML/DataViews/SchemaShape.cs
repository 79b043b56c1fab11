using System.Collections;

namespace Microsoft.ML;

/// <summary>What is known of a schema before any data: names, kinds and item types, but no sizes.</summary>
public sealed class SchemaShape : IReadOnlyList<SchemaShape.Column>
{
    private static readonly SchemaShape _empty = new([]);
    private readonly Column[] _columns;

    public SchemaShape(IEnumerable<Column> columns)
    {
        ArgumentNullException.ThrowIfNull(columns);
        _columns = [.. columns];
        if (_columns.Any(c => c.Name is null))
            throw new ArgumentOutOfRangeException(nameof(columns), "Some items are not initialized properly.");
    }

    public int Count => _columns.Length;
    public Column this[int index] => _columns[index];
    public IEnumerator<Column> GetEnumerator() => ((IEnumerable<Column>)_columns).GetEnumerator();

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();

    internal static SchemaShape Create(DataViewSchema schema) =>
        new(schema.Where(c => !c.IsHidden).Select(c => new Column(c.Name, c.Type, c.Annotations)));

    internal bool TryFindColumn(string name, out Column column)
    {
        column = _columns.FirstOrDefault(c => c.Name == name);
        return column.Name is not null;
    }

    /// <summary>The column of that name, or the error that says which role's column is missing.</summary>
    internal Column Find(string name, string role = "input") =>
        TryFindColumn(name, out Column column) ? column : throw Errors.ColumnNotFound("inputSchema", role, name);

    /// <summary>The same for a column that must be a key.</summary>
    internal Column FindKey(string name) =>
        Find(name) is { IsKey: true } column ? column : throw Errors.SchemaMismatch("inputSchema", "input", name, "KeyType", Find(name).GetTypeString());

    /// <summary>This shape with columns added; a column of the same name is replaced where it stands.</summary>
    internal SchemaShape With(params Column[] added)
    {
        List<Column> columns = [.. _columns];
        foreach (Column column in added)
        {
            int index = columns.FindIndex(c => c.Name == column.Name);
            if (index >= 0)
                columns[index] = column;
            else
                columns.Add(column);
        }

        return new SchemaShape(columns);
    }

    /// <summary>The shape of one column.</summary>
    public struct Column
    {
        public readonly string Name;
        public readonly VectorKind Kind;
        public readonly DataViewType ItemType;
        public readonly bool IsKey;
        public readonly SchemaShape Annotations;

        internal Column(string name, VectorKind kind, DataViewType itemType, bool isKey, SchemaShape? annotations = null)
        {
            Name = name;
            Kind = kind;
            ItemType = itemType;
            IsKey = isKey;
            Annotations = annotations ?? _empty;
        }

        internal Column(string name, DataViewType type, DataViewSchema.Annotations? annotations = null)
        {
            Name = name;
            Kind = type is not VectorDataViewType vector ? VectorKind.Scalar : vector.IsKnownSize ? VectorKind.Vector : VectorKind.VariableVector;
            DataViewType item = type.ItemTypeOrSelf;
            IsKey = item is KeyDataViewType;
            ItemType = IsKey ? NumberDataViewType.FromType(item.RawType)! : item;
            Annotations = annotations is null ? _empty : new SchemaShape(annotations.Schema.Select(a => new Column(a.Name, a.Type)));
        }

        /// <summary>Those of the column's annotations that say what its slots are called.</summary>
        internal readonly SchemaShape SlotNames() => new(Annotations.Where(a => a.Name == AnnotationKinds.SlotNames));
        internal readonly Column Renamed(string name) => new(name, Kind, ItemType, IsKey, Annotations);
        internal readonly bool HasTypeOf(Column other) => Kind == other.Kind && ItemType.Equals(other.ItemType) && IsKey == other.IsKey;

        internal readonly string GetTypeString()
        {
            string item = IsKey ? $"Key<{ItemType}>" : ItemType.ToString()!;
            return Kind switch
            {
                VectorKind.Scalar => item,
                VectorKind.Vector => $"Vector<{item}>",
                _ => $"VarVector<{item}>",
            };
        }

        /// <summary>Scalar, vector of one size, or vector of any size.</summary>
        public enum VectorKind
        {
            Scalar = 0,
            Vector = 1,
            VariableVector = 2,
        }
    }
}
