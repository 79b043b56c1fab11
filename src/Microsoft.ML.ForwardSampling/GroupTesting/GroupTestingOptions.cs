using Microsoft.ML.ForwardSampling.DataViews;
using Microsoft.ML.ForwardSampling.Networks;

namespace Microsoft.ML.ForwardSampling.GroupTesting;

/// <summary>How a group network is built and trained, and how rows are tested; every value has a default and is checked when it is
/// set.</summary>
public sealed record GroupTestingOptions
{
    /// <summary>The label column: Boolean, true for the rare class.</summary>
    /// <value>Default "Label".</value>
    /// <exception cref="ArgumentException">Empty.</exception>
    public string LabelColumnName { get; init => field = Require.NotEmpty(value, nameof(GroupTestingOptions)); } = "Label";

    /// <summary>The feature column: a vector of Single of known size.</summary>
    /// <value>Default "Features".</value>
    /// <exception cref="ArgumentException">Empty.</exception>
    public string FeatureColumnName { get; init => field = Require.NotEmpty(value, nameof(GroupTestingOptions)); } = "Features";

    /// <summary>Name of the column that tells what a row cost.</summary>
    /// <value>Default <see cref="ForwardColumns.Tests"/>.</value>
    /// <exception cref="ArgumentException">Empty.</exception>
    public string TestsColumnName { get; init => field = Require.NotEmpty(value, nameof(GroupTestingOptions)); } = ForwardColumns.Tests;

    /// <summary>Units of each layer in front of the merge.</summary>
    /// <value>1 to 64 layers of [1, 1048576] units; default [64].</value>
    /// <exception cref="ArgumentOutOfRangeException">Outside the range.</exception>
    public IReadOnlyList<int> StemLayers { get; init => field = Layers(value, 1, nameof(StemLayers)); } = [64];

    /// <summary>Units of each layer between the merge of pairs and that of groups; used by <see cref="GroupMerge.Tree"/> only.</summary>
    /// <value>1 to 64 layers of [1, 1048576] units; default [64].</value>
    /// <exception cref="ArgumentOutOfRangeException">Outside the range.</exception>
    public IReadOnlyList<int> PairLayers { get; init => field = Layers(value, 1, nameof(PairLayers)); } = [64];

    /// <summary>Units of each hidden layer behind the merge; one more layer gives the logit.</summary>
    /// <value>At most 64 layers of [1, 1048576] units; default [256, 256].</value>
    /// <exception cref="ArgumentOutOfRangeException">Outside the range.</exception>
    public IReadOnlyList<int> BodyLayers { get; init => field = Layers(value, 0, nameof(BodyLayers)); } = [256, 256];

    /// <summary>The function after each layer but the last.</summary>
    /// <value>Default <see cref="Activation.ReLU"/>.</value>
    /// <exception cref="ArgumentOutOfRangeException">Not one of the named values.</exception>
    public Activation Activation { get; init => field = Require.Defined(value, nameof(GroupTestingOptions)); }

    /// <summary>Builds the user's own modules instead of the layers above, which are then not used.</summary>
    /// <remarks>Their initial weights follow torch's global generator. Features enter them as they come. Loading such a model takes the
    /// same factory: <c>fs.Load(path, out schema, groupModules: factory)</c>.</remarks>
    /// <value>Default null.</value>
    public GroupModuleFactory? Modules { get; init; }

    /// <summary>Where the rows of a group become one.</summary>
    /// <value>Default <see cref="GroupMerge.Features"/>.</value>
    /// <exception cref="ArgumentOutOfRangeException">Not one of the named values.</exception>
    public GroupMerge Merge { get; init => field = Require.Defined(value, nameof(GroupTestingOptions)); } = GroupMerge.Features;

    /// <summary>Which groups are tested. <see cref="GroupTestingPlan.For"/> says which pays.</summary>
    /// <value>Default: groups of 8, then each member of a positive one.</value>
    /// <exception cref="ArgumentNullException">Null.</exception>
    public GroupSchedule Schedule { get; init => field = Require.NotNull(value, nameof(GroupTestingOptions)); } =
        GroupSchedule.TwoRounds(8);

    /// <summary>The logit above which a test is positive, for each round.</summary>
    /// <value>Finite, one a round; null (the default): 0 each, unless <see cref="WantedRecall"/> chooses them.</value>
    /// <exception cref="ArgumentOutOfRangeException">Not finite.</exception>
    public IReadOnlyList<float>? Thresholds
    {
        get;
        init => field = value is null ? null : [.. value.Select((threshold, round) => Require.InRange(threshold, float.MinValue,
            float.MaxValue, nameof(GroupTestingOptions), $"{nameof(Thresholds)}[{round}]"))];
    }

    /// <summary>Share of the validation data's positive rows that must be found; Fit then chooses thresholds that find them
    /// with few tests, and with no more false positives than one test a row where that can be had.</summary>
    /// <value>(0, 1], or null (the default). Needs <c>Fit(data, validationData)</c>.</value>
    /// <exception cref="ArgumentOutOfRangeException">Outside the range, or NaN.</exception>
    public double? WantedRecall
    {
        get;
        init => field = value is { } recall ? Require.InRange(recall, 0d, 1d, nameof(GroupTestingOptions), minInclusive: false) : null;
    }

    /// <summary>Share of positive rows where the model will score; Probability is made with it.</summary>
    /// <value>(0, 1), or null (the default): that of the training data.</value>
    /// <exception cref="ArgumentOutOfRangeException">Outside the range, or NaN.</exception>
    public double? Prevalence
    {
        get;
        init => field = value is { } share ? Require.InRange(share, 0d, 1d, nameof(GroupTestingOptions), minInclusive: false,
            maxInclusive: false) : null;
    }

    /// <summary>How gradients become updates.</summary>
    /// <value>Default <see cref="AdamOptions"/>.</value>
    /// <exception cref="ArgumentNullException">Null.</exception>
    public OptimizerOptions Optimizer { get; init => field = Require.NotNull(value, nameof(GroupTestingOptions)); } = new AdamOptions();

    /// <summary>How the learning rate changes over the run.</summary>
    /// <value>Default <see cref="LearningRateSchedule.Constant"/>.</value>
    /// <exception cref="ArgumentNullException">Null.</exception>
    public LearningRateSchedule LearningRateSchedule { get; init => field = Require.NotNull(value, nameof(GroupTestingOptions)); } =
        LearningRateSchedule.Constant;

    /// <summary>Groups of one step, half of them with a positive member.</summary>
    /// <value>[2, 65536] groups; default 64.</value>
    /// <exception cref="ArgumentOutOfRangeException">Outside the range.</exception>
    public int BatchSize { get; init => field = Require.InRange(value, 2, 1 << 16, nameof(GroupTestingOptions)); } = 64;

    /// <summary>Steps of training; the sizes of the schedule's groups take turns, one a step.</summary>
    /// <value>[1, 100000000]; default 2,000.</value>
    /// <exception cref="ArgumentOutOfRangeException">Outside the range.</exception>
    public int Steps { get; init => field = Require.InRange(value, 1, 100_000_000, nameof(GroupTestingOptions)); } = 2_000;

    /// <summary>Seed of the initial weights and of the groups.</summary>
    /// <value>Null (the default): drawn from the MLContext when the estimator is made.</value>
    public int? Seed { get; init; }

    /// <summary>Threads of torch while it trains; its own number is put back at the end. Null: as many as torch uses.</summary>
    /// <value>[1, 1024], or null; default 1.</value>
    /// <exception cref="ArgumentOutOfRangeException">Outside the range.</exception>
    public int? Threads
    {
        get;
        init => field = value is { } threads ? Require.InRange(threads, 1, 1024, nameof(GroupTestingOptions)) : null;
    } = 1;

    /// <summary>Ends training between two steps with an <see cref="OperationCanceledException"/>.</summary>
    public CancellationToken CancellationToken { get; init; }

    /// <summary>Checks what only pairs of options can say.</summary>
    /// <exception cref="ArgumentException">Two options contradict each other.</exception>
    internal void Validate()
    {
        const string Owner = nameof(GroupTestingOptions);
        ColumnRoles.RequireDifferent([($"{Owner}.{nameof(LabelColumnName)}", LabelColumnName),
            ($"{Owner}.{nameof(FeatureColumnName)}", FeatureColumnName)]);
        if (Thresholds is not null && WantedRecall is not null)
            throw new ArgumentException($"{Owner}.{nameof(Thresholds)} and {nameof(WantedRecall)} are both given: thresholds are either "
                + $"given or chosen.", nameof(WantedRecall));
        if (Thresholds is { } thresholds)
            CheckThresholds(Schedule, thresholds, nameof(Thresholds));
    }

    /// <summary>Requires one threshold a round.</summary>
    internal static void CheckThresholds(GroupSchedule schedule, IReadOnlyList<float> thresholds, string parameter)
    {
        if (thresholds.Count != schedule.Rounds)
            throw new ArgumentException($"There must be one threshold for each of the {schedule.Rounds} rounds of {schedule}. Got "
                + $"{thresholds.Count}.", parameter);
    }

    private static int[] Layers(IReadOnlyList<int> value, int least, string option)
    {
        ArgumentNullException.ThrowIfNull(value, option);
        Require.InRange(value.Count, least, 64, nameof(GroupTestingOptions), $"{option}.Count");
        return [.. value.Select((units, layer) => Require.InRange(units, 1, 1 << 20, nameof(GroupTestingOptions), $"{option}[{layer}]"))];
    }
}
