using System.Collections.Immutable;

namespace Microsoft.ML.Data
{
    /// <summary>The first rows of a view.</summary>
    public sealed class DataDebuggerPreview
    {
        internal DataDebuggerPreview(IDataView data, int maxRows)
        {
            ArgumentNullException.ThrowIfNull(data);
            Errors.CheckArgument(maxRows >= 0, nameof(maxRows));
            var rows = ImmutableArray.CreateBuilder<RowInfo>();
            using DataViewRowCursor cursor = data.GetRowCursor(data.Schema);
            Func<object>[] read = [.. data.Schema.Select(c => Generic.Call<Func<object>>(Reader<int>, c.Type.RawType, cursor, c))];
            while (rows.Count < maxRows && cursor.MoveNext())
                rows.Add(new RowInfo([.. data.Schema.Select(c => KeyValuePair.Create(c.Name, read[c.Index]()))]));
            RowView = rows.ToImmutable();
        }

        public ImmutableArray<RowInfo> RowView { get; }

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

        public sealed class RowInfo
        {
            internal RowInfo(KeyValuePair<string, object>[] values) => Values = values;
            public KeyValuePair<string, object>[] Values { get; }
        }
    }
}

namespace Microsoft.ML
{
    /// <summary>Looks at the first rows.</summary>
    public static class DebuggerExtensions
    {
        public static DataDebuggerPreview Preview(this IDataView data, int maxRows = 100) => new(data, maxRows);
    }
}
