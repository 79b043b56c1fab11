using Microsoft.ML.Data;

namespace Microsoft.ML.ForwardSampling.Tests.LowMemory;

/// <summary>Generated clicks on hashed slots, the same for the same seed: each row is 1 in about 50 of the slots, in memory as
/// indices.</summary>
/// <remarks>40 fields of 10 to 10⁶ values, drawn with chance ~ 1/value, and 10 crosses of two, hashed together. A slot has a true
/// coefficient of s.d. 0.25; "Label" is drawn from the log-odds −2 + Σ, "Number" is 100 + 3·(log-odds + noise of s.d. 0.5).</remarks>
internal sealed class ClickStream : IDataView
{
    private const int Fields = 40, Crosses = 10;

    private readonly int[][] _rows;
    private readonly bool[] _clicked;
    private readonly float[] _number;
    private readonly float[] _ones;
    private readonly int _slots;

    public ClickStream(int rows, int slots = 1 << 20, int seed = 1)
        : this(new int[rows][], new bool[rows], slots, Fields + Crosses)
    {
        var random = new RepeatableRandom(seed);
        Span<int> values = stackalloc int[Fields];
        for (int row = 0; row < rows; row++)
        {
            var hashed = new SortedSet<int>();
            for (int field = 0; field < Fields; field++)
            {
                values[field] = (int)Math.Exp(random.NextDouble() * Math.Log(Math.Pow(10, 1 + field % 6)));
                hashed.Add(Slot(field, values[field]));
            }

            for (int cross = 0; cross < Crosses; cross++)
                hashed.Add(Slot(Fields + cross, values[cross] * 1_000_003 + values[cross + 12]));
            _rows[row] = [.. hashed];
            double logOdds = -2 + hashed.Sum(Coefficient);
            _clicked[row] = random.NextDouble() < 1 / (1 + Math.Exp(-logOdds));
            _number[row] = (float)(100 + 3 * (logOdds + Math.Sqrt(3) * (random.NextDouble() - 0.5)));
        }
    }

    /// <summary>Rows from elsewhere; "Number" is 0.</summary>
    /// <param name="rows">The slots of each row, ascending.</param>
    /// <param name="clicked">The labels.</param>
    /// <param name="slots">Width.</param>
    /// <param name="longest">Slots of a row at most.</param>
    public ClickStream(int[][] rows, bool[] clicked, int slots, int longest)
    {
        _slots = slots;
        _rows = rows;
        _clicked = clicked;
        _number = new float[rows.Length];
        _ones = [.. Enumerable.Repeat(1f, longest)];
        var builder = new DataViewSchema.Builder();
        builder.AddColumn("Label", BooleanDataViewType.Instance);
        builder.AddColumn("Features", new VectorDataViewType(NumberDataViewType.Single, slots));
        builder.AddColumn("Number", NumberDataViewType.Single);
        Schema = builder.ToSchema();
    }

    public DataViewSchema Schema { get; }

    public bool CanShuffle => false;

    public IReadOnlyList<int[]> Rows => _rows;

    public bool[] Clicked => _clicked;

    public ReadOnlySpan<float> ValuesOf(int row) => _ones.AsSpan(0, _rows[row].Length);

    public long? GetRowCount() => _rows.Length;

    public DataViewRowCursor GetRowCursor(IEnumerable<DataViewSchema.Column> columnsNeeded, Random? rand = null)
        => new Cursor(this, [.. columnsNeeded.Select(column => column.Index)]);

    public DataViewRowCursor[] GetRowCursorSet(IEnumerable<DataViewSchema.Column> columnsNeeded, int n, Random? rand = null)
        => [GetRowCursor(columnsNeeded)];

    /// <summary>A well-mixed number of 64 bits.</summary>
    public static ulong Hash(ulong value)
    {
        value = (value ^ (value >> 30)) * 0xBF58476D1CE4E5B9;
        value = (value ^ (value >> 27)) * 0x94D049BB133111EB;
        return value ^ (value >> 31);
    }

    /// <summary>S.d. 0.25: the sum of four uniform numbers less its mean, times √3/4.</summary>
    private static double Coefficient(int slot)
    {
        ulong bits = Hash((ulong)slot + 0x9E3779B97F4A7C15);
        double sum = 0;
        for (int i = 0; i < 4; i++)
            sum += ((bits >> (16 * i)) & 0xffff) / 65536.0;
        return (sum - 2) * Math.Sqrt(3) / 4;
    }

    private int Slot(int field, long value) => (int)(Hash(((ulong)field << 48) ^ (ulong)value) % (ulong)_slots);

    private sealed class Cursor(ClickStream clicks, HashSet<int> active) : DataViewRowCursor
    {
        private int _position = -1;
        private int _next;

        public override DataViewSchema Schema => clicks.Schema;

        public override long Position => _position;

        public override long Batch => 0;

        public override bool MoveNext()
        {
            if (_next < clicks._rows.Length)
            {
                _position = _next++;
                return true;
            }

            _position = -1;
            return false;
        }

        public override bool IsColumnActive(DataViewSchema.Column column) => active.Contains(column.Index);

        public override ValueGetter<TValue> GetGetter<TValue>(DataViewSchema.Column column)
        {
            Delegate getter = column.Index switch
            {
                0 => (ValueGetter<bool>)((ref bool value) => value = clicks._clicked[_position]),
                1 => (ValueGetter<VBuffer<float>>)Features,
                _ => (ValueGetter<float>)((ref float value) => value = clicks._number[_position]),
            };
            return (ValueGetter<TValue>)getter;
        }

        public override ValueGetter<DataViewRowId> GetIdGetter() => (ref DataViewRowId value) =>
            value = new DataViewRowId((ulong)_position, 0);

        private void Features(ref VBuffer<float> value)
        {
            int[] row = clicks._rows[_position];
            VBufferEditor<float> editor = VBufferEditor.Create(ref value, clicks._slots, row.Length);
            row.CopyTo(editor.Indices);
            clicks._ones.AsSpan(0, row.Length).CopyTo(editor.Values);
            value = editor.Commit();
        }
    }
}
