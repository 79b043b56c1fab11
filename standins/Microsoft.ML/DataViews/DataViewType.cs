namespace Microsoft.ML.Data;

/// <summary>What a column holds.</summary>
public abstract class DataViewType : IEquatable<DataViewType>
{
    private protected DataViewType(Type rawType)
    {
        ArgumentNullException.ThrowIfNull(rawType);
        RawType = rawType;
    }

    public Type RawType { get; }
    public abstract bool Equals(DataViewType? other);
    internal bool IsFloating => RawType == typeof(float) || RawType == typeof(double);
    internal DataViewType ItemTypeOrSelf => this is VectorDataViewType vector ? vector.ItemType : this;
}

/// <summary>A type whose values own buffers.</summary>
public abstract class StructuredDataViewType : DataViewType
{
    protected StructuredDataViewType(Type rawType) : base(rawType) { }
}

/// <summary>A type whose values can be copied by assignment.</summary>
public abstract class PrimitiveDataViewType : DataViewType
{
    protected PrimitiveDataViewType(Type rawType) : base(rawType) { }

    /// <summary>The plain type of a .NET type, or null.</summary>
    internal static PrimitiveDataViewType? FromRawType(Type type)
    {
        if (type == typeof(string) || type == typeof(ReadOnlyMemory<char>))
            return TextDataViewType.Instance;
        if (type == typeof(bool))
            return BooleanDataViewType.Instance;
        if (type == typeof(DateTime))
            return DateTimeDataViewType.Instance;
        if (type == typeof(DateTimeOffset))
            return DateTimeOffsetDataViewType.Instance;
        return NumberDataViewType.FromType(type);
    }

    internal static DataViewType FromKind(DataKind kind) => kind switch
    {
        DataKind.String => TextDataViewType.Instance,
        DataKind.Boolean => BooleanDataViewType.Instance,
        _ => NumberDataViewType.FromType(Type.GetType("System." + kind) ?? typeof(object))
            ?? throw new ArgumentOutOfRangeException(nameof(kind), kind, "No such kind of data."),
    };
}

/// <summary>The numeric types.</summary>
public sealed class NumberDataViewType : PrimitiveDataViewType
{
    private static readonly Dictionary<Type, NumberDataViewType> _all = new Type[]
    {
        typeof(sbyte), typeof(byte), typeof(short), typeof(ushort), typeof(int), typeof(uint), typeof(long), typeof(ulong), typeof(float), typeof(double),
    }.ToDictionary(type => type, type => new NumberDataViewType(type));

    private NumberDataViewType(Type rawType) : base(rawType) { }
    public static NumberDataViewType SByte => _all[typeof(sbyte)];
    public static NumberDataViewType Byte => _all[typeof(byte)];
    public static NumberDataViewType Int16 => _all[typeof(short)];
    public static NumberDataViewType UInt16 => _all[typeof(ushort)];
    public static NumberDataViewType Int32 => _all[typeof(int)];
    public static NumberDataViewType UInt32 => _all[typeof(uint)];
    public static NumberDataViewType Int64 => _all[typeof(long)];
    public static NumberDataViewType UInt64 => _all[typeof(ulong)];
    public static NumberDataViewType Single => _all[typeof(float)];
    public static NumberDataViewType Double => _all[typeof(double)];
    internal static NumberDataViewType? FromType(Type type) => _all.GetValueOrDefault(type);
    public override bool Equals(DataViewType? other) => ReferenceEquals(this, other);
    public override string ToString() => RawType.Name;
}

public sealed class TextDataViewType : PrimitiveDataViewType
{
    private TextDataViewType() : base(typeof(ReadOnlyMemory<char>)) { }
    public static TextDataViewType Instance { get; } = new();
    public override bool Equals(DataViewType? other) => ReferenceEquals(this, other);
    public override string ToString() => "String";
}

public sealed class BooleanDataViewType : PrimitiveDataViewType
{
    private BooleanDataViewType() : base(typeof(bool)) { }
    public static BooleanDataViewType Instance { get; } = new();
    public override bool Equals(DataViewType? other) => ReferenceEquals(this, other);
    public override string ToString() => "Boolean";
}

public sealed class DateTimeDataViewType : PrimitiveDataViewType
{
    private DateTimeDataViewType() : base(typeof(DateTime)) { }
    public static DateTimeDataViewType Instance { get; } = new();
    public override bool Equals(DataViewType? other) => ReferenceEquals(this, other);
    public override string ToString() => "DateTime";
}

public sealed class DateTimeOffsetDataViewType : PrimitiveDataViewType
{
    private DateTimeOffsetDataViewType() : base(typeof(DateTimeOffset)) { }
    public static DateTimeOffsetDataViewType Instance { get; } = new();
    public override bool Equals(DataViewType? other) => ReferenceEquals(this, other);
    public override string ToString() => "DateTimeOffset";
}

/// <summary>One of <see cref="Count"/> known values: raw 1 is the first, raw 0 is missing.</summary>
public sealed class KeyDataViewType : PrimitiveDataViewType
{
    public KeyDataViewType(Type type, ulong count) : base(type)
    {
        if (!IsValidDataType(type))
            throw new ArgumentOutOfRangeException(nameof(type), "Type is not valid, it must be Byte, UInt16, UInt32 or UInt64.");
        if (count == 0 || count > MaxCount(type))
            throw new ArgumentOutOfRangeException(nameof(count), "The cardinality of a key must be between 1 and the largest value of its type.");
        Count = count;
    }

    public KeyDataViewType(Type type, int count) : this(type, count > 0 ? (ulong)count : 0) { }
    public ulong Count { get; }

    public static bool IsValidDataType(Type type) =>
        type == typeof(uint) || type == typeof(ulong) || type == typeof(ushort) || type == typeof(byte);

    private static ulong MaxCount(Type type) =>
        type == typeof(byte) ? byte.MaxValue : type == typeof(ushort) ? ushort.MaxValue : type == typeof(uint) ? uint.MaxValue : ulong.MaxValue;

    public override bool Equals(DataViewType? other) => other is KeyDataViewType key && key.RawType == RawType && key.Count == Count;
    public override bool Equals(object? other) => other is DataViewType type && Equals(type);
    public override int GetHashCode() => HashCode.Combine(RawType, Count);
    public override string ToString() => $"Key<{RawType.Name}, 0-{Count - 1}>";
}
