
namespace Microsoft.ML.ForwardSampling.Selection;

/// <summary>One stratum.</summary>
internal sealed class StreamedUniform : StreamedStrata
{
    public override RecordStatistics Needs => RecordStatistics.None;

    public override int Passes => 0;

    public override void Observe(int pass, in StreamedRow row)
    {
    }

    public override void EndPass(int pass)
    {
    }

    public override int StratumOf(in StreamedRow row) => 0;

    protected override (long[] Rows, long[] Wanted, float[] Weights) Share(ref RepeatableRandom random) => ([Rows], [Budget], [1]);
}
