using Microsoft.ML.ForwardSampling.Selection;

namespace Microsoft.ML.ForwardSampling.Networks;

/// <summary>What a finished run did, counted.</summary>
public sealed record TrainingReport
{
    /// <summary>Steps made.</summary>
    public long Steps { get; init; }

    /// <summary>Passes over the data begun.</summary>
    public int Epochs { get; init; }

    /// <summary>Rows read from the data view, over all passes that read it.</summary>
    public long RowsRead { get; init; }

    /// <summary>Rows left out because a feature, the label or the weight was missing (NaN, infinite, or key 0), over all passes that read
    /// the data view.</summary>
    public long RowsSkipped { get; init; }

    /// <summary>Rows that were kept from training to stop early by (<c>NetworkTrainerOptions.HeldOutShare</c>).</summary>
    public long HeldOutRows { get; init; }

    /// <summary>Rows that got a backward pass.</summary>
    public long BackwardRows { get; init; }

    /// <summary>Rows scored without a backward pass, to select among them or to validate.</summary>
    public long ForwardRows { get; init; }

    /// <summary>What in-training selection did; null without it.</summary>
    public SelectionReport? Selection { get; init; }

    /// <summary>Whether early stopping ended the run before its last step.</summary>
    public bool StoppedEarly { get; init; }

    /// <summary>Lowest mean loss seen over the validation data, or the rows held out; null without either.</summary>
    public float? BestValidationLoss { get; init; }

    /// <summary>Mean weighted loss of the last reported steps.</summary>
    public float FinalLoss { get; init; }

    /// <summary>Stretches at whose end weights were mixed (<c>NetworkTrainerOptions.AndersonMixing</c>).</summary>
    public int Mixes { get; init; }

    /// <summary>How many of the <see cref="Mixes"/> lowered the loss and were kept.</summary>
    public int MixesKept { get; init; }

    /// <summary>Whether the optimizer went on with the state of the previous model.</summary>
    public bool OptimizerContinued { get; init; }

    /// <summary>Whether in-training selection went on with what the same policy remembered from the previous model's training.</summary>
    public bool SelectionContinued { get; init; }

    /// <summary>Seconds reading rows.</summary>
    public double ReadSeconds { get; init; }

    /// <summary>Seconds scoring windows to select among them, and selecting.</summary>
    public double SelectSeconds { get; init; }

    /// <summary>Seconds in forward, backward and update of the steps.</summary>
    public double StepSeconds { get; init; }

    /// <summary>Seconds evaluating the validation data.</summary>
    public double ValidateSeconds { get; init; }

    /// <summary>This run, which found out how long to train, and the one on all rows after it.</summary>
    internal TrainingReport Then(TrainingReport next) => next with
    {
        Steps = Steps + next.Steps,
        Epochs = Epochs + next.Epochs,
        BackwardRows = BackwardRows + next.BackwardRows,
        ForwardRows = ForwardRows + next.ForwardRows,
        HeldOutRows = HeldOutRows,
        StoppedEarly = StoppedEarly,
        BestValidationLoss = BestValidationLoss,
        Mixes = Mixes + next.Mixes,
        MixesKept = MixesKept + next.MixesKept,
        SelectSeconds = SelectSeconds + next.SelectSeconds,
        StepSeconds = StepSeconds + next.StepSeconds,
        ValidateSeconds = ValidateSeconds + next.ValidateSeconds,
    };
}
