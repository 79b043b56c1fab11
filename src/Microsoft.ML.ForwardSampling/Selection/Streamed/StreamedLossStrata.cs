
namespace Microsoft.ML.ForwardSampling.Selection;

/// <summary>A stratum for each class and each 128th of a binade of the loss; equal steps along their order say how many rows each
/// gives.</summary>
/// <remarks>Strata are places of a hash table with open addressing, at most half full: every row of every pass looks its stratum
/// up.</remarks>
internal sealed class StreamedLossStrata(bool byClass) : StreamedStrata
{
    private const int DroppedBits = 16, KeptBits = 32 - DroppedBits;

    private ulong[] _keys = new ulong[1 << 10]; // 0: free
    private long[] _rows = new long[1 << 10];
    private int _strata;

    public override RecordStatistics Needs => byClass ? RecordStatistics.Loss | RecordStatistics.Label : RecordStatistics.Loss;

    public override int Passes => 1;

    public override void Observe(int pass, in StreamedRow row)
    {
        ulong key = KeyOf(row[RecordStatistics.Loss], row.Label);
        int place = Find(key);
        if (_keys[place] == 0)
        {
            if (2 * ++_strata > _keys.Length)
            {
                Grow();
                place = Find(key);
            }

            _keys[place] = key;
        }

        _rows[place]++;
    }

    public override void EndPass(int pass)
    {
    }

    public override int StratumOf(in StreamedRow row)
    {
        float value = row[RecordStatistics.Loss];
        int place = Find(KeyOf(value, row.Label));
        return _keys[place] != 0 ? place : throw SelectionErrors.NotRepeatable($"a row of loss {value} was not there before");
    }

    protected override (long[] Rows, long[] Wanted, float[] Weights) Share(ref RepeatableRandom random)
    {
        // Rows so far in the order of strata, r: ⌊r·b/N + u⌋ of them are taken so far, with one random u. 128 bits: r·b may be 10¹⁶ and
        // more.
        double start = random.NextDouble();
        var wanted = new long[_keys.Length];
        long before = 0, taken = 0;
        foreach (int stratum in Enumerable.Range(0, _keys.Length).Where(place => _keys[place] != 0).OrderBy(place => _keys[place]))
        {
            before += _rows[stratum];
            Int128 product = (Int128)before * Budget;
            long whole = (long)(product / Rows);
            long due = before == Rows ? Budget : whole + ((double)(long)(product % Rows) / Rows + start >= 1 ? 1 : 0);
            wanted[stratum] = due - taken;
            taken = due;
        }

        var weights = new float[_keys.Length];
        Array.Fill(weights, 1);
        return ([.. _rows], wanted, weights);
    }

    /// <summary>In the order of label, then loss; never 0.</summary>
    private static ulong KeyOf(float value, int label) =>
        ((ulong)(uint)(label ^ int.MinValue) << KeptBits | ExtremeRows.KeyOf(value, 0) >> DroppedBits) + 1;

    /// <summary>Where the key is, or the free place where it belongs.</summary>
    private int Find(ulong key)
    {
        // Fibonacci hashing (Knuth, The Art of Computer Programming 3, 6.4): neighbouring losses lie far apart.
        ulong[] keys = _keys;
        int place = (int)(key * 0x9E3779B97F4A7C15 >> 32) & keys.Length - 1;
        while (keys[place] != key && keys[place] != 0)
            place = place + 1 & keys.Length - 1;
        return place;
    }

    private void Grow()
    {
        (ulong[] keys, long[] rows) = (_keys, _rows);
        _keys = new ulong[2 * keys.Length];
        _rows = new long[2 * keys.Length];
        for (int i = 0; i < keys.Length; i++)
        {
            if (keys[i] == 0)
                continue;
            int place = Find(keys[i]);
            (_keys[place], _rows[place]) = (keys[i], rows[i]);
        }
    }
}
