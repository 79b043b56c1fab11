namespace Microsoft.ML.ForwardSampling.Selection;

/// <summary>Statistics of a recorded row that a policy can ask for.</summary>
[Flags]
public enum RecordStatistics
{
    /// <summary>None: the policy looks at no statistic.</summary>
    None = 0,

    /// <summary>Recorded loss, column <see cref="ForwardColumns.Loss"/>.</summary>
    Loss = 1,

    /// <summary>Recorded gradient-norm bound, column <see cref="ForwardColumns.GradientNorm"/>.</summary>
    GradientNorm = 2,

    /// <summary>Recorded margin, column <see cref="ForwardColumns.Margin"/>.</summary>
    Margin = 4,

    /// <summary>Recorded entropy, column <see cref="ForwardColumns.Entropy"/>.</summary>
    Entropy = 8,

    /// <summary>Class of the row. Read where rows have classes; in a window without them (regression) the policy does without.</summary>
    Label = 16,

    /// <summary>Loss under a reference model, column <see cref="ForwardColumns.ReferenceLoss"/>.</summary>
    ReferenceLoss = 32,

    /// <summary>Group of the row, column <see cref="StatisticColumns.Group"/>; where that names none, the row's class.</summary>
    Group = 64,

    /// <summary>Features of the row. Only who trains the network can give them: its own selection, or a <see cref="RowSelector"/>'s
    /// caller.</summary>
    Features = 128,

    /// <summary>Norm of the last hidden layer's activations, column <see cref="ForwardColumns.ActivationNorm"/>. Only networks of this
    /// library give it.</summary>
    ActivationNorm = 256,
}
