using System.CommandLine;
using System.Globalization;
using System.Numerics;

namespace Microsoft.ML.ForwardSampling.Shared;

/// <summary>Options that take a number in a range.</summary>
internal static class NumberOption
{
    /// <summary>An option whose value is null where it is not given; another text or a number outside the range is an error that names
    /// both.</summary>
    public static Option<T?> Create<T>(string name, string description, T minimum, T maximum)
        where T : struct, INumber<T>
        => new(name)
        {
            Description = description,
            HelpName = "N",
            CustomParser = result =>
            {
                string text = result.Tokens[0].Value;
                if (T.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out T value) && value >= minimum && value <= maximum)
                    return value;
                result.AddError(string.Create(CultureInfo.InvariantCulture,
                    $"{name} must be a number between {minimum} and {maximum}. Got '{text}'."));
                return null;
            },
        };
}
