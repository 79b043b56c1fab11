
namespace Microsoft.ML.ForwardSampling.Selection;

/// <summary>Two strata: at least the mean, and below.</summary>
internal sealed class StreamedInfoBatch(InfoBatchPolicy policy) : StreamedStrata
{
    private double _mean;
    private long _below;

    public override RecordStatistics Needs => RecordStatistics.Loss;

    public override int Passes => 1;

    public override void Observe(int pass, in StreamedRow row) => _below += StratumOf(in row);

    public override void EndPass(int pass)
    {
    }

    public override int StratumOf(in StreamedRow row) => row[RecordStatistics.Loss] < _mean ? 1 : 0;

    protected override void EndFirstPass() => _mean = Mean(RecordStatistics.Loss);

    protected override (long[] Rows, long[] Wanted, float[] Weights) Share(ref RepeatableRandom random)
    {
        long above = Rows - _below;
        (double chanceAbove, double chanceBelow) = policy.Chances(above, _below, Budget);
        long fromAbove = Math.Clamp((long)(above * chanceAbove + random.NextDouble()), Math.Max(0, Budget - _below),
            Math.Min(above, Budget));
        double even = (double)Budget / Rows;
        return ([above, _below], [fromAbove, Budget - fromAbove], [(float)(even / chanceAbove), (float)(even / chanceBelow)]);
    }
}
