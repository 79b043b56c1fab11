namespace Microsoft.ML.ForwardSampling.Selection;

/// <summary>A stratum for each class and each 128th of a binade of the loss; equal steps along their order say how many rows each gives.</summary>
internal sealed class StreamedLossStrata : StreamedStrata
{
    private const int DroppedBits = 16;

    private readonly Dictionary<(int Label, uint Loss), int> _index = [];
    private readonly List<long> _rows = [];

    public override int Passes => 1;

    public override void Observe(int pass, float value, int label)
    {
        (int, uint) key = (label, ExtremeRows.KeyOf(value, 0) >> DroppedBits);
        if (!_index.TryGetValue(key, out int stratum))
        {
            _index.Add(key, stratum = _rows.Count);
            _rows.Add(0);
        }

        _rows[stratum]++;
    }

    public override void EndPass(int pass)
    {
    }

    public override int StratumOf(float value, int label)
        => _index.TryGetValue((label, ExtremeRows.KeyOf(value, 0) >> DroppedBits), out int stratum)
            ? stratum
            : throw SelectionErrors.NotRepeatable($"a row of loss {value} was not there before");

    protected override (long[] Rows, long[] Wanted, float[] Weights) Share(ref SelectionRandom random)
    {
        // Rows so far in the order of strata, r: ⌊r·b/N + u⌋ of them are taken so far, with one random u. 128 bits: r·b may be 10¹⁶ and more.
        double start = random.NextDouble();
        var wanted = new long[_rows.Count];
        long before = 0, taken = 0;
        foreach ((_, int stratum) in _index.OrderBy(pair => pair.Key).Select(pair => (pair.Key, pair.Value)))
        {
            before += _rows[stratum];
            Int128 product = (Int128)before * Budget;
            long whole = (long)(product / Rows);
            long due = before == Rows ? Budget : whole + ((double)(long)(product % Rows) / Rows + start >= 1 ? 1 : 0);
            wanted[stratum] = due - taken;
            taken = due;
        }

        var weights = new float[_rows.Count];
        Array.Fill(weights, 1);
        return ([.. _rows], wanted, weights);
    }
}
