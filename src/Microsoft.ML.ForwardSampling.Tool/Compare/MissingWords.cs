namespace Microsoft.ML.ForwardSampling.Tool.Compare;

/// <summary>What stands where there is no value.</summary>
/// <param name="given">The words of --missing; null: the usual ones.</param>
internal sealed class MissingWords(IReadOnlyList<string>? given)
{
    // What pandas, R, SQL and ML.NET write.
    private static readonly string[] s_usual = ["?", "na", "n/a", "nan", "null", "<na>", "#n/a", "(null)", "\\N"];

    // What people and programs write among numbers, and what may be a name among names.
    private static readonly HashSet<string> s_amongNumbers = new(["none", "nil", "-", "--", "---", "\u2013", "\u2014", ".", "..",
        "n.a.", "n.d.", "#na", "#null!", "#div/0!", "#value!", "#ref!", "#name?", "#num!", "missing", "(blank)"],
        StringComparer.OrdinalIgnoreCase);

    private readonly HashSet<string> _words = new(given ?? s_usual, StringComparer.OrdinalIgnoreCase);

    /// <summary>Whether a field says that there is no value, wherever it stands.</summary>
    public bool IsMissing(string field) => field.Length == 0 || _words.Contains(field);

    /// <summary>Whether a field says so where the others are numbers.</summary>
    public bool IsMissingAmongNumbers(string field) => given is null && s_amongNumbers.Contains(field);
}
