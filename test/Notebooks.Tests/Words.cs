using System.Globalization;

namespace Microsoft.ML.ForwardSampling.Notebooks.Tests;

/// <summary>What a notebook shows, word by word.</summary>
internal static class Words
{
    // Another processor sums in another order: the last digits of a trained network's figures differ, its findings do not.
    private const double Relative = 0.02;

    /// <summary>Fails unless both have the same words, numbers within 2 % or one in their last printed place.</summary>
    public static void AssertAgree(IEnumerable<string> stored, IEnumerable<string> run)
    {
        string[] expected = [.. stored], got = [.. run];
        int differs = Enumerable.Range(0, Math.Min(expected.Length, got.Length)).FirstOrDefault(i => !Agree(expected[i], got[i]), -1);
        if (differs < 0 && expected.Length == got.Length)
            return;
        int at = differs < 0 ? Math.Min(expected.Length, got.Length) : differs;
        Assert.Fail($"The notebook's stored outputs and this run differ from word {at} on: './build.sh notebooks' stores anew.\n"
            + $"Stored: … {Around(expected, at)}\nRun:    … {Around(got, at)}");
    }

    /// <summary>Whether two words are the same, or numbers that are close.</summary>
    public static bool Agree(string stored, string run)
    {
        if (stored == run)
            return true;
        if (!TryNumber(stored, out double one) || !TryNumber(run, out double other))
            return false;
        int decimals = stored.TrimEnd('.', ',').Reverse().TakeWhile(char.IsAsciiDigit).Count();
        double unit = stored.Contains('.', StringComparison.Ordinal) ? Math.Pow(10, -decimals) : 0;
        return Math.Abs(one - other) <= Math.Max(1.001 * unit, Relative * Math.Abs(one));
    }

    private static bool TryNumber(string word, out double number)
        => double.TryParse(word.TrimEnd('.', ','), NumberStyles.Float | NumberStyles.AllowThousands, CultureInfo.InvariantCulture,
            out number);

    private static string Around(string[] words, int at) => string.Join(' ', words.Skip(Math.Max(0, at - 5)).Take(12));
}
