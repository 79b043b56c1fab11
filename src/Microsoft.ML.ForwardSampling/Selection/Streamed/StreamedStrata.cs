
namespace Microsoft.ML.ForwardSampling.Selection;

/// <summary>Rules that cut the rows into strata and draw a whole number of rows from each, every subset of a stratum alike.</summary>
internal abstract class StreamedStrata : StreamedPlan
{
    /// <summary>Stratum of a row, counted from 0.</summary>
    public abstract int StratumOf(in StreamedRow row);

    /// <summary>Rows in each stratum, rows to take of each (sum b), and the weight of a row of each.</summary>
    protected abstract (long[] Rows, long[] Wanted, float[] Weights) Share(ref RepeatableRandom random);

    public sealed override StreamedDraw Start(RepeatableRandom random)
    {
        (long[] rows, long[] wanted, float[] weights) = Share(ref random);
        return new Draw(this, rows, wanted, weights, random);
    }

    /// <summary>Selection sampling (Knuth, The Art of Computer Programming 2, 3.4.2, algorithm S) in each stratum.</summary>
    private sealed class Draw(StreamedStrata plan, long[] left, long[] wanted, float[] weights, RepeatableRandom random) : StreamedDraw
    {
        private RepeatableRandom _random = random;

        public override bool Take(in StreamedRow row, out float weight)
        {
            int stratum = plan.StratumOf(in row);
            long rows = left[stratum]--, want = wanted[stratum];
            bool take = want > 0 && (want >= rows || _random.NextDouble() * rows < want);
            wanted[stratum] -= take ? 1 : 0;
            weight = weights[stratum];
            return take;
        }
    }
}
