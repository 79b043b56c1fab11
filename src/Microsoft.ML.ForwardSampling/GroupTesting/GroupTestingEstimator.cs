using Microsoft.ML.Data;
using Microsoft.ML.ForwardSampling.DataViews;
using Microsoft.ML.ForwardSampling.Networks;
using Microsoft.ML.ForwardSampling.Selection;
using Microsoft.ML.Runtime;
using TorchSharp;
using static TorchSharp.torch;

namespace Microsoft.ML.ForwardSampling.GroupTesting;

/// <summary>Trains a network that scores groups of rows in one pass, for a class that is rare; made by
/// <c>mlContext.ForwardSampling().GroupTesting(options)</c>.</summary>
/// <remarks>
/// <para>Source: Neural Group Testing to Accelerate Deep Learning, arXiv 2011.10704. Guide: docs/group-testing.md.</para>
/// <para>Label column Boolean; output columns <c>Score</c> (Single), <c>Probability</c> (Single), <c>PredictedLabel</c> (Boolean) and
/// <see cref="ForwardColumns.Tests"/> (Single). The rows are read into memory. Rows with a missing feature are skipped and counted. One
/// seed, one order of rows and one thread give the same model again.</para>
/// </remarks>
public sealed class GroupTestingEstimator : IEstimator<GroupTestingTransformer>
{
    private const int RowsPerBlock = 1024;

    private readonly IHost _host;
    private readonly int _seed;

    internal GroupTestingEstimator(IHostEnvironment environment, GroupTestingOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        options.Validate();
        Options = options;
        _host = environment.Register("ForwardSampling.GroupTesting");
        _seed = options.Seed ?? _host.Rand.Next();
    }

    /// <summary>The options the estimator was made with.</summary>
    public GroupTestingOptions Options { get; }

    /// <summary>The columns the trained transformer adds.</summary>
    /// <param name="inputSchema">Shape of the data.</param>
    /// <returns>The input's columns and the output columns.</returns>
    /// <exception cref="ArgumentOutOfRangeException">A column is missing or of another type.</exception>
    public SchemaShape GetOutputSchema(SchemaShape inputSchema)
    {
        ArgumentNullException.ThrowIfNull(inputSchema);
        SchemaShape scored = PrivateContext.Instance.BinaryClassification.Trainers
            .SdcaLogisticRegression(Options.LabelColumnName, Options.FeatureColumnName).GetOutputSchema(inputSchema);
        return Shapes.Append(scored, Shapes.Of([GroupColumns.Tests(Options.TestsColumnName)]));
    }

    /// <summary>Trains a network.</summary>
    /// <param name="input">Training data.</param>
    /// <returns>The trained network as a transformer; dispose it when it is no longer used.</returns>
    /// <inheritdoc cref="Fit(IDataView, IDataView)" path="/exception"/>
    public GroupTestingTransformer Fit(IDataView input) => FitBoth(input, null);

    /// <summary>Trains a network and chooses the thresholds on validation data.</summary>
    /// <param name="input">Training data.</param>
    /// <param name="validationData">Data with the same columns, with as many positive rows a hundred as where the model will score and in
    /// an order like there: groups are formed of neighbours. Used where <see cref="GroupTestingOptions.WantedRecall"/> is set.</param>
    /// <returns>The trained network as a transformer; dispose it when it is no longer used.</returns>
    /// <exception cref="ArgumentOutOfRangeException">A column is missing or of another type.</exception>
    /// <exception cref="ArgumentException"><see cref="GroupTestingOptions.WantedRecall"/> without validation data, or validation data of
    /// another size.</exception>
    /// <exception cref="InvalidOperationException">One class has no usable row, the rows do not fit into memory, or the loss is no longer
    /// finite.</exception>
    /// <exception cref="DllNotFoundException">The native torch library is missing; the message names the package.</exception>
    /// <exception cref="OperationCanceledException">The options' token was cancelled.</exception>
    public GroupTestingTransformer Fit(IDataView input, IDataView validationData)
    {
        ArgumentNullException.ThrowIfNull(validationData);
        return FitBoth(input, validationData);
    }

    private GroupTestingTransformer FitBoth(IDataView input, IDataView? validationData)
    {
        ArgumentNullException.ThrowIfNull(input);
        if (Options.WantedRecall is not null && validationData is null)
            throw new ArgumentException($"{nameof(GroupTestingOptions)}.{nameof(GroupTestingOptions.WantedRecall)} needs validation data: "
                + $"call Fit(data, validationData).", nameof(validationData));
        TrainingColumns columns = Bind(input.Schema);
        TrainingColumns? validationColumns = validationData is null ? null : Bind(validationData.Schema);
        if (validationColumns is not null && validationColumns.FeatureCount != columns.FeatureCount)
            throw new ArgumentException($"Feature column '{Options.FeatureColumnName}' of the validation data is "
                + $"{validationColumns.Features.Type}, that of the training data {columns.Features.Type}.", nameof(validationData));
        CheckSizes(columns.FeatureCount);
        TorchRuntime.GetDevice("cpu");

        using IChannel channel = _host.Start("Fit");
        using var settings = new TorchSettings(Options.Threads);
        using DisposeScope scope = NewDisposeScope();
        GroupNetwork network = CreateNetwork(columns.FeatureCount);
        try
        {
            GroupTrainingReport report = Train(network, input, columns, channel);
            network.Freeze();
            double prevalence = Options.Prevalence ?? report.Prevalence;
            if (GroupTestingPlan.WarningAt(prevalence) is { } warning)
                channel.Warning(MessageSensitivity.None, warning);
            float[] thresholds = Options.Thresholds is { } given ? [.. given] : new float[Options.Schedule.Rounds];
            if (Options.WantedRecall is { } recall)
            {
                (thresholds, double found) = ChooseThresholds(network, validationData!, validationColumns!, recall);
                report = report with { ValidationRecall = found };
            }

            return new GroupTestingTransformer(network, new GroupColumns(Options.FeatureColumnName, Options.LabelColumnName,
                Options.TestsColumnName), Options.Schedule, thresholds, prevalence)
            { Training = report };
        }
        catch (Exception e)
        {
            network.Dispose();
            WorkerExceptions.ThrowIfCancelled(e);
            throw;
        }
    }

    private GroupNetwork CreateNetwork(int features)
        => Options.Modules is { } factory ? GroupNetwork.Of(Options.Merge, features, factory)
            : GroupNetwork.Build(Options.Merge, features, new GroupArchitecture([.. Options.StemLayers],
                Options.Merge == GroupMerge.Tree ? [.. Options.PairLayers] : [], [.. Options.BodyLayers], Options.Activation), _seed);

    private GroupTrainingReport Train(GroupNetwork network, IDataView input, TrainingColumns columns, IChannel channel)
    {
        var feed = new RowFeed(input, columns, long.MaxValue);
        RowPool pool = Read(feed);
        Standardization standardization = Standardization.None;
        if (network.Architecture is not null)
        {
            var statistics = new ScaleStatistics(columns.FeatureCount, columns.FeatureCount);
            statistics.Add(pool, features: true, label: false);
            standardization = statistics.ToStandardization(features: true);
            pool.Standardize(standardization);
        }

        using var run = new GroupTrainingRun(Options, network, pool, _seed);
        GroupTrainingReport report = run.Train() with { RowsRead = feed.RowsRead, RowsSkipped = feed.RowsSkipped };
        Fold(standardization, network.Stem);
        if (report.RowsSkipped > 0)
            channel.Warning(MessageSensitivity.None, "{0} of {1} rows were skipped: a feature was missing.", report.RowsSkipped,
                report.RowsRead);
        channel.Info(MessageSensitivity.None, "{0} steps on groups, final loss {1:G4}; {2} of {3} rows are positive.", report.Steps,
            report.FinalLoss, report.PositiveRows, report.RowsRead - report.RowsSkipped);
        return report;
    }

    private RowPool Read(RowFeed feed)
    {
        RowPool pool = feed.Parts(Options.CancellationToken).FirstOrDefault()
            ?? throw new InvalidOperationException($"The data have no usable row: {feed.RowsRead} were read and {feed.RowsSkipped} of them "
                + $"miss a feature.");
        return pool.Count < pool.MaximumRows ? pool
            : throw new InvalidOperationException($"At most {pool.MaximumRows - 1} rows of {pool.FeatureCount} features can be held.");
    }

    /// <summary>Takes the scale of training, x = (features − m)/s, into the first layer: W/s, with bias b − W·(m/s).</summary>
    private static void Fold(Standardization standardization, NetworkPart stem)
    {
        if (!standardization.ChangesFeatures)
            return;
        using IDisposable noGrad = no_grad();
        Dictionary<string, Tensor> weights = stem.Weights;
        string layer = MultilayerPerceptron.LayerName(0);
        Span<float> weight = Optimizer.Floats(weights[$"{layer}.weight"]), bias = Optimizer.Floats(weights[$"{layer}.bias"]);
        int inputs = standardization.FeatureMeans.Length;
        for (int unit = 0; unit < bias.Length; unit++)
        {
            double shift = 0;
            for (int i = 0; i < inputs; i++)
            {
                double changed = (double)weight[(unit * inputs) + i] / standardization.FeatureDeviations[i];
                shift += changed * standardization.FeatureMeans[i];
                weight[(unit * inputs) + i] = (float)changed;
            }

            bias[unit] = (float)(bias[unit] - shift);
        }
    }

    private (float[] Thresholds, double Recall) ChooseThresholds(GroupNetwork network, IDataView data, TrainingColumns columns,
        double recall)
    {
        RowPool pool = Read(new RowFeed(data, columns, long.MaxValue));
        bool[] labels = [.. pool.Labels.Take(pool.Count).Select(label => label > 0f)];
        if (!labels.Contains(true))
            throw new InvalidOperationException($"The validation data have no positive row in column '{Options.LabelColumnName}': "
                + $"thresholds for a recall cannot be chosen.");
        IEnumerable<GroupSchedule> rounds = Options.Schedule.IsTwoGroupings ? [Options.Schedule]
            : Options.Schedule.GroupSizes.Select(GroupSchedule.OneRound);
        return GroupThresholds.Choose([.. rounds.Select(round => Logits(network, pool, round))], labels, Options.Schedule.GroupSizes,
            recall);
    }

    /// <summary>For each row, the logit of the group in which it is in one round; of two groupings the lesser.</summary>
    private static float[] Logits(GroupNetwork network, RowPool pool, GroupSchedule round)
    {
        int block = Math.Max(1, RowsPerBlock / round.Unit) * round.Unit;
        var tester = new GroupTester(network, round, new float[1], prevalence: 0.5, block);
        var logits = new float[pool.Count];
        for (int start = 0; start < pool.Count; start += block)
        {
            int count = Math.Min(block, pool.Count - start);
            for (int row = 0; row < count; row++)
                pool.Features.AsSpan((start + row) * pool.FeatureCount, pool.FeatureCount).CopyTo(tester.Features(row));
            tester.Score(count);
            tester.Scores.AsSpan(0, count).CopyTo(logits.AsSpan(start));
        }

        return logits;
    }

    /// <summary>Checks the columns as ML.NET's own trainer would.</summary>
    private TrainingColumns Bind(DataViewSchema schema)
    {
        GetOutputSchema(Shapes.Of(schema));
        return new TrainingColumns(schema[Options.FeatureColumnName], schema[Options.LabelColumnName], null, SelectionColumns.None);
    }

    /// <summary>What one tensor holds has a limit: 2^29 Singles are two gigabytes.</summary>
    private void CheckSizes(int features)
    {
        const long Most = 1L << 29;
        long elements = (long)Options.BatchSize * Options.Schedule.GroupSizes[0] * features;
        if (elements > Most)
            throw new ArgumentException($"{nameof(GroupTestingOptions)}: {nameof(GroupTestingOptions.BatchSize)} x group size x features "
                + $"must be at most {Most} elements. Got {Options.BatchSize} x {Options.Schedule.GroupSizes[0]} x {features} = "
                + $"{elements}.", "input");
    }
}
