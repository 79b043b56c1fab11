using System.Collections.Immutable;

namespace Microsoft.ML.Data
{
    /// <summary>The first rows of a view, by row and by column.</summary>
    public sealed class DataDebuggerPreview
    {
        internal DataDebuggerPreview(IDataView data, int maxRows)
        {
            ArgumentNullException.ThrowIfNull(data);
            Errors.CheckRange(maxRows >= 0, nameof(maxRows));
            Schema = data.Schema;
            var rows = ImmutableArray.CreateBuilder<RowInfo>();
            using (DataViewRowCursor cursor = data.GetRowCursor(data.Schema))
            {
                Func<object>[] read = [.. data.Schema.Select(c => Generic.Call<Func<object>>(Reader<int>, c.Type.RawType, cursor, c))];
                while (rows.Count < maxRows && cursor.MoveNext())
                    rows.Add(new RowInfo([.. data.Schema.Select(c => KeyValuePair.Create(c.Name, read[c.Index]()))]));
            }

            RowView = rows.ToImmutable();
            ColumnView = [.. data.Schema.Select(c => new ColumnInfo(c, [.. RowView.Select(row => row.Values[c.Index].Value)]))];
        }

        public DataViewSchema Schema { get; }
        public ImmutableArray<ColumnInfo> ColumnView { get; }
        public ImmutableArray<RowInfo> RowView { get; }
        public override string ToString() => $"{Schema.Count} columns, {RowView.Length} rows";

        private static Func<object> Reader<T>(DataViewRow row, DataViewSchema.Column column)
        {
            ValueGetter<T> getter = row.GetGetter<T>(column);
            return () =>
            {
                T value = default!; // a new one each time: vectors must not share buffers
                getter(ref value);
                return value!;
            };
        }

        public sealed class ColumnInfo
        {
            internal ColumnInfo(DataViewSchema.Column column, object[] values) => (Column, Values) = (column, values);
            public DataViewSchema.Column Column { get; }
            public object[] Values { get; }
            public override string ToString() => $"{Column.Name}: {Column.Type}";
        }

        public sealed class RowInfo
        {
            internal RowInfo(KeyValuePair<string, object>[] values) => Values = values;
            public KeyValuePair<string, object>[] Values { get; }
            public override string ToString() => $"{Values.Length} columns";
        }
    }
}

namespace Microsoft.ML
{
    /// <summary>Looks at the first rows.</summary>
    public static class DebuggerExtensions
    {
        public static DataDebuggerPreview Preview(this IDataView data, int maxRows = 100) => new(data, maxRows);

        public static DataDebuggerPreview Preview(this ITransformer transformer, IDataView data, int maxRows = 100)
        {
            ArgumentNullException.ThrowIfNull(transformer);
            return new(transformer.Transform(data), maxRows);
        }

        public static DataDebuggerPreview Preview(this IEstimator<ITransformer> estimator, IDataView data, int maxRows = 100, int maxTrainingRows = 100)
        {
            ArgumentNullException.ThrowIfNull(estimator);
            return new(estimator.Fit(new RowRangeDataView(data, 0, maxTrainingRows)).Transform(data), maxRows);
        }
    }
}
