using Microsoft.ML.Data;
using Microsoft.ML.ForwardSampling.DataViews;
using Microsoft.ML.ForwardSampling.Saving;

namespace Microsoft.ML.ForwardSampling.Networks;

/// <summary>The values that a label's keys stand for, in key order: what PredictedLabel needs so that MapKeyToValue works on it.</summary>
internal abstract class LabelKeyValues
{
    private const string Kind = KeyTexts.KeyValuesKind;

    private LabelKeyValues(PrimitiveDataViewType itemType, int count)
    {
        ItemType = itemType;
        Count = count;
    }

    public PrimitiveDataViewType ItemType { get; }

    public int Count { get; }

    /// <summary>The key values of a label column; null when it has none, or of a type that is not supported.</summary>
    public static LabelKeyValues? Of(DataViewSchema.Column label)
    {
        if (label.Annotations.Schema.GetColumnOrNull(Kind) is not { Type: VectorDataViewType { ItemType: PrimitiveDataViewType item } })
            return null;
        return CodecOf(item)?.FromAnnotations(label.Annotations);
    }

    public static LabelKeyValues Read(BinaryReader reader)
    {
        string name = reader.ReadString();
        Codec codec = Array.Find(Codecs, c => c.Name == name)
            ?? throw new InvalidDataException($"The model's label has key values of type '{name}', which this version does not know.");
        return codec.Read(reader);
    }

    public abstract void Write(BinaryWriter writer);

    /// <summary>Adds the values as the KeyValues annotation.</summary>
    public void AddTo(DataViewSchema.Annotations.Builder builder) => AddTo(builder, Kind);

    /// <summary>Adds the values under another name, as multiclass Score has them.</summary>
    public abstract void AddTo(DataViewSchema.Annotations.Builder builder, string kind);

    /// <summary>Adds the values as text, as the slot names of Score.</summary>
    public abstract void AddTextTo(DataViewSchema.Annotations.Builder builder, string kind);

    /// <summary>The values as text, in key order.</summary>
    public abstract string[] Texts();

    /// <summary>The values in key order, an array of their raw type.</summary>
    public abstract Array ToArray();

    /// <summary>A one-column view of the values in key order.</summary>
    public abstract IDataView AsView(MLContext context, string columnName);

    /// <summary>A transformer that turns a 0-based class into its value.</summary>
    public abstract ITransformer MapFromClass(MLContext context, string outputColumnName, string inputColumnName);

    private static Codec? CodecOf(DataViewType item) => Array.Find(Codecs, c => c.ItemType.Equals(item));

    private static readonly Codec[] Codecs =
    [
        new Codec<ReadOnlyMemory<char>>("text", TextDataViewType.Instance, (w, v) => w.Write(v.ToString()), r => r.ReadString().AsMemory()),
        new Codec<float>("single", NumberDataViewType.Single, (w, v) => w.Write(v), r => r.ReadSingle()),
        new Codec<double>("double", NumberDataViewType.Double, (w, v) => w.Write(v), r => r.ReadDouble()),
        new Codec<sbyte>("sbyte", NumberDataViewType.SByte, (w, v) => w.Write(v), r => r.ReadSByte()),
        new Codec<byte>("byte", NumberDataViewType.Byte, (w, v) => w.Write(v), r => r.ReadByte()),
        new Codec<short>("int16", NumberDataViewType.Int16, (w, v) => w.Write(v), r => r.ReadInt16()),
        new Codec<ushort>("uint16", NumberDataViewType.UInt16, (w, v) => w.Write(v), r => r.ReadUInt16()),
        new Codec<int>("int32", NumberDataViewType.Int32, (w, v) => w.Write(v), r => r.ReadInt32()),
        new Codec<uint>("uint32", NumberDataViewType.UInt32, (w, v) => w.Write(v), r => r.ReadUInt32()),
        new Codec<long>("int64", NumberDataViewType.Int64, (w, v) => w.Write(v), r => r.ReadInt64()),
        new Codec<ulong>("uint64", NumberDataViewType.UInt64, (w, v) => w.Write(v), r => r.ReadUInt64()),
        new Codec<bool>("boolean", BooleanDataViewType.Instance, (w, v) => w.Write(v), r => r.ReadBoolean()),
    ];

    private abstract class Codec(string name, PrimitiveDataViewType itemType)
    {
        public string Name => name;

        public PrimitiveDataViewType ItemType => itemType;

        public abstract LabelKeyValues? FromAnnotations(DataViewSchema.Annotations annotations);

        public abstract LabelKeyValues Read(BinaryReader reader);
    }

    private sealed class Codec<T>(string name, PrimitiveDataViewType itemType, Action<BinaryWriter, T> write, Func<BinaryReader, T> read)
        : Codec(name, itemType)
        where T : notnull
    {
        public Action<BinaryWriter, T> Write => write;

        public override LabelKeyValues? FromAnnotations(DataViewSchema.Annotations annotations)
        {
            VBuffer<T> values = default;
            annotations.GetValue(Kind, ref values);
            return new Values<T>(this, [.. values.DenseValues()]);
        }

        public override LabelKeyValues Read(BinaryReader reader)
        {
            var values = new T[StateReading.Count(reader, 1 << 20, "key values", bytesEach: 1)];
            for (int i = 0; i < values.Length; i++)
                values[i] = read(reader);
            return new Values<T>(this, values);
        }
    }

    private sealed class Values<T>(Codec<T> codec, T[] values) : LabelKeyValues(codec.ItemType, values.Length)
        where T : notnull
    {
        public override void Write(BinaryWriter writer)
        {
            writer.Write(codec.Name);
            writer.Write(values.Length);
            foreach (T value in values)
                codec.Write(writer, value);
        }

        public override void AddTo(DataViewSchema.Annotations.Builder builder, string kind)
            => builder.Add(kind, new VectorDataViewType(ItemType, values.Length),
                (ref VBuffer<T> destination) => CopyTo(values, ref destination));

        public override void AddTextTo(DataViewSchema.Annotations.Builder builder, string kind)
        {
            ReadOnlyMemory<char>[] texts = [.. Texts().Select(text => text.AsMemory())];
            builder.Add(kind, new VectorDataViewType(TextDataViewType.Instance, texts.Length),
                (ref VBuffer<ReadOnlyMemory<char>> destination) => CopyTo(texts, ref destination));
        }

        public override Array ToArray() => values;

        public override string[] Texts() => [.. values.Select(KeyTexts.Of)];

        public override IDataView AsView(MLContext context, string columnName)
        {
            SchemaDefinition definition = SchemaDefinition.Create(typeof(ValueRow));
            definition[nameof(ValueRow.Value)].ColumnName = columnName;
            definition[columnName].ColumnType = ItemType;
            return context.Data.LoadFromEnumerable(values.Select(v => new ValueRow { Value = v }).ToArray(), definition);
        }

        public override ITransformer MapFromClass(MLContext context, string outputColumnName, string inputColumnName)
        {
            // ML.NET's value mapping takes text as string.
            return typeof(T) == typeof(ReadOnlyMemory<char>) ? Map(v => v.ToString()!) : Map(v => v);

            ITransformer Map<TValue>(Func<T, TValue> convert)
                => context.Transforms.Conversion.MapValue(outputColumnName,
                    values.Select((v, i) => KeyValuePair.Create((uint)i, convert(v))).ToArray(), inputColumnName)
                    .Fit(new EmptyView(StateCarrier.SchemaOf(inputColumnName, NumberDataViewType.UInt32)));
        }

        private static void CopyTo<TItem>(TItem[] from, ref VBuffer<TItem> destination)
        {
            VBufferEditor<TItem> editor = VBufferEditor.Create(ref destination, from.Length);
            from.CopyTo(editor.Values);
            destination = editor.Commit();
        }

        private sealed class ValueRow
        {
            public T Value { get; set; } = default!;
        }
    }
}
