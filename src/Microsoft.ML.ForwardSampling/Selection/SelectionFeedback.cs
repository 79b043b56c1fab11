namespace Microsoft.ML.ForwardSampling.Selection;

/// <summary>What a policy learns from while it runs, beside the windows themselves.</summary>
[Flags]
public enum SelectionFeedback
{
    /// <summary>Nothing.</summary>
    None = 0,

    /// <summary>Losses on validation data, through <see cref="RowSelector.ReportValidation"/>. Without any, the policy goes on as it
    /// started.</summary>
    ValidationLoss = 1,

    /// <summary>Losses of the rows that were trained on, through <see cref="RowSelector.ReportTraining"/>. Without them the policy has
    /// nothing to choose by.</summary>
    TrainingLoss = 2,
}
