namespace Microsoft.ML.ForwardSampling.Selection;

/// <summary>Names of the columns that hold what a policy can ask for.</summary>
/// <remarks>Each option is checked when it is set; that no column has two roles, by whatever takes the names. In the trainer's own
/// selection with fresh statistics only
/// <see cref="ReferenceLoss"/> and <see cref="Group"/> are read: the trainer computes the others.</remarks>
public sealed record StatisticColumns
{
    /// <summary>Input column with the recorded loss, scalar <see cref="float"/>. Read where the policy needs it.</summary>
    /// <value>Default <see cref="ForwardColumns.Loss"/>.</value>
    /// <exception cref="ArgumentException">Null or empty.</exception>
    public string Loss { get; init => field = Require.NotEmpty(value, nameof(StatisticColumns)); } = ForwardColumns.Loss;

    /// <summary>Input column with the recorded gradient-norm bound, scalar <see cref="float"/>. Read where the policy needs it.</summary>
    /// <value>Default <see cref="ForwardColumns.GradientNorm"/>.</value>
    /// <exception cref="ArgumentException">Null or empty.</exception>
    public string GradientNorm { get; init => field = Require.NotEmpty(value, nameof(StatisticColumns)); } = ForwardColumns.GradientNorm;

    /// <summary>Input column with the recorded margin, scalar <see cref="float"/>. Read where the policy needs it.</summary>
    /// <value>Default <see cref="ForwardColumns.Margin"/>.</value>
    /// <exception cref="ArgumentException">Null or empty.</exception>
    public string Margin { get; init => field = Require.NotEmpty(value, nameof(StatisticColumns)); } = ForwardColumns.Margin;

    /// <summary>Input column with the recorded entropy, scalar <see cref="float"/>. Read where the policy needs it.</summary>
    /// <value>Default <see cref="ForwardColumns.Entropy"/>.</value>
    /// <exception cref="ArgumentException">Null or empty.</exception>
    public string Entropy { get; init => field = Require.NotEmpty(value, nameof(StatisticColumns)); } = ForwardColumns.Entropy;

    /// <summary>Input column with the loss under a reference model, scalar <see cref="float"/>. Read where the policy needs it.</summary>
    /// <value>Default <see cref="ForwardColumns.ReferenceLoss"/>.</value>
    /// <exception cref="ArgumentException">Null or empty.</exception>
    public string ReferenceLoss { get; init => field = Require.NotEmpty(value, nameof(StatisticColumns)); } = ForwardColumns.ReferenceLoss;

    /// <summary>Input column with the norm of the last hidden layer's activations, scalar <see cref="float"/>. Read where the policy needs
    /// it.</summary>
    /// <value>Default <see cref="ForwardColumns.ActivationNorm"/>.</value>
    /// <exception cref="ArgumentException">Null or empty.</exception>
    public string ActivationNorm { get; init => field = Require.NotEmpty(value, nameof(StatisticColumns)); } =
        ForwardColumns.ActivationNorm;

    /// <summary>Input column with the group of a row, Key or <see cref="bool"/>; a missing key is a group too. Read where the policy needs
    /// it.</summary>
    /// <value>Default null: the classes of the label are the groups.</value>
    /// <exception cref="ArgumentException">Empty.</exception>
    public string? Group { get; init => field = Require.NullOrNotEmpty(value, nameof(StatisticColumns)); }

    /// <summary>Each statistic's option and the column it names; not the groups, which may be another column's.</summary>
    internal IEnumerable<(string Option, string? Column)> Roles =>
        RecordedStatistic.All.Select(statistic => (statistic.Option, (string?)statistic.ColumnName(this)));
}
