
namespace Microsoft.ML.ForwardSampling.Selection;

/// <summary>Above the cut all, at the cut as many as are left to take, below none. Two passes find the cut: the upper half of its bits,
/// then the lower.</summary>
internal sealed class StreamedExtremes(bool largest) : StreamedStrata
{
    private readonly uint _direction = largest ? 0 : uint.MaxValue;
    private long[] _counts = new long[1 << 16];
    private long _missing;      // of the budget, at or below the digit that is looked for
    private uint _cut;          // its upper half after the first pass

    public override RecordStatistics Needs => RecordStatistics.Loss;

    public override int Passes => 2;

    public override void Observe(int pass, in StreamedRow row)
    {
        uint key = ExtremeRows.KeyOf(row[RecordStatistics.Loss], _direction);
        if (pass == 0)
            _counts[key >> 16]++;
        else if (key >> 16 == _cut)
            _counts[key & 0xFFFF]++;
    }

    public override void EndPass(int pass)
    {
        if (pass == 0)
            _missing = Budget;
        uint digit = (uint)_counts.Length - 1;
        for (; _counts[digit] < _missing; digit--)
            _missing -= _counts[digit];
        _cut = _cut << 16 | digit;
        if (pass == 0)
            Array.Clear(_counts);
        else
            _counts = [_counts[digit]];
    }

    public override int StratumOf(in StreamedRow row)
    {
        uint key = ExtremeRows.KeyOf(row[RecordStatistics.Loss], _direction);
        return key > _cut ? 2 : key == _cut ? 1 : 0;
    }

    protected override (long[] Rows, long[] Wanted, float[] Weights) Share(ref RepeatableRandom random)
    {
        long above = Budget - _missing, tied = _counts[0];
        return ([Rows - above - tied, tied, above], [0, _missing, above], [1, 1, 1]);
    }
}
