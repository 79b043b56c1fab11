using System.Globalization;
using Microsoft.ML.ForwardSampling.Records;
using Parquet;
using Parquet.Schema;

namespace Microsoft.ML.ForwardSampling.Tool.Records.Export;

/// <summary>One column of an exported log.</summary>
internal abstract class ExportColumn<TRecord>(string name)
{
    public string Name => name;

    /// <summary>The column in a Parquet file.</summary>
    public abstract DataField Field { get; }

    /// <summary>Writes the column of some rows.</summary>
    public abstract Task WriteAsync(ParquetRowGroupWriter rows, ReadOnlyMemory<TRecord> records, CancellationToken cancellation);

    /// <summary>A row's value as invariant text, without a character that a CSV file would quote.</summary>
    public abstract string Text(TRecord record);
}

/// <summary>A column of numbers or times.</summary>
internal sealed class ExportColumn<TRecord, T>(string name, Func<TRecord, T> value) : ExportColumn<TRecord>(name)
    where T : struct, IFormattable
{
    private T[] _values = [];

    public override DataField Field { get; } = typeof(T) == typeof(DateTime)
        ? new DateTimeDataField(name, DateTimeFormat.Timestamp, isAdjustedToUTC: true, unit: DateTimeTimeUnit.Micros)
        : new DataField<T>(name);

    public override Task WriteAsync(ParquetRowGroupWriter rows, ReadOnlyMemory<TRecord> records, CancellationToken cancellation)
    {
        if (_values.Length < records.Length)
            _values = new T[records.Length];
        ReadOnlySpan<TRecord> from = records.Span;
        for (int i = 0; i < from.Length; i++)
            _values[i] = value(from[i]);
        return rows.WriteAsync<T>(Field, _values.AsMemory(0, records.Length), cancellationToken: cancellation);
    }

    // A time to its last 100 ns; every other number to its last bit.
    public override string Text(TRecord record)
        => value(record).ToString(typeof(T) == typeof(DateTime) ? "yyyy-MM-ddTHH:mm:ss.fffffffK" : null, CultureInfo.InvariantCulture);
}

/// <summary>The columns of each kind of record. Their names are a format: scripts of others read them.</summary>
internal static class ExportColumns
{
    public static ExportColumn<RegressionRecord>[] Regression { get; } =
        [.. OfRows<RegressionRecord>(), new ExportColumn<RegressionRecord, float>("score", record => record.Score)];

    public static ExportColumn<BinaryRecord>[] Binary { get; } =
        [.. OfRows<BinaryRecord>(), new ExportColumn<BinaryRecord, float>("log_odds", record => record.LogOdds)];

    public static ExportColumn<MulticlassRecord>[] Multiclass { get; } =
    [
        .. OfRows<MulticlassRecord>(),
        new ExportColumn<MulticlassRecord, int>("classes", record => record.Classes),
        new ExportColumn<MulticlassRecord, int>("class1", record => record.Class1),
        new ExportColumn<MulticlassRecord, int>("class2", record => record.Class2),
        new ExportColumn<MulticlassRecord, int>("class3", record => record.Class3),
        new ExportColumn<MulticlassRecord, float>("probability1", record => record.Probability1),
        new ExportColumn<MulticlassRecord, float>("probability2", record => record.Probability2),
        new ExportColumn<MulticlassRecord, float>("probability3", record => record.Probability3),
        new ExportColumn<MulticlassRecord, float>("sum_of_squares", record => record.SumOfSquares),
    ];

    public static ExportColumn<LabelEvent>[] Label { get; } =
        [.. OfEvents<LabelEvent>(), new ExportColumn<LabelEvent, float>("label", label => label.Label)];

    private static IEnumerable<ExportColumn<TRecord>> OfEvents<TRecord>()
        where TRecord : struct, ILogRecord<TRecord> =>
        [
            new ExportColumn<TRecord, ulong>("key", record => record.Key),
            new ExportColumn<TRecord, DateTime>("time", record => record.Time),
        ];

    private static IEnumerable<ExportColumn<TRecord>> OfRows<TRecord>()
        where TRecord : struct, IForwardRecord<TRecord> =>
        [
            .. OfEvents<TRecord>(),
            new ExportColumn<TRecord, ulong>("model_version", record => record.ModelVersion),
            new ExportColumn<TRecord, float>("keeping_probability", record => record.KeepingProbability),
        ];
}
