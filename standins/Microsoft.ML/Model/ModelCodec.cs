using System.Collections.Immutable;
using System.Runtime.CompilerServices;

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
        if (value is ReadOnlyMemory<char> text)
        {
            writer.Write(text.ToString());
            return;
        }

        byte[] bytes = Buffer<T>();
        Unsafe.WriteUnaligned(ref bytes[0], value);
        writer.Write(bytes);
    }

    public static T ReadValue<T>(BinaryReader reader)
    {
        if (typeof(T) == typeof(ReadOnlyMemory<char>))
            return (T)(object)reader.ReadString().AsMemory();
        byte[] bytes = Buffer<T>();
        reader.BaseStream.ReadExactly(bytes);
        return Unsafe.ReadUnaligned<T>(ref bytes[0]);
    }

    private static byte[] Buffer<T>() => RuntimeHelpers.IsReferenceOrContainsReferences<T>()
        ? throw new NotSupportedException($"Values of type {typeof(T)} cannot be saved.")
        : new byte[Unsafe.SizeOf<T>()];

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
