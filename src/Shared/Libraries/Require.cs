using System.Globalization;
using System.Numerics;
using System.Runtime.CompilerServices;

namespace Microsoft.ML.ForwardSampling;

/// <summary>The one place that checks options: it returns the value, or throws with the option's name, the allowed range and the
/// value.</summary>
/// <remarks>Written for <c>init => field = Require.InRange(value, 0f, 1f, nameof(Owner))</c>, so that <c>with</c> cannot make a bad record
/// either. NaN is never in a range.</remarks>
internal static class Require
{
    public static readonly TimeSpan Millisecond = TimeSpan.FromMilliseconds(1);
    public static readonly TimeSpan Second = TimeSpan.FromSeconds(1);
    public static readonly TimeSpan Hour = TimeSpan.FromHours(1);

    /// <summary>Requires min ≤ value ≤ max; either bound can be made exclusive.</summary>
    public static T InRange<T>(
        T value,
        T min,
        T max,
        string owner,
        [CallerMemberName] string option = "",
        bool minInclusive = true,
        bool maxInclusive = true)
        where T : struct, INumber<T>
    {
        bool aboveMin = minInclusive ? value >= min : value > min;
        bool belowMax = maxInclusive ? value <= max : value < max;
        if (!(aboveMin && belowMax))
            throw OutOfRange(value, option, string.Create(
                CultureInfo.InvariantCulture,
                $"{owner}.{option} must be in {(minInclusive ? '[' : '(')}{min}, {max}{(maxInclusive ? ']' : ')')}."));
        return value;
    }

    /// <summary>Requires the range of what the value is rounded to where it is used: of an option whose arithmetic is in Single, so that
    /// 1 − 10⁻⁹ is not below 1, nor 10⁻⁶⁰ above 0.</summary>
    public static double SingleInRange(
        double value,
        float min,
        float max,
        string owner,
        [CallerMemberName] string option = "",
        bool minInclusive = true,
        bool maxInclusive = true)
    {
        InRange((float)value, min, max, owner, option, minInclusive, maxInclusive);
        return value;
    }

    /// <summary>Requires min ≤ value ≤ max.</summary>
    public static TimeSpan InRange(TimeSpan value, TimeSpan min, TimeSpan max, string owner, [CallerMemberName] string option = "")
        => value >= min && value <= max
            ? value
            : throw OutOfRange(value, option, $"{owner}.{option} must be in [{min:c}, {max:c}].");

    /// <summary>Requires value ≥ min, and finite.</summary>
    public static T AtLeast<T>(T value, T min, string owner, [CallerMemberName] string option = "")
        where T : struct, INumber<T>
    {
        if (!(value >= min && T.IsFinite(value)))
            throw OutOfRange(value, option,
                string.Create(CultureInfo.InvariantCulture, $"{owner}.{option} must be at least {min}{AndFinite<T>()}."));
        return value;
    }

    /// <summary>Requires value > 0, and finite.</summary>
    public static T Positive<T>(T value, string owner, [CallerMemberName] string option = "")
        where T : struct, INumber<T>
    {
        if (!(value > T.Zero && T.IsFinite(value)))
            throw OutOfRange(value, option, $"{owner}.{option} must be greater than 0{AndFinite<T>()}.");
        return value;
    }

    /// <summary>Requires a declared member of the enumeration; the message lists them.</summary>
    public static T Defined<T>(T value, string owner, [CallerMemberName] string option = "")
        where T : struct, Enum
    {
        if (!Enum.IsDefined(value))
            throw OutOfRange(value, option, $"{owner}.{option} must be one of {string.Join(", ", Enum.GetNames<T>())}.");
        return value;
    }

    /// <summary>Requires a name of at least one character that is not white space.</summary>
    public static string NotEmpty(string? value, string owner, [CallerMemberName] string option = "")
    {
        if (string.IsNullOrWhiteSpace(value))
            throw new ArgumentException($"{owner}.{option} must be a name that is not empty. Got "
                + $"{(value is null ? "null" : $"'{value}'")}.", option);
        return value;
    }

    /// <summary>Requires null (which then has a documented meaning) or a name as <see cref="NotEmpty"/> does.</summary>
    public static string? NullOrNotEmpty(string? value, string owner, [CallerMemberName] string option = "")
        => value is null ? null : NotEmpty(value, owner, option);

    /// <summary>Requires an object.</summary>
    public static T NotNull<T>(T? value, string owner, [CallerMemberName] string option = "")
        where T : class
        => value ?? throw new ArgumentNullException(option, $"{owner}.{option} must not be null.");

    private static string AndFinite<T>()
        where T : struct, INumber<T>
        => typeof(T) == typeof(float) || typeof(T) == typeof(double) ? " and finite" : "";

    private static ArgumentOutOfRangeException OutOfRange(object value, string option, string message)
        => new(option, value, message);
}
