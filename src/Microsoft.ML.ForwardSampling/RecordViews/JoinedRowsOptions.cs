using Microsoft.ML.ForwardSampling.Records;

namespace Microsoft.ML.ForwardSampling.RecordViews;

/// <summary>Columns of a data view of joined records.</summary>
public sealed record JoinedRowsOptions
{
    /// <summary>What the model predicts, and so which statistics columns there are: margin and entropy, or the residual for a
    /// regression.</summary>
    /// <value>Default <see cref="PredictionTask.Regression"/>.</value>
    /// <exception cref="ArgumentOutOfRangeException">Not a member of the enumeration.</exception>
    public PredictionTask Task { get; init => field = Require.Defined(value, nameof(JoinedRowsOptions)); }

    /// <summary>Number of classes of a multiclass label.</summary>
    /// <value>[2, 65535]; default null: as many as <see cref="ClassNames"/> has. One of the two is needed for multiclass.</value>
    /// <exception cref="ArgumentOutOfRangeException">Outside [2, 65535].</exception>
    public int? Classes
    {
        get; init => field = value is int classes
        ? Require.InRange(classes, 2, MulticlassRecord.MaximumClasses, nameof(JoinedRowsOptions)) : null;
    }

    /// <summary>Names of the classes, from class 0: the label's key values, which MapKeyToValue and the confusion table show.</summary>
    /// <value>Default null: the keys have no values.</value>
    public IReadOnlyList<string>? ClassNames { get; init; }

    /// <summary>Name of the label's column: Single for a regression, Boolean for binary, Key&lt;UInt32, K&gt; for multiclass.</summary>
    /// <value>Default "Label".</value>
    /// <exception cref="ArgumentException">Empty.</exception>
    public string LabelColumnName { get; init => field = Require.NotEmpty(value, nameof(JoinedRowsOptions)); } = "Label";

    /// <summary>The moment against which <see cref="ForwardColumns.Age"/> is measured.</summary>
    /// <value>UTC or local; default null: when the view is made.</value>
    /// <exception cref="ArgumentException">Neither UTC nor local.</exception>
    public DateTime? Now { get; init => field = value is DateTime now ? RecordTime.Checked(now) : null; }

    internal int ClassCount => Classes ?? ClassNames?.Count ?? 0;

    /// <summary>Checks options against each other.</summary>
    /// <exception cref="ArgumentException">A multiclass label has neither a number of classes nor names, or the two disagree; the message
    /// gives both.</exception>
    internal void Validate()
    {
        if (Task == PredictionTask.Multiclass && ClassCount < 2)
            throw new ArgumentException($"{nameof(JoinedRowsOptions)}.{nameof(Classes)} must be given for {Task}, or "
                + $"{nameof(ClassNames)} of 2 classes or more. Got {ClassCount} classes.", nameof(Classes));
        if (Classes is { } classes && ClassNames is { } names && names.Count != classes)
            throw new ArgumentException($"{nameof(JoinedRowsOptions)}.{nameof(ClassNames)} must be {nameof(Classes)} names, which is "
                + $"{classes}. Got {names.Count}.", nameof(ClassNames));
    }
}
