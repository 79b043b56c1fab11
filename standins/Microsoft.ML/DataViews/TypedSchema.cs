using System.Reflection;

namespace Microsoft.ML.Data;

/// <summary>A member of a user's class and the column it stands for.</summary>
internal sealed record TypedColumn(MemberInfo Member, string Name, DataViewType Type)
{
    public Type MemberType => TypedSchema.TypeOf(Member);
    public DataViewSchema.DetachedColumn Detached => new(Name, Type);
}

/// <summary>Which members of a user's class stand for columns, and of what type.</summary>
internal static class TypedSchema
{
    public static IEnumerable<MemberInfo> MembersOf(Type type, SchemaDefinition.Direction direction)
    {
        bool read = direction.HasFlag(SchemaDefinition.Direction.Read), write = direction.HasFlag(SchemaDefinition.Direction.Write);
        IEnumerable<MemberInfo> fields = type.GetFields(BindingFlags.Public | BindingFlags.Instance);
        IEnumerable<MemberInfo> properties = type.GetProperties(BindingFlags.Public | BindingFlags.Instance)
            .Where(p => p.GetIndexParameters().Length == 0 && ((read && p.GetGetMethod() is not null) || (write && p.GetSetMethod() is not null)));
        return fields.Concat(properties).Where(m => m.GetCustomAttribute<NoColumnAttribute>() is null);
    }

    public static Type TypeOf(MemberInfo member) => member is FieldInfo field ? field.FieldType : ((PropertyInfo)member).PropertyType;

    /// <summary>The raw item type of a member type, and whether the member is a vector.</summary>
    public static Type ItemOf(Type memberType, out bool isVector)
    {
        isVector = memberType.IsArray || (memberType.IsGenericType && memberType.GetGenericTypeDefinition() == typeof(VBuffer<>));
        Type item = memberType.IsArray ? memberType.GetElementType()! : isVector ? memberType.GetGenericArguments()[0] : memberType;
        return item == typeof(string) ? typeof(ReadOnlyMemory<char>) : item;
    }

    public static DataViewType DefaultTypeOf(MemberInfo member)
    {
        Type item = ItemOf(TypeOf(member), out bool isVector);
        PrimitiveDataViewType itemType;
        if (member.GetCustomAttribute<KeyTypeAttribute>() is { } key)
        {
            if (!KeyDataViewType.IsValidDataType(item))
                throw new ArgumentOutOfRangeException("userType", $"Member {member.Name} marked with KeyType attribute, but does not appear to be a valid kind of data for a key type");
            itemType = new KeyDataViewType(item, key.Count);
        }
        else
        {
            itemType = PrimitiveDataViewType.FromRawType(item)
                ?? throw new ArgumentOutOfRangeException("rawType", $"Could not determine an IDataView type and registered custom types for member {member.Name}");
        }

        int[]? dimensions = member.GetCustomAttribute<VectorTypeAttribute>()?.Dimensions;
        if (dimensions is not null && !isVector)
            throw new ArgumentOutOfRangeException("userType", $"Member {member.Name} marked with VectorTypeAttribute, but does not appear to be a vector type");
        if (!isVector)
            return itemType;
        return dimensions is { Length: > 0 } ? new VectorDataViewType(itemType, dimensions) : new VectorDataViewType(itemType);
    }

    /// <summary>The columns of a class under a definition, checked against the members.</summary>
    public static TypedColumn[] Columns(Type type, SchemaDefinition? definition, SchemaDefinition.Direction direction) =>
        [.. (definition ?? SchemaDefinition.Create(type, direction)).Select(column => Check(type, column))];

    public static DataViewSchema SchemaOf(TypedColumn[] columns)
    {
        var builder = new DataViewSchema.Builder();
        builder.AddColumns(columns.Select(c => c.Detached));
        return builder.ToSchema();
    }

    /// <summary>The definition of a class, with the column types of a schema that has no other columns.</summary>
    public static SchemaDefinition DefinitionFor(Type type, DataViewSchema schema)
    {
        ArgumentNullException.ThrowIfNull(schema);
        SchemaDefinition definition = SchemaDefinition.Create(type);
        foreach (DataViewSchema.Column column in schema.Where(c => !c.IsHidden))
        {
            SchemaDefinition.Column member = definition.Find(c => c.ColumnName == column.Name)
                ?? throw new InvalidOperationException($"Type should contain a member named {column.Name}");
            member.ColumnType = column.Type;
        }

        return definition;
    }

    /// <summary>For each member the column of that name; null where there is none and that is allowed.</summary>
    public static DataViewSchema.Column?[] Match(TypedColumn[] columns, DataViewSchema schema, bool ignoreMissing) => Array.ConvertAll(columns, column =>
    {
        if (schema.GetColumnOrNull(column.Name) is not { } found)
            return ignoreMissing ? (DataViewSchema.Column?)null : throw Errors.ColumnNotFound("Schema", "", column.Name);
        Type item = ItemOf(column.MemberType, out bool isVector);
        if (isVector != found.Type is VectorDataViewType || found.Type.ItemTypeOrSelf.RawType != item)
            throw new InvalidOperationException($"Can't bind the IDataView column '{column.Name}' of type '{found.Type}' to field or property '{column.Member.Name}' of type '{column.MemberType.FullName}'.");
        return found;
    });

    private static TypedColumn Check(Type type, SchemaDefinition.Column column)
    {
        const string Param = "userSchemaDefinition";
        MemberInfo member = (MemberInfo?)type.GetField(column.MemberName) ?? type.GetProperty(column.MemberName)
            ?? throw new ArgumentOutOfRangeException(Param, $"No field or property with name '{column.MemberName}' found in type '{type.FullName}'");
        DataViewType columnType = column.ColumnType ?? DefaultTypeOf(member);
        Type item = ItemOf(TypeOf(member), out bool isVector);
        if (isVector != columnType is VectorDataViewType)
            throw new ArgumentOutOfRangeException(Param, $"Column '{column.ColumnName}' is supposed to be {(isVector ? "scalar" : "vector")}, but type of associated field '{member.Name}' is {(isVector ? "vector" : "scalar")}");
        if (columnType.ItemTypeOrSelf.RawType != item)
            throw new ArgumentOutOfRangeException(Param, $"Column '{column.ColumnName}' is supposed to have item type {columnType.ItemTypeOrSelf.RawType}, but associated field has type {item}");
        return new TypedColumn(member, string.IsNullOrEmpty(column.ColumnName) ? member.Name : column.ColumnName, columnType);
    }
}
