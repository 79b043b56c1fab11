namespace Microsoft.ML.ForwardSampling.GroupTesting;

/// <summary>Adds up what all cursors of a transformer counted. Thread-safe.</summary>
internal sealed class GroupCounters(GroupNetwork network, int rounds)
{
    private readonly Lock _lock = new();
    private readonly GroupTestingCounts _total = new(rounds);

    public GroupTestingReport Report
    {
        get
        {
            lock (_lock)
            {
                return new GroupTestingReport
                {
                    RowsScored = _total.Rows,
                    RowsWithoutScore = _total.Unscored,
                    TestsByRound = [.. _total.Tests],
                    PositivesByRound = [.. _total.Positives],
                    StemPasses = _total.StemPasses,
                    PairPasses = _total.PairPasses,
                    MergedValues = _total.MergedValues,
                    MultiplyAdds = _total.StemPasses * network.Stem.MultiplyAdds
                        + _total.PairPasses * (network.Pairs?.MultiplyAdds ?? 0) + _total.Tests.Sum() * network.Body.MultiplyAdds,
                    IndividualMultiplyAdds = _total.Rows * network.IndividualMultiplyAdds,
                };
            }
        }
    }

    public void Add(GroupTestingCounts counts)
    {
        lock (_lock)
        {
            _total.Rows += counts.Rows;
            _total.Unscored += counts.Unscored;
            _total.StemPasses += counts.StemPasses;
            _total.PairPasses += counts.PairPasses;
            _total.MergedValues += counts.MergedValues;
            for (int round = 0; round < rounds; round++)
            {
                _total.Tests[round] += counts.Tests[round];
                _total.Positives[round] += counts.Positives[round];
            }
        }
    }
}
