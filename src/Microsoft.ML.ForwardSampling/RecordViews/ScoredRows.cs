using Microsoft.ML.Data;
using Microsoft.ML.ForwardSampling.DataViews;
using Microsoft.ML.ForwardSampling.Records;

namespace Microsoft.ML.ForwardSampling.RecordViews;

/// <summary>From the columns of a scored row to its record.</summary>
internal static class ScoredRows
{
    /// <summary>The columns that a record is made from, checked.</summary>
    public static DataViewSchema.Column[] Columns<TRecord>(DataViewSchema schema, RecordToOptions options, string parameter)
        where TRecord : struct, IForwardRecord<TRecord>
    {
        bool multiclass = TRecord.Kind == RecordKind.Multiclass;
        DataViewSchema.Column key = RowKeyColumn.Check(schema, options.KeyColumnName, parameter, options.KeySecret);
        string expectedScore = multiclass ? "Vector<Single>" : "Single";
        string scoreAdvice = $"The model adds this column, and the log holds records of type {typeof(TRecord).Name}; a renamed score is "
            + $"given in RecordToOptions.ScoreColumnName.";
        new ColumnNeed("score", expectedScore, scoreAdvice, parameter).Require(ColumnFacts.Find(schema, options.ScoreColumnName),
            options.ScoreColumnName, found => multiclass ? found.IsSingleVector : found.IsOneSingle);

        var columns = new List<DataViewSchema.Column> { key, schema[options.ScoreColumnName] };
        if (multiclass && schema[options.ScoreColumnName].Type is VectorDataViewType { Size: > MulticlassRecord.MaximumClasses } vector)
            throw new ArgumentOutOfRangeException(parameter,
                $"Score column '{options.ScoreColumnName}' has {vector.Size} classes, and a record can name "
                + $"{MulticlassRecord.MaximumClasses}.");
        if (TRecord.Kind == RecordKind.Binary && new ColumnNeed("probability", "Single",
            "A calibrated binary model adds this column; a renamed one is given in RecordToOptions.ProbabilityColumnName.", parameter)
            .Check(ColumnFacts.Find(schema, options.ProbabilityColumnName), found => found.IsOneSingle) is not null)
            columns.Add(schema[options.ProbabilityColumnName]);

        return [.. columns];
    }

    /// <summary>Reads the rows of a cursor whose columns of <see cref="Columns"/> are active.</summary>
    public static ScoredRows<TRecord> Open<TRecord>(DataViewRow row, RecordToOptions options)
        where TRecord : struct, IForwardRecord<TRecord>
        => (ScoredRows<TRecord>)(object)(TRecord.Kind switch
        {
            RecordKind.Regression => new RegressionRows(row, options),
            RecordKind.Binary => new BinaryRows(row, options),
            _ => (object)new MulticlassRows(row, options),
        });

    private sealed class RegressionRows(DataViewRow row, RecordToOptions options) : ScoredRows<RegressionRecord>(row, options)
    {
        private readonly NumberColumn _score = new(row, options.ScoreColumnName);

        public override Delegate? GetterOf(int column) => column == _score.Column ? _score.Getter : null;

        public override void Read() => _score.Read();

        protected override RegressionRecord Make(ulong key) =>
            new(key, _score.Value, Options.ModelVersion, default, (float)Options.KeepingProbability);
    }

    /// <summary>From the probability where there is one. The score behind it is asked for only at its ends: a lazy cursor may compute the
    /// model anew for each column.</summary>
    private sealed class BinaryRows : ScoredRows<BinaryRecord>
    {
        private readonly NumberColumn _value;
        private readonly ValueGetter<float>? _scoreBehind;

        public BinaryRows(DataViewRow row, RecordToOptions options)
            : base(row, options)
        {
            bool fromProbability = row.Schema.GetColumnOrNull(options.ProbabilityColumnName) is not null;
            _value = new NumberColumn(row, fromProbability ? options.ProbabilityColumnName : options.ScoreColumnName);
            _scoreBehind = fromProbability ? OneSingle.Getter(row, row.Schema[options.ScoreColumnName]) : null;
        }

        public override Delegate? GetterOf(int column) => column == _value.Column ? _value.Getter : null;

        public override void Read() => _value.Read();

        protected override BinaryRecord Make(ulong key)
        {
            if (_scoreBehind is null)
                return BinaryRecord.FromScore(key, _value.Value, Options.ModelVersion, default, (float)Options.KeepingProbability);
            float score = 0;
            if (_value.Value is 0 or 1)
                _scoreBehind(ref score);
            return BinaryRecord.FromProbability(key, _value.Value, score, Options.ModelVersion, default, (float)Options.KeepingProbability);
        }
    }

    private sealed class MulticlassRows : ScoredRows<MulticlassRecord>
    {
        private readonly int _column;
        private readonly ValueGetter<VBuffer<float>> _read;
        private readonly ValueGetter<VBuffer<float>> _getter;
        private VBuffer<float> _scores;
        private float[] _dense = [];

        public MulticlassRows(DataViewRow row, RecordToOptions options)
            : base(row, options)
        {
            DataViewSchema.Column column = row.Schema[options.ScoreColumnName];
            _column = column.Index;
            _read = row.GetGetter<VBuffer<float>>(column);
            _getter = (ref VBuffer<float> value) => _scores.CopyTo(ref value);
        }

        public override Delegate? GetterOf(int column) => column == _column ? _getter : null;

        public override void Read() => _read(ref _scores);

        protected override MulticlassRecord Make(ulong key)
        {
            ReadOnlySpan<float> scores = _scores.GetValues();
            if (!_scores.IsDense)
            {
                if (_dense.Length < _scores.Length)
                    _dense = new float[_scores.Length];
                _scores.CopyTo(_dense.AsSpan(0, _scores.Length));
                scores = _dense.AsSpan(0, _scores.Length);
            }

            return Options.MulticlassScores == MulticlassScores.Logits
                ? MulticlassRecord.FromLogits(key, scores, Options.ModelVersion, default, (float)Options.KeepingProbability)
                : MulticlassRecord.FromProbabilities(key, scores, Options.ModelVersion, default, (float)Options.KeepingProbability);
        }
    }

    /// <summary>A number in the current row, read once for us and, where it is a plain Single, for whoever reads the cursor.</summary>
    private sealed class NumberColumn
    {
        private readonly ValueGetter<float> _read;
        private float _value;

        public NumberColumn(DataViewRow row, string name)
        {
            DataViewSchema.Column column = row.Schema[name];
            Column = column.Index;
            _read = OneSingle.Getter(row, column);
            Getter = column.Type is VectorDataViewType ? null : (ref float value) => value = _value;
        }

        public int Column { get; }

        public float Value => _value;

        public ValueGetter<float>? Getter { get; }

        public void Read() => _read(ref _value);
    }
}

/// <summary>The rows of one cursor as records.</summary>
internal abstract class ScoredRows<TRecord>
    where TRecord : struct, IForwardRecord<TRecord>
{
    private readonly Func<ulong?> _key;

    protected ScoredRows(DataViewRow row, RecordToOptions options)
    {
        Options = options;
        _key = RowKeyColumn.Open(row, row.Schema[options.KeyColumnName], options.KeySecret);
    }

    protected RecordToOptions Options { get; }

    /// <summary>Reads the scores of the row that the cursor has moved onto.</summary>
    public abstract void Read();

    /// <summary>A getter of what was read, for a column that is read here; null for another one.</summary>
    public abstract Delegate? GetterOf(int column);

    /// <summary>The current row's record; false when it has no key.</summary>
    public bool TryMake(out TRecord record)
    {
        if (_key() is not { } key)
        {
            record = default;
            return false;
        }

        record = Make(key);
        return true;
    }

    protected abstract TRecord Make(ulong key);
}
