namespace Microsoft.ML;

public sealed partial class DataViewSchema
{
    /// <summary>Named values that describe a column.</summary>
    public sealed class Annotations
    {
        private readonly Delegate[] _getters;

        private Annotations(DataViewSchema schema, Delegate[] getters)
        {
            Schema = schema;
            _getters = getters;
        }

        public static Annotations Empty { get; } = new Builder().ToAnnotations();
        public DataViewSchema Schema { get; }

        public ValueGetter<TValue> GetGetter<TValue>(Column column) =>
            _getters[column.Index] as ValueGetter<TValue> ?? throw Errors.WrongGetterType(typeof(TValue), _getters[column.Index]);

        public void GetValue<TValue>(string kind, ref TValue value)
        {
            Column column = Schema.GetColumnOrNull(kind) ?? throw new InvalidOperationException($"Metadata {kind} does not exist");
            GetGetter<TValue>(column)(ref value);
        }

        public override string ToString() => string.Join(", ", Schema.Select(c => c.Name));
        internal Delegate GetGetter(int index) => _getters[index];

        internal Annotations Only(params string[] kinds)
        {
            var builder = new Builder();
            builder.Add(this, kinds.Contains);
            return builder.ToAnnotations();
        }

        /// <summary>Collects annotations.</summary>
        public sealed class Builder
        {
            private readonly DataViewSchema.Builder _schema = new();
            private readonly List<Delegate> _getters = [];

            public void Add<TValue>(string name, DataViewType type, ValueGetter<TValue> getter, Annotations? annotations = null) =>
                Add(name, type, (Delegate)getter, annotations);

            public void Add(string name, DataViewType type, Delegate getter, Annotations? annotations = null)
            {
                ArgumentNullException.ThrowIfNull(getter);
                if (getter.GetType() != typeof(ValueGetter<>).MakeGenericType(type.RawType))
                    throw new ArgumentOutOfRangeException(nameof(getter), $"The getter must be a ValueGetter of {type.RawType}.");
                _schema.AddColumn(name, type, annotations);
                _getters.Add(getter);
            }

            public void Add(Annotations annotations, Func<string, bool> selector)
            {
                ArgumentNullException.ThrowIfNull(annotations);
                foreach (Column column in annotations.Schema.Where(c => selector(c.Name)))
                    Add(column.Name, column.Type, annotations._getters[column.Index], column.Annotations);
            }

            public void AddPrimitiveValue<TValue>(string name, PrimitiveDataViewType type, TValue value, Annotations? annotations = null) =>
                Add(name, type, (ref TValue destination) => destination = value, annotations);

            public Annotations ToAnnotations() => new(_schema.ToSchema(), [.. _getters]);

            /// <summary>First and last slot of each run that encodes one category, one after the other.</summary>
            internal void AddCategoricalSlotRanges(int[] ranges) =>
                Add(AnnotationKinds.CategoricalSlotRanges, new VectorDataViewType(NumberDataViewType.Int32, ranges.Length / 2, 2),
                    (ref VBuffer<int> destination) => new VBuffer<int>(ranges.Length, ranges).CopyTo(ref destination));

            internal void AddVector<T>(string name, PrimitiveDataViewType itemType, T[] values) =>
                Add(name, new VectorDataViewType(itemType, values.Length),
                    (ref VBuffer<T> destination) => new VBuffer<T>(values.Length, values).CopyTo(ref destination));
        }
    }
}
