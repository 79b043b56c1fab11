using Microsoft.ML.ForwardSampling.GroupTesting;

namespace Microsoft.ML.ForwardSampling;

public sealed partial class ForwardSamplingCatalog
{
    /// <summary>Trains a network that scores M rows in one pass, rules out groups without a positive row and tests the members of the
    /// others: fewer passes where positive rows are rare (arXiv 2011.10704).</summary>
    /// <remarks><see cref="GroupTestingPlan.For"/> says which M and schedule pay, and what to expect.</remarks>
    /// <param name="options">Network, merge design, schedule, thresholds and columns; null: all defaults.</param>
    /// <returns>An estimator whose transformer adds Score, Probability, PredictedLabel and <see cref="ForwardColumns.Tests"/>.</returns>
    /// <exception cref="ArgumentException">Options contradict each other.</exception>
    /// <example><code>
    /// var model = mlContext.ForwardSampling().GroupTesting(new GroupTestingOptions { Schedule = GroupSchedule.TwoRounds(8),
    ///     WantedRecall = 0.99 }).Fit(train, validation);
    /// IDataView scored = model.Transform(rows);
    /// Console.WriteLine($"{model.Report.TestsPerRow:F2} tests a row, {model.Report.Cost:P0} of the multiply-adds");
    /// </code></example>
    public GroupTestingEstimator GroupTesting(GroupTestingOptions? options = null) => new(Environment, options ?? new());
}
