namespace Microsoft.ML.ForwardSampling.Networks;

/// <summary>How far a run is.</summary>
/// <param name="Epoch">Pass over the data that is under way or has just ended, from 1.</param>
/// <param name="Step">Steps made.</param>
/// <param name="TotalSteps">Steps the run will make if nothing ends it early.</param>
/// <param name="BackwardRows">Rows that got a backward pass.</param>
/// <param name="ForwardRows">Rows scored without a backward pass, to select among them or to validate.</param>
/// <param name="MeanLoss">Mean weighted loss of the steps since the last report; NaN before the first step.</param>
/// <param name="ValidationLoss">Mean loss over the validation data, at the reports that follow an evaluation; otherwise null.</param>
/// <param name="LearningRate">Learning rate of the last step, schedule included.</param>
/// <param name="Elapsed">Time since training began.</param>
public sealed record TrainingProgress(
    int Epoch, long Step, long TotalSteps, long BackwardRows, long ForwardRows, float MeanLoss, float? ValidationLoss, float LearningRate,
        TimeSpan Elapsed);
