namespace Microsoft.ML.ForwardSampling.Tool.Compare;

/// <summary>A network on its way, tested, and what it took to get there.</summary>
/// <param name="Values">The experiment's figures.</param>
/// <param name="BackwardRows">Rows that got a backward pass.</param>
/// <param name="RecordedRows">Rows whose serving forward pass was recorded.</param>
/// <param name="ForwardRows">Rows scored for the sake of training only.</param>
/// <param name="Steps">Updates of the weights.</param>
/// <param name="RecordSeconds">Scoring and writing the statistics of the recorded rows.</param>
/// <param name="SelectSeconds">Choosing rows; with statistics computed at selection, scoring them too, and with reference losses, training
/// and scoring for them.</param>
/// <param name="TrainSeconds">The rest of training.</param>
internal sealed record ComparePoint(
    IReadOnlyList<double> Values, long BackwardRows, long RecordedRows, long ForwardRows, long Steps, double RecordSeconds,
        double SelectSeconds, double TrainSeconds)
{
    /// <summary>All stages together.</summary>
    public double Seconds => RecordSeconds + SelectSeconds + TrainSeconds;
}

/// <summary>What a policy chose, over a run.</summary>
/// <param name="ByLoss">Share of the rows chosen in each tenth of the windows' losses, the lowest first; null where no loss was
/// recorded.</param>
/// <param name="ByClass">Share of the rows chosen in each class; empty for a regression.</param>
/// <param name="Weights">Share of the chosen rows in each bin of <see cref="SelectionProfile.WeightBins"/>.</param>
internal sealed record SelectionShape(IReadOnlyList<double>? ByLoss, IReadOnlyList<double> ByClass, IReadOnlyList<double> Weights);

/// <summary>One training at one seed.</summary>
/// <param name="Arm">Its name.</param>
/// <param name="Seed">From 1.</param>
/// <param name="Curve">Tested networks, the last one last; empty when it failed.</param>
/// <param name="Selection">What was chosen; null where the trainer itself chose, or nothing was chosen.</param>
/// <param name="Failure">Why it could not be finished, or null.</param>
/// <param name="Setting">How its rows became steps; null: as the experiment says. Files written before there was a choice lack it.</param>
internal sealed record CompareRun(string Arm, int Seed, IReadOnlyList<ComparePoint> Curve, SelectionShape? Selection, string? Failure,
    CompareSetting? Setting = null)
{
    /// <summary>Rows that were chosen and passed over in the last chunk; null in files of earlier versions, at seeds above 1, and where
    /// there is nothing to show.</summary>
    public SelectionExamples? Examples { get; init; }
}
