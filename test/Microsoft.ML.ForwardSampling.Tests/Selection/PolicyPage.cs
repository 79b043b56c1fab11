using System.Globalization;
using System.Text.RegularExpressions;

namespace Microsoft.ML.ForwardSampling.Tests.Selection;

/// <summary>A policy's page under docs/policies, as far as tests compare it with the code.</summary>
internal sealed partial class PolicyPage
{
    private readonly Dictionary<string, IReadOnlyDictionary<string, string>> _options;

    private PolicyPage(string path)
    {
        Text = File.ReadAllText(path);
        _options = Section("## Options") is string section
            ? MarkdownTable.Parse(section).ToDictionary(row => row["Option"].Trim('`'))
            : [];
    }

    public string Text { get; }

    public IEnumerable<string> Options => _options.Keys;

    public static string FileName(Type policy) => KebabCase().Replace(policy.Name[..^"Policy".Length], "-$1").ToLowerInvariant() + ".md";

    public static string Path(Type policy) => System.IO.Path.Combine(RepositoryFolder.Root, "docs", "policies", FileName(policy));

    public static PolicyPage Of(Type policy) => new(Path(policy));

    public string Default(string option) => _options[option]["Default"].Trim('`');

    /// <summary>The declared closed range of a numeric option.</summary>
    public (double Min, double Max) Range(string option)
    {
        Match match = ClosedRange().Match(_options[option]["Range"]);
        Assert.True(match.Success, $"The range of {option} must read [min, max]: {_options[option]["Range"]}");
        return (double.Parse(match.Groups[1].Value, CultureInfo.InvariantCulture),
            double.Parse(match.Groups[2].Value, CultureInfo.InvariantCulture));
    }

    public string? Section(string heading)
    {
        int start = Text.IndexOf(heading + "\n", StringComparison.Ordinal);
        if (start < 0)
            return null;
        start += heading.Length;
        int end = Text.IndexOf("\n## ", start, StringComparison.Ordinal);
        return end < 0 ? Text[start..] : Text[start..end];
    }

    [GeneratedRegex("(?<!^)([A-Z])")]
    private static partial Regex KebabCase();

    [GeneratedRegex(@"^\[([-+.\d]+), ([-+.\d]+)\]$")]
    private static partial Regex ClosedRange();
}
