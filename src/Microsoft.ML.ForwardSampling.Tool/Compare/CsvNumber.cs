using System.Globalization;

namespace Microsoft.ML.ForwardSampling.Tool.Compare;

/// <summary>What a number is written with, besides digits, a sign, a decimal point and an exponent.</summary>
[Flags]
internal enum NumberTraits
{
    /// <summary>Nothing.</summary>
    None = 0,

    /// <summary>Groups of thousands.</summary>
    Thousands = 1,

    /// <summary>A decimal comma.</summary>
    DecimalComma = 2,

    /// <summary>A currency.</summary>
    Currency = 4,

    /// <summary>A percent sign.</summary>
    Percent = 8,

    /// <summary>A minus that is no hyphen, or stands behind.</summary>
    OtherMinus = 16,

    /// <summary>Brackets for a minus.</summary>
    Brackets = 32,

    /// <summary>Digits of another script, or of double width.</summary>
    OtherDigits = 64,
}

/// <summary>Numbers as people and spreadsheets write them.</summary>
internal static class CsvNumber
{
    private static readonly string[] s_currencies = ["USD", "EUR", "GBP", "CHF", "JPY", "CNY", "INR", "AUD", "CAD", "SEK", "NOK", "DKK",
        "PLN", "CZK", "kr"];

    /// <summary>Reads a number.</summary>
    /// <param name="field">The text, without spaces around it.</param>
    /// <param name="point">What stands before the decimals: point or comma; the other one groups thousands.</param>
    /// <param name="value">The number; a percentage as it stands: 50 for 50 %.</param>
    /// <param name="traits">What it is written with.</param>
    /// <param name="currency">Its currency, or empty.</param>
    /// <returns>False for another text, and for what a 32-bit float cannot hold.</returns>
    public static bool TryRead(string field, char point, out double value, out NumberTraits traits, out string currency)
    {
        traits = NumberTraits.None;
        currency = "";
        if (field.AsSpan().IndexOfAnyExcept("0123456789.+-eE") < 0 && (point == '.' || !field.Contains('.')) && TryParse(field, out value))
            return true;

        value = 0;
        if (InAsciiDigits(field, point) is { } ascii)
        {
            bool isRead = TryRead(ascii, point, out value, out traits, out currency);
            traits |= NumberTraits.OtherDigits;
            return isRead;
        }

        ReadOnlySpan<char> rest = field.AsSpan().Trim();
        bool isNegative = false, hasSign = false;
        if (rest is ['(', .., ')'])
        {
            rest = rest[1..^1].Trim();
            (isNegative, hasSign) = (true, true);
            traits |= NumberTraits.Brackets;
        }

        while (rest.Length > 0 && !char.IsAsciiDigit(rest[0]) && rest[0] != point)
        {
            if ((rest[0] is '-' or '+' || IsOtherMinus(rest[0])) && !hasSign)
            {
                (isNegative, hasSign) = (rest[0] != '+', true);
                traits |= IsOtherMinus(rest[0]) ? NumberTraits.OtherMinus : 0;
                rest = rest[1..].TrimStart();
            }
            else if (currency.Length == 0 && Currency(rest, atEnd: false) is { Length: > 0 } before)
            {
                currency = before;
                rest = rest[before.Length..].TrimStart();
            }
            else
            {
                return false;
            }
        }

        while (rest.Length > 0 && !char.IsAsciiDigit(rest[^1]) && rest[^1] != point)
        {
            if (rest[^1] == '%' && !traits.HasFlag(NumberTraits.Percent))
            {
                traits |= NumberTraits.Percent;
                rest = rest[..^1].TrimEnd();
            }
            else if ((rest[^1] == '-' || IsOtherMinus(rest[^1])) && !hasSign)
            {
                (isNegative, hasSign) = (true, true);
                traits |= NumberTraits.OtherMinus;
                rest = rest[..^1].TrimEnd();
            }
            else if (currency.Length == 0 && Currency(rest, atEnd: true) is { Length: > 0 } after)
            {
                currency = after;
                rest = rest[..^after.Length].TrimEnd();
            }
            else
            {
                return false;
            }
        }

        traits |= currency.Length > 0 ? NumberTraits.Currency : 0;
        Span<char> digits = rest.Length <= 64 ? stackalloc char[rest.Length] : new char[rest.Length];
        if (!TryUngroup(rest, point, digits, out int length, ref traits) || !TryParse(digits[..length], out value))
            return false;
        value = isNegative ? -value : value;
        return true;
    }

    /// <summary>What a set of traits means, for a note.</summary>
    public static string Describe(NumberTraits traits) => string.Join(", ", Enum.GetValues<NumberTraits>()
        .Where(trait => trait != NumberTraits.None && traits.HasFlag(trait)).Select(trait => trait switch
        {
            NumberTraits.Thousands => "groups of thousands",
            NumberTraits.DecimalComma => "decimal commas",
            NumberTraits.Currency => "a currency",
            NumberTraits.Percent => "percent signs (50 % is 50)",
            NumberTraits.OtherMinus => "a minus that is no hyphen or stands behind",
            NumberTraits.Brackets => "brackets for a minus",
            _ => "digits of another script",
        }));

    /// <summary>The same number in ASCII: digits of every script, signs of double width, and the Arabic signs before decimals and between
    /// groups; null: its digits are those of ASCII.</summary>
    private static string? InAsciiDigits(string field, char point)
    {
        return !field.Any(IsOther) ? null : string.Concat(field.Select(c => c switch
        {
            '\u066B' => point,
            '\u066C' => point == '.' ? ',' : '.',
            >= '\uFF01' and <= '\uFF5E' => (char)(c - 0xFEE0),
            _ => IsOther(c) ? (char)('0' + CharUnicodeInfo.GetDecimalDigitValue(c)) : c,
        }));

        static bool IsOther(char c) => c > '\u007F' && char.IsDigit(c);
    }

    private static bool TryParse(ReadOnlySpan<char> digits, out double value)
        => double.TryParse(digits, NumberStyles.Float, CultureInfo.InvariantCulture, out value) && float.IsFinite((float)value);

    // The minus sign, and the figure and en dashes that writing programs make of a hyphen.
    private static bool IsOtherMinus(char c) => c is '\u2212' or '\u2012' or '\u2013';

    private static string Currency(ReadOnlySpan<char> text, bool atEnd)
    {
        char end = atEnd ? text[^1] : text[0];
        if (char.GetUnicodeCategory(end) == UnicodeCategory.CurrencySymbol)
            return end.ToString();
        foreach (string code in s_currencies)
        {
            if (atEnd ? text.EndsWith(code, StringComparison.Ordinal) : text.StartsWith(code, StringComparison.Ordinal))
                return code;
        }

        return "";
    }

    /// <summary>Leaves out what groups thousands, and writes a point before the decimals.</summary>
    private static bool TryUngroup(ReadOnlySpan<char> text, char point, Span<char> digits, out int length, ref NumberTraits traits)
    {
        length = 0;
        char group = '\0';
        int inGroup = 0, groups = 0;
        bool hasPoint = false;
        for (int i = 0; i < text.Length; i++)
        {
            char c = text[i];
            if (char.IsAsciiDigit(c))
            {
                inGroup++;
                digits[length++] = c;
            }
            else if (c == point && !hasPoint && (groups == 0 || inGroup == 3))
            {
                hasPoint = true;
                traits |= c == ',' ? NumberTraits.DecimalComma : 0;
                digits[length++] = '.';
            }
            else if (!hasPoint && IsGroup(c, point) && (group == '\0' || group == c))
            {
                // 1,234,567; in India 12,34,567. A zero begins no group: 0,500 is a decimal comma.
                if (groups == 0 ? inGroup is < 1 or > 3 || text[0] == '0' : inGroup is not (2 or 3))
                    return false;
                (group, inGroup) = (c, 0);
                groups++;
            }
            else if (c is 'e' or 'E' && groups == 0 && length > 0 && i + 1 < text.Length)
            {
                text[i..].CopyTo(digits[length..]);
                length += text.Length - i;
                return true;
            }
            else
            {
                return false;
            }
        }

        if (groups == 0)
            return length > 0;
        traits |= NumberTraits.Thousands;
        return hasPoint || inGroup == 3;
    }

    // Spaces of every kind, apostrophes of both.
    private static bool IsGroup(char c, char point)
        => (c is ',' or '.' && c != point) || c is '\'' or '\u2019' || char.GetUnicodeCategory(c) == UnicodeCategory.SpaceSeparator;
}
