using System.Runtime.CompilerServices;

namespace Microsoft.ML.ForwardSampling.Selection;

/// <summary>From when on a row's record is too old to say what it says, and what happens to such a row.</summary>
/// <remarks>Each option is checked when it is set. Without a limit, the default, no column is read.</remarks>
public sealed record RecordLimits
{
    /// <summary>Age from which a row's record is old: <see cref="OldRecords"/> says what happens to it. A record whose age is not known
    /// (NaN) is older than any.</summary>
    /// <value>> 0; default null: age does not count, and its column is not read.</value>
    /// <exception cref="ArgumentOutOfRangeException">0 or negative.</exception>
    public TimeSpan? MaximumAge { get; init => field = NullOrPositive(value); }

    /// <summary>Version of a model below which a row's record is old: <see cref="OldRecords"/> says what happens to it.</summary>
    /// <value>Any version; default null: the version does not count, and its column is not read.</value>
    public ulong? MinimumModelVersion { get; init; }

    /// <summary>What happens to a row whose record is older than <see cref="MaximumAge"/> or of a model before
    /// <see cref="MinimumModelVersion"/>.</summary>
    /// <value>Default <see cref="Selection.OldRecords.Exclude"/>.</value>
    /// <exception cref="ArgumentOutOfRangeException">Not a declared value.</exception>
    public OldRecords OldRecords { get; init => field = Require.Defined(value, nameof(RecordLimits)); }

    /// <summary>Age beyond <see cref="MaximumAge"/> at which a discounted record says half of what a young one says.</summary>
    /// <value>> 0; default null: <see cref="MaximumAge"/>, so that a record of twice that age says half.</value>
    /// <exception cref="ArgumentOutOfRangeException">0 or negative.</exception>
    public TimeSpan? HalfLife { get; init => field = NullOrPositive(value); }

    /// <summary>Input column with the age of a row's record, scalar <see cref="float"/>, seconds. Read only where <see cref="MaximumAge"/>
    /// is set.</summary>
    /// <value>Default <see cref="ForwardColumns.Age"/>.</value>
    /// <exception cref="ArgumentException">Null or empty.</exception>
    public string AgeColumnName { get; init => field = Require.NotEmpty(value, nameof(RecordLimits)); } = ForwardColumns.Age;

    /// <summary>Input column with the version of the model that scored the row, scalar <see cref="ulong"/>. Read only where
    /// <see cref="MinimumModelVersion"/> is set.</summary>
    /// <value>Default <see cref="ForwardColumns.ModelVersion"/>.</value>
    /// <exception cref="ArgumentException">Null or empty.</exception>
    public string ModelVersionColumnName { get; init => field = Require.NotEmpty(value, nameof(RecordLimits)); } =
        ForwardColumns.ModelVersion;

    /// <summary>Whether any row's record can be old.</summary>
    internal bool AreSet => MaximumAge is not null || MinimumModelVersion is not null;

    /// <summary>The options that name columns, and the columns.</summary>
    internal IEnumerable<(string Option, string? Column)> Roles
        => [($"{nameof(RecordLimits)}.{nameof(AgeColumnName)}", AgeColumnName),
            ($"{nameof(RecordLimits)}.{nameof(ModelVersionColumnName)}", ModelVersionColumnName)];

    private static TimeSpan? NullOrPositive(TimeSpan? value, [CallerMemberName] string option = "")
        => value is null || value > TimeSpan.Zero ? value
            : throw new ArgumentOutOfRangeException(option, value, $"{nameof(RecordLimits)}.{option} must be greater than 0.");
}
