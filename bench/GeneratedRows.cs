using Microsoft.ML.Data;
using Microsoft.ML.ForwardSampling.Selection;

namespace Microsoft.ML.ForwardSampling.Benchmarks;

/// <summary>Recorded rows made on the fly, the same in every pass, so that no disk and no parser is measured: key label, loss, gradient
/// norm and features.</summary>
/// <remarks>Row i copies one of 65,536 statistics and one of 4,096 feature vectors that were made before, chosen by a hash of i: the
/// features' source is 12 MB at width 784.</remarks>
internal sealed class GeneratedRows : IDataView
{
    private const int Statistics = 1 << 16, Vectors = 1 << 12;

    private readonly long _count;
    private readonly int _width;
    private readonly float[] _loss = new float[Statistics];
    private readonly float[] _norm = new float[Statistics];
    private readonly uint[] _label = new uint[Statistics];
    private readonly float[] _features;

    public GeneratedRows(long count, int width)
    {
        _count = count;
        _width = width;
        _features = new float[Vectors * width];
        var random = new RepeatableRandom(3);
        for (int i = 0; i < Statistics; i++)
        {
            double miss = Math.Pow(random.NextDouble(), 2);
            _loss[i] = (float)-Math.Log(1 - 0.999999 * miss);
            _norm[i] = (float)(1.2 * miss);
            _label[i] = 1 + (uint)random.NextInt(10);
        }

        for (int i = 0; i < _features.Length; i++)
            _features[i] = (float)random.NextDouble();
        var builder = new DataViewSchema.Builder();
        builder.AddColumn("Label", new KeyDataViewType(typeof(uint), 10));
        builder.AddColumn(ForwardColumns.Loss, NumberDataViewType.Single);
        builder.AddColumn(ForwardColumns.GradientNorm, NumberDataViewType.Single);
        builder.AddColumn("Features", new VectorDataViewType(NumberDataViewType.Single, Math.Max(1, width)));
        Schema = builder.ToSchema();
    }

    public DataViewSchema Schema { get; }

    public bool CanShuffle => false;

    public long? GetRowCount() => _count;

    public DataViewRowCursor GetRowCursor(IEnumerable<DataViewSchema.Column> columnsNeeded, Random? rand = null)
        => new Cursor(this, [.. columnsNeeded.Select(column => column.Index)]);

    public DataViewRowCursor[] GetRowCursorSet(IEnumerable<DataViewSchema.Column> columnsNeeded, int n, Random? rand = null) =>
        [GetRowCursor(columnsNeeded)];

    private sealed class Cursor(GeneratedRows rows, HashSet<int> active) : DataViewRowCursor
    {
        private long _position = -1;
        private uint _hash;

        public override DataViewSchema Schema => rows.Schema;

        public override long Position => _position;

        public override long Batch => 0;

        public override bool MoveNext()
        {
            if (_position + 1 >= rows._count)
                return false;
            _position++;
            _hash = (uint)((ulong)(_position + 1) * 0x9E3779B97F4A7C15 >> 32);
            return true;
        }

        public override bool IsColumnActive(DataViewSchema.Column column) => active.Contains(column.Index);

        public override ValueGetter<TValue> GetGetter<TValue>(DataViewSchema.Column column)
        {
            Delegate getter = column.Index switch
            {
                0 => (ValueGetter<uint>)((ref uint value) => value = rows._label[_hash >> 16]),
                1 => (ValueGetter<float>)((ref float value) => value = rows._loss[_hash >> 16]),
                2 => (ValueGetter<float>)((ref float value) => value = rows._norm[_hash >> 16]),
                _ => (ValueGetter<VBuffer<float>>)Features,
            };
            return (ValueGetter<TValue>)getter;
        }

        public override ValueGetter<DataViewRowId> GetIdGetter() => (ref DataViewRowId value) =>
            value = new DataViewRowId((ulong)_position, 0);

        private void Features(ref VBuffer<float> value)
        {
            VBufferEditor<float> editor = VBufferEditor.Create(ref value, rows._width);
            rows._features.AsSpan((int)(_hash >> 20) * rows._width, rows._width).CopyTo(editor.Values);
            value = editor.Commit();
        }
    }
}
