using Microsoft.ML.ForwardSampling.Records;

namespace Microsoft.ML.ForwardSampling.RecordViews;

/// <summary>How statistics are joined onto a data view of rows.</summary>
public sealed record AttachRecordsOptions
{
    /// <summary>What the model predicts, and so which statistics columns are added: margin and entropy, or the residual for a
    /// regression.</summary>
    /// <value>Default <see cref="PredictionTask.Regression"/>.</value>
    /// <exception cref="ArgumentOutOfRangeException">Not a member of the enumeration.</exception>
    public PredictionTask Task { get; init => field = Require.Defined(value, nameof(AttachRecordsOptions)); }

    /// <summary>What happens to a row without a record.</summary>
    /// <value>Default <see cref="RowsWithoutRecord.Drop"/>.</value>
    /// <exception cref="ArgumentOutOfRangeException">Not a member of the enumeration.</exception>
    public RowsWithoutRecord Missing { get; init => field = Require.Defined(value, nameof(AttachRecordsOptions)); }

    /// <summary>Secret with which keys that are texts are hashed, by
    /// <see cref="RecordKey.FromString(ReadOnlySpan{char}, ReadOnlySpan{byte})"/>: for personal names, whose keys could otherwise be found
    /// by hashing a list of names. Records, labels and rows need the same one.</summary>
    /// <value>Default empty: keys are hashed without a secret. Else 16 bytes or more.</value>
    /// <exception cref="ArgumentException">1 to 15 bytes.</exception>
    public ReadOnlyMemory<byte> KeySecret
    { get; init => field = RowKeyColumn.CheckedSecret(value, nameof(AttachRecordsOptions) + ".", nameof(KeySecret)); }

    /// <summary>The moment against which <see cref="ForwardColumns.Age"/> is measured.</summary>
    /// <value>UTC or local; default null: when the view is made.</value>
    /// <exception cref="ArgumentException">Neither UTC nor local.</exception>
    public DateTime? Now { get; init => field = value is DateTime now ? RecordTime.Checked(now) : null; }
}
