using System.Numerics;

namespace Microsoft.ML;

/// <summary>Makes views from objects and views from views.</summary>
public sealed class DataOperationsCatalog
{
    private const int DefaultSplitSeed = 42; // as in ML.NET, a split without a seed is the same every time
    internal DataOperationsCatalog(IHostEnvironment env) => Environment = env;
    internal IHostEnvironment Environment { get; }

    public IDataView LoadFromEnumerable<TRow>(IEnumerable<TRow> data, SchemaDefinition? schemaDefinition = null) where TRow : class
    {
        ArgumentNullException.ThrowIfNull(data);
        return new EnumerableDataView<TRow>(data, schemaDefinition);
    }

    public IEnumerable<TRow> CreateEnumerable<TRow>(IDataView data, bool reuseRowObject, bool ignoreMissingColumns = false,
        SchemaDefinition? schemaDefinition = null) where TRow : class, new()
    {
        ArgumentNullException.ThrowIfNull(data);
        TypedColumn[] columns = TypedSchema.Columns(typeof(TRow), schemaDefinition, SchemaDefinition.Direction.Write);
        DataViewSchema.Column?[] sources = TypedSchema.Match(columns, data.Schema, ignoreMissingColumns);
        return Rows();

        IEnumerable<TRow> Rows()
        {
            using DataViewRowCursor cursor = data.GetRowCursor(sources.OfType<DataViewSchema.Column>());
            Action<TRow> write = TypedRow<TRow>.CreateWriter(columns, sources, cursor);
            for (TRow? row = null; cursor.MoveNext();)
            {
                row = reuseRowObject && row is not null ? row : new TRow();
                write(row);
                yield return row;
            }
        }
    }

    public IDataView Cache(IDataView input, params string[] columnsToPrefetch)
    {
        ArgumentNullException.ThrowIfNull(input);
        return new CacheDataView(input, columnsToPrefetch ?? []);
    }

    public IDataView TakeRows(IDataView input, long count)
    {
        CheckCount(input, count);
        return new RowRangeDataView(input, 0, count);
    }

    public IDataView SkipRows(IDataView input, long count)
    {
        CheckCount(input, count);
        return new RowRangeDataView(input, count, long.MaxValue);
    }

    public IDataView ShuffleRows(IDataView input, int? seed = null, int shufflePoolSize = 1000, bool shuffleSource = true)
    {
        ArgumentNullException.ThrowIfNull(input);
        if (shufflePoolSize <= 0)
            throw new ArgumentOutOfRangeException(nameof(shufflePoolSize), "Must be positive");
        return new ShuffledDataView(input, seed ?? Environment.Register("RowShuffle").Rand.Next(), shufflePoolSize, shuffleSource);
    }

    public IDataView FilterRowsByColumn(IDataView input, string columnName,
        double lowerBound = double.NegativeInfinity, double upperBound = double.PositiveInfinity)
    {
        ArgumentNullException.ThrowIfNull(input);
        DataViewSchema.Column column = input.Schema[columnName];
        if (column.Type is not NumberDataViewType)
            throw Errors.SchemaMismatch(nameof(columnName), "filter", columnName, "number", column.Type.ToString());
        if (!column.Type.IsFloating)
            throw new ArgumentOutOfRangeException("Column", $"Column '{columnName}' does not have compatible type");
        if (!(lowerBound < upperBound))
            throw new ArgumentOutOfRangeException(nameof(upperBound), "Must be less than lowerBound");
        return new FilteredDataView(input, [column], row =>
            Generic.Call<Func<bool>>(InRange<float>, column.Type.RawType, row, column, lowerBound, upperBound));
    }

    public TrainTestData TrainTestSplit(IDataView data, double testFraction = 0.1, string? samplingKeyColumnName = null, int? seed = null)
    {
        ArgumentNullException.ThrowIfNull(data);
        if (!(testFraction is > 0 and < 1))
            throw new ArgumentOutOfRangeException(nameof(testFraction), "Must be between 0 and 1 exclusive");
        return Split(new RowSplit(data, samplingKeyColumnName, SplitSeed(seed)), 0, testFraction);
    }

    public IReadOnlyList<TrainTestData> CrossValidationSplit(IDataView data, int numberOfFolds = 5, string? samplingKeyColumnName = null, int? seed = null)
    {
        ArgumentNullException.ThrowIfNull(data);
        if (numberOfFolds <= 1)
            throw new ArgumentOutOfRangeException(nameof(numberOfFolds), "Must be more than 1");
        var split = new RowSplit(data, samplingKeyColumnName, SplitSeed(seed));
        return [.. Enumerable.Range(0, numberOfFolds).Select(i => Split(split, (double)i / numberOfFolds, (i + 1.0) / numberOfFolds))];
    }

    private static TrainTestData Split(RowSplit split, double low, double high) =>
        new(split.Part(low, high, complement: true), split.Part(low, high, complement: false));

    private int SplitSeed(int? seed) => seed ?? (Environment as HostEnvironment)?.Seed ?? DefaultSplitSeed;

    private static void CheckCount(IDataView input, long count)
    {
        ArgumentNullException.ThrowIfNull(input);
        if (count <= 0)
            throw new ArgumentOutOfRangeException(nameof(count), "Must be greater than zero.");
    }

    private static Func<bool> InRange<T>(DataViewRow row, DataViewSchema.Column column, double lowerBound, double upperBound) where T : INumber<T>
    {
        ValueGetter<T> getter = row.GetGetter<T>(column);
        T value = T.Zero;
        return () =>
        {
            getter(ref value);
            double number = double.CreateTruncating(value);
            return number >= lowerBound && number < upperBound;
        };
    }

    /// <summary>Two views that share no row and leave none out.</summary>
    public struct TrainTestData
    {
        public readonly IDataView TrainSet;
        public readonly IDataView TestSet;

        internal TrainTestData(IDataView trainSet, IDataView testSet)
        {
            TrainSet = trainSet;
            TestSet = testSet;
        }
    }
}
