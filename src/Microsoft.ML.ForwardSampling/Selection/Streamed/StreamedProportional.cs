
namespace Microsoft.ML.ForwardSampling.Selection;

/// <summary>p = min(1, c·((1−e)·size/Σsize + e/N)) with Σp = b, and one systematic draw in the order of the stream.</summary>
/// <remarks>
/// The rows with p = 1 are those of at least a certain size. Two passes find it exactly: sizes are counted by the upper half of their bits,
/// then those that share the upper half of the cut by the lower half, where one count is one value. What the others sum to is added up from
/// the smallest size on: taken from the total, it would be rounding alone where the largest sizes are 10¹⁶ times the others.
/// </remarks>
internal sealed class StreamedProportional(double evenShare) : StreamedPlan
{
    private const int LowBits = 15, Buckets = 1 << 16; // of the 31 bits of a float that is not negative

    private readonly float[] _least = new float[Buckets];
    private readonly double[] _sums = new double[Buckets];
    private long[] _counts = new long[Buckets];
    private double _total;
    private int _cutBucket;
    private double _belowBucket;                    // _rest of the rows in buckets below that one
    private long _certain;                          // rows of p = 1
    private double _rest;                           // Σ ((1−e)·size/Σsize + e/N) over the others
    private float _cut = float.PositiveInfinity;    // the least size of p = 1
    private double _slope;
    private double _floor;

    public override RecordStatistics Needs => RecordStatistics.GradientNorm;

    public override int Passes => 2;

    public override void Observe(int pass, in StreamedRow row)
    {
        float size = Math.Max(row[RecordStatistics.GradientNorm], 0f);
        int bits = BitConverter.SingleToInt32Bits(size), bucket = bits >> LowBits;
        if (pass == 0)
        {
            _least[bucket] = _counts[bucket]++ == 0 ? size : Math.Min(_least[bucket], size);
            _sums[bucket] += size;
        }
        else if (bucket == _cutBucket)
        {
            _counts[bits & ((1 << LowBits) - 1)]++;
        }
    }

    public override void EndPass(int pass)
    {
        if (pass == 0)
        {
            foreach (double sum in _sums)
                _total += sum;
            var below = new double[Buckets + 1];
            for (int bucket = 0; bucket < Buckets; bucket++)
                below[bucket + 1] = below[bucket] + Part(_sums[bucket], _counts[bucket]);
            for (_cutBucket = Buckets - 1; _cutBucket > 0; _cutBucket--)
            {
                // Capping is a matter of the sizes in descending order: when the bucket's least row is certain, all of them are.
                if (_counts[_cutBucket] > 0 && !TryCap(_counts[_cutBucket], _least[_cutBucket], below[_cutBucket]))
                    break;
            }

            _belowBucket = below[_cutBucket];
            _counts = new long[1 << LowBits];
            return;
        }

        var belowSize = new double[_counts.Length + 1];
        belowSize[0] = _belowBucket;
        for (int low = 0; low < _counts.Length; low++)
            belowSize[low + 1] = belowSize[low] + Part(_counts[low] * (double)SizeAt(low), _counts[low]);
        for (int low = _counts.Length - 1; low >= 0; low--)
        {
            _rest = belowSize[low + 1];
            if (_counts[low] > 0 && (SizeAt(low) == 0 || !TryCap(_counts[low], SizeAt(low), belowSize[low])))
                break;
            _rest = belowSize[low];
        }

        if (_total == 0 || Budget == Rows)
            (_slope, _floor, _cut, _certain) = (0, (double)Budget / Rows, float.PositiveInfinity, 0);
        else if (_certain == Budget)
            (_slope, _floor) = (0, 0);
        else if (_rest == 0)
            // fewer than b positive sizes: the zeros share what is left
            (_slope, _floor) = (0, (double)(Budget - _certain) / (Rows - _certain));
        else
            (_slope, _floor) = ((Budget - _certain) / _rest * (1 - evenShare) / _total, (Budget - _certain) / _rest * evenShare / Rows);
        _counts = [];
    }

    public override StreamedDraw Start(RepeatableRandom random) => new Draw(this, random.NextDouble());

    private double Chance(float value)
    {
        float size = Math.Max(value, 0f);
        return size >= _cut ? 1 : Math.Min(1, _slope * size + _floor);
    }

    private double Part(double size, long count) => _total == 0 ? 0 : (1 - evenShare) * size / _total + evenShare / Rows * count;

    private float SizeAt(int low) => BitConverter.Int32BitsToSingle(_cutBucket << LowBits | low);

    /// <summary>Makes rows certain if the least of them is, with `below` the sum of the smaller ones.</summary>
    private bool TryCap(long count, float least, double below)
    {
        double part = Part(least, 1);
        if (_certain + count > Budget || part * (Budget - _certain - count + 1) < below + part)
            return false;
        _certain += count;
        _cut = least;
        return true;
    }

    /// <summary>A step of 1 along the chances, rows of chance 1 aside; the count of rows still to come keeps rounding from losing
    /// one.</summary>
    private sealed class Draw(StreamedProportional plan, double offset) : StreamedDraw
    {
        private readonly double _even = (double)plan.Budget / plan.Rows;
        private long _rowsLeft = plan.Rows;
        private long _certainLeft = plan._certain;
        private long _othersLeft = plan.Budget - plan._certain;
        private double _position;
        private double _next = offset;

        public override bool Take(in StreamedRow row, out float weight)
        {
            float value = row[RecordStatistics.GradientNorm];
            double chance = plan.Chance(value);
            _rowsLeft--;
            if (Math.Max(value, 0f) >= plan._cut)
            {
                _certainLeft--;
                weight = (float)_even;
                return true;
            }

            _position += chance;
            bool take = _othersLeft > 0 && ((_position > _next && chance > 0) || _rowsLeft - _certainLeft < _othersLeft);
            if (take)
            {
                _othersLeft--;
                _next++;
            }

            weight = chance > 0 ? (float)(_even / chance) : 1;
            return take;
        }
    }
}
