using System.Globalization;

namespace Microsoft.ML.ForwardSampling.Tests;

/// <summary>Cultures that write numbers and dates unlike English, also where the machine knows no cultures.</summary>
internal static class ForeignCulture
{
    /// <summary>The culture of a name, or one with a comma, a sign before a sign and other digits made by hand.</summary>
    /// <param name="name">As .NET names it; empty: the invariant one.</param>
    public static CultureInfo Get(string name)
    {
        try
        {
            return CultureInfo.GetCultureInfo(name);
        }
        catch (CultureNotFoundException)
        {
            var made = (CultureInfo)CultureInfo.InvariantCulture.Clone();
            made.NumberFormat.NumberDecimalSeparator = made.NumberFormat.PercentDecimalSeparator = ",";
            made.NumberFormat.NumberGroupSeparator = ".";
            made.NumberFormat.NegativeSign = "\u200E-";
            made.NumberFormat.NaNSymbol = "NZ";
            made.NumberFormat.NativeDigits = ["\u0660", "\u0661", "\u0662", "\u0663", "\u0664", "\u0665", "\u0666", "\u0667", "\u0668",
                "\u0669"];
            made.DateTimeFormat.DateSeparator = "\u066B";
            made.DateTimeFormat.TimeSeparator = ".";
            made.DateTimeFormat.ShortDatePattern = "dd/MM/yy";
            return made;
        }
    }
}
