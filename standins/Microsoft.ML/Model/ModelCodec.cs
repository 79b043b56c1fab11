using System.Collections.Immutable;

namespace Microsoft.ML;

/// <summary>Values, column types and schemas as bytes of a model file.</summary>
internal static class ModelCodec
{
    private const byte KeyCode = 101;
    private const byte VectorCode = 102;

    public static void WriteType(this BinaryWriter writer, DataViewType type)
    {
        switch (type)
        {
            case VectorDataViewType vector:
                writer.Write(VectorCode);
                WriteType(writer, vector.ItemType);
                writer.WriteArray([.. vector.Dimensions]);
                break;
            case KeyDataViewType key:
                writer.Write(KeyCode);
                WriteType(writer, NumberDataViewType.FromType(key.RawType)!);
                writer.Write(key.Count);
                break;
            default:
                DataKind kind = Enum.GetValues<DataKind>().FirstOrDefault(k => PrimitiveDataViewType.FromKind(k).Equals(type));
                writer.Write(kind == default ? throw new NotSupportedException($"Columns of type {type} cannot be saved.") : (byte)kind);
                break;
        }
    }

    public static DataViewType ReadType(this BinaryReader reader)
    {
        byte code = reader.ReadByte();
        return code switch
        {
            VectorCode => new VectorDataViewType((PrimitiveDataViewType)ReadType(reader), ImmutableArray.Create(reader.ReadArray<int>())),
            KeyCode => new KeyDataViewType(ReadType(reader).RawType, reader.ReadUInt64()),
            _ => PrimitiveDataViewType.FromKind((DataKind)code),
        };
    }

    public static void WriteArray<T>(this BinaryWriter writer, T[] values)
    {
        writer.Write(values.Length);
        foreach (T value in values)
            WriteValue(writer, value);
    }

    public static T[] ReadArray<T>(this BinaryReader reader)
    {
        var values = new T[reader.ReadInt32()];
        for (int i = 0; i < values.Length; i++)
            values[i] = ReadValue<T>(reader);
        return values;
    }

    public static void WriteValue<T>(BinaryWriter writer, T value)
    {
        switch (value)
        {
            case float v: writer.Write(v); break;
            case double v: writer.Write(v); break;
            case int v: writer.Write(v); break;
            case uint v: writer.Write(v); break;
            case long v: writer.Write(v); break;
            case ulong v: writer.Write(v); break;
            case short v: writer.Write(v); break;
            case ushort v: writer.Write(v); break;
            case byte v: writer.Write(v); break;
            case sbyte v: writer.Write(v); break;
            case bool v: writer.Write(v); break;
            case DateTime v: writer.Write(v.Ticks); break;
            case TimeSpan v: writer.Write(v.Ticks); break;
            case ReadOnlyMemory<char> v: writer.Write(v.ToString()); break;
            default: throw new NotSupportedException($"Values of type {typeof(T)} cannot be saved.");
        }
    }

    public static T ReadValue<T>(BinaryReader reader)
    {
        T value = default!;
        object boxed = value switch
        {
            float => reader.ReadSingle(),
            double => reader.ReadDouble(),
            int => reader.ReadInt32(),
            uint => reader.ReadUInt32(),
            long => reader.ReadInt64(),
            ulong => reader.ReadUInt64(),
            short => reader.ReadInt16(),
            ushort => reader.ReadUInt16(),
            byte => reader.ReadByte(),
            sbyte => reader.ReadSByte(),
            bool => reader.ReadBoolean(),
            DateTime => new DateTime(reader.ReadInt64()),
            TimeSpan => new TimeSpan(reader.ReadInt64()),
            ReadOnlyMemory<char> => reader.ReadString().AsMemory(),
            _ => throw new NotSupportedException($"Values of type {typeof(T)} cannot be saved."),
        };
        return (T)boxed;
    }

    /// <summary>Columns with their annotations.</summary>
    public static void WriteSchema(this BinaryWriter writer, DataViewSchema schema)
    {
        writer.Write(schema.Count);
        foreach (DataViewSchema.Column column in schema)
        {
            writer.Write(column.Name);
            writer.WriteType(column.Type);
            writer.Write(column.Annotations.Schema.Count);
            foreach (DataViewSchema.Column annotation in column.Annotations.Schema)
            {
                writer.Write(annotation.Name);
                writer.WriteType(annotation.Type);
                Generic.Call<bool>(annotation.Type is VectorDataViewType ? WriteVector<int> : WriteScalar<int>,
                    annotation.Type.ItemTypeOrSelf.RawType, writer, column.Annotations.GetGetter(annotation.Index));
            }
        }
    }

    public static DataViewSchema ReadSchema(this BinaryReader reader)
    {
        var builder = new DataViewSchema.Builder();
        for (int count = reader.ReadInt32(); count > 0; count--)
        {
            string name = reader.ReadString();
            DataViewType type = reader.ReadType();
            var annotations = new DataViewSchema.Annotations.Builder();
            for (int n = reader.ReadInt32(); n > 0; n--)
            {
                string kind = reader.ReadString();
                DataViewType annotationType = reader.ReadType();
                annotations.Add(kind, annotationType, Generic.Call<Delegate>(
                    annotationType is VectorDataViewType ? VectorGetter<int> : ScalarGetter<int>, annotationType.ItemTypeOrSelf.RawType, reader));
            }

            builder.AddColumn(name, type, annotations.ToAnnotations());
        }

        return builder.ToSchema();
    }

    private static bool WriteScalar<T>(BinaryWriter writer, Delegate getter)
    {
        T value = default!;
        ((ValueGetter<T>)getter)(ref value);
        WriteValue(writer, value);
        return true;
    }

    private static bool WriteVector<T>(BinaryWriter writer, Delegate getter)
    {
        VBuffer<T> value = default;
        ((ValueGetter<VBuffer<T>>)getter)(ref value);
        writer.WriteArray(value.DenseValues().ToArray());
        return true;
    }

    private static Delegate ScalarGetter<T>(BinaryReader reader)
    {
        T value = ReadValue<T>(reader);
        return (ValueGetter<T>)((ref T destination) => destination = value);
    }

    private static Delegate VectorGetter<T>(BinaryReader reader)
    {
        T[] values = reader.ReadArray<T>();
        return (ValueGetter<VBuffer<T>>)((ref VBuffer<T> destination) => new VBuffer<T>(values.Length, values).CopyTo(ref destination));
    }
}
