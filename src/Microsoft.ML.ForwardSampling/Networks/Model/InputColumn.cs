using Microsoft.ML.Data;
using Microsoft.ML.ForwardSampling.DataViews;

namespace Microsoft.ML.ForwardSampling.Networks;

/// <summary>A column that a network reads beside its feature column.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Slots">Inputs that it fills; 1 for a number or a key.</param>
/// <param name="Keys">Keys of a key column; 0 for numbers.</param>
/// <param name="KeyValues">What the keys stand for, where the column says so.</param>
internal sealed record InputColumn(string Name, int Slots, int Keys, LabelKeyValues? KeyValues)
{
    /// <summary>The most keys of a column: as many as a Single counts without a gap.</summary>
    public const int MostKeys = (1 << 24) - 1;

    private const string Advice = "The network was trained on this column.";

    /// <summary>The column of numbers of that name: Single, or a vector of Single of known size.</summary>
    /// <exception cref="ArgumentOutOfRangeException">It is missing or of another type.</exception>
    public static InputColumn OfNumbers(DataViewSchema schema, string name, string option)
    {
        CheckNumbers(ColumnFacts.Find(schema, name), name, option, nameof(schema));
        return new InputColumn(name, schema[name].Type is VectorDataViewType vector ? vector.Size : 1, 0, null);
    }

    /// <summary>Checks a column of a schema or of a promised shape.</summary>
    /// <exception cref="ArgumentOutOfRangeException">It is missing or of another type.</exception>
    public static void CheckNumbers(ColumnFacts? found, string name, string option, string parameter)
        => new ColumnNeed("feature", "Single or a vector of Single of known size", $"{option} names it.", parameter).Require(found, name,
            column => column.IsSingle || (column.IsSingleVector && column.Kind == SchemaShape.Column.VectorKind.Vector));

    /// <summary>The key column of that name.</summary>
    /// <exception cref="ArgumentOutOfRangeException">It is missing, of another type, or has too many keys.</exception>
    public static InputColumn OfKeys(DataViewSchema schema, string name, string option)
    {
        CheckKeys(ColumnFacts.Find(schema, name), name, option, nameof(schema));
        DataViewSchema.Column column = schema[name];
        return new InputColumn(name, 1, (int)((KeyDataViewType)column.Type).Count, LabelKeyValues.Of(column));
    }

    /// <summary>Checks a column of a schema or of a promised shape.</summary>
    /// <exception cref="ArgumentOutOfRangeException">It is missing, of another type, or has too many keys.</exception>
    public static void CheckKeys(ColumnFacts? found, string name, string option, string parameter)
        => new ColumnNeed("embedding", $"a key of at most {MostKeys} values",
            $"{option} names it; MapValueToKey makes keys, and Hash makes keys of any number of values.", parameter)
            .Require(found, name, column => column.IsScalarKey && column.KeyCount <= MostKeys);

    /// <summary>The type that it must have.</summary>
    public DataViewType Type => Keys > 0 ? new KeyDataViewType(typeof(uint), Keys)
        : Slots == 1 ? NumberDataViewType.Single : new VectorDataViewType(NumberDataViewType.Single, Slots);

    /// <summary>The column of the schema that is meant.</summary>
    /// <exception cref="ArgumentOutOfRangeException">It is missing or of another type or size, or its keys stand for other
    /// values.</exception>
    public DataViewSchema.Column FindIn(DataViewSchema schema, string parameter)
    {
        new ColumnNeed(Keys > 0 ? "embedding" : "feature", Type.ToString()!, Advice, parameter).Require(
            ColumnFacts.Find(schema, Name), Name, facts => Keys > 0 ? facts.IsScalarKey && facts.KeyCount == (ulong)Keys
                : Slots == 1 ? facts.IsOneSingle : facts.IsSingleVector && facts.Size == Slots);
        DataViewSchema.Column column = schema[Name];
        if (Keys > 0 && KeyTexts.FirstDifference(KeyTexts.Of(column.Annotations, KeyTexts.KeyValuesKind), KeyValues?.Texts())
            is var (key, found, known))
            throw new ArgumentOutOfRangeException(parameter,
                $"Key {key} of embedding column '{Name}' stands for '{found}'; the network was trained with '{known}'. {KeyTexts.Advice}");
        return column;
    }
}

/// <summary>Reads what a network reads of a row: the feature column, then the other columns' inputs in their order; a key as its
/// number.</summary>
internal sealed class InputReader
{
    private readonly ValueGetter<VBuffer<float>> _features;
    private readonly (ValueGetter<VBuffer<float>>? Vector, Func<float>? Number, int Slots)[] _more;
    private VBuffer<float> _buffer;

    /// <param name="row">Row or cursor in which the columns are active.</param>
    /// <param name="features">The feature column.</param>
    /// <param name="more">The others.</param>
    public InputReader(DataViewRow row, DataViewSchema.Column features, IEnumerable<DataViewSchema.Column> more)
    {
        _features = row.GetGetter<VBuffer<float>>(features);
        _more = [.. more.Select(column => Open(row, column))];
    }

    /// <summary>Reads the current row.</summary>
    /// <param name="inputs">Out: sparse where there are other columns.</param>
    public void Read(ref VBuffer<float> inputs)
    {
        if (_more.Length == 0)
        {
            _features(ref inputs);
            return;
        }

        _features(ref _buffer);
        int length = _buffer.Length, most = _buffer.GetValues().Length;
        foreach ((_, _, int slots) in _more)
            (length, most) = (length + slots, most + slots);
        VBufferEditor<float> editor = VBufferEditor.Create(ref inputs, length, most, requireIndicesOnDense: true);
        int count = 0, start = _buffer.Length;
        Append(editor, ref count, 0, _buffer);
        foreach ((ValueGetter<VBuffer<float>>? vector, Func<float>? number, int slots) in _more)
        {
            if (vector is not null)
            {
                vector(ref _buffer);
                Append(editor, ref count, start, _buffer);
            }
            else
            {
                editor.Indices[count] = start;
                editor.Values[count++] = number!();
            }

            start += slots;
        }

        inputs = editor.CommitTruncated(count);
    }

    private static void Append(VBufferEditor<float> editor, ref int count, int start, in VBuffer<float> values)
    {
        foreach (KeyValuePair<int, float> value in values.Items(all: false))
        {
            editor.Indices[count] = start + value.Key;
            editor.Values[count++] = value.Value;
        }
    }

    private static (ValueGetter<VBuffer<float>>? Vector, Func<float>? Number, int Slots) Open(DataViewRow row, DataViewSchema.Column column)
    {
        switch (column.Type)
        {
            case VectorDataViewType vector:
                return (row.GetGetter<VBuffer<float>>(column), null, vector.Size);
            case KeyDataViewType:
                Func<int> key = ClassLabel.Open(row, column);
                return (null, () => key() + 1, 1);
            default:
                ValueGetter<float> getter = row.GetGetter<float>(column);
                float value = 0f;
                return (null, () =>
                {
                    getter(ref value);
                    return value;
                }, 1);
        }
    }
}
