using System.Text.RegularExpressions;

namespace Microsoft.ML.ForwardSampling.Docs.Tests;

/// <summary>A page under docs, with its code and its links.</summary>
internal sealed partial class Page
{
    private Page(string path)
    {
        Path = path;
        Text = File.ReadAllText(path).ReplaceLineEndings("\n");
    }

    public static string Folder { get; } = System.IO.Path.Combine(RepositoryFolder.Root, "docs");

    public static Page[] All { get; } = [.. Directory.EnumerateFiles(Folder, "*.md", SearchOption.AllDirectories)
        .Order(StringComparer.Ordinal).Select(path => new Page(path))];

    public string Path { get; }

    /// <summary>As docs/index.md would link it.</summary>
    public string Name => System.IO.Path.GetRelativePath(Folder, Path).Replace('\\', '/');

    public string Text { get; }

    /// <summary>The blocks of C#, in order.</summary>
    public string[] Code => [.. CSharpBlock().Matches(Text).Select(match => match.Groups[1].Value)];

    /// <summary>Targets of the links to other files, and of those to headings.</summary>
    public IEnumerable<(string File, string Heading)> Links => Link().Matches(CodeBlock().Replace(Text, ""))
        .Select(match => match.Groups[1].Value)
        .Where(target => !target.Contains("://", StringComparison.Ordinal)).Select(target => target.Split('#'))
        .Select(parts => (parts[0], parts.Length > 1 ? parts[1] : ""));

    /// <summary>Whether there is a heading that a link names.</summary>
    public bool HasHeading(string anchor) => Heading().Matches(Text).Any(match => Anchor(match.Groups[1].Value) == anchor);

    // As GitHub and docfx make it: lower case, words joined by dashes, nothing but letters, digits, dashes and underscores.
    private static string Anchor(string heading) => NoAnchor().Replace(heading.ToLowerInvariant(), "").Replace(' ', '-');

    [GeneratedRegex(@"^```csharp\n(.*?)^```$", RegexOptions.Multiline | RegexOptions.Singleline)]
    private static partial Regex CSharpBlock();

    [GeneratedRegex(@"^```.*?^```$|`[^`\n]*`", RegexOptions.Multiline | RegexOptions.Singleline)]
    private static partial Regex CodeBlock();

    [GeneratedRegex(@"\]\(([^)\s]+)\)")]
    private static partial Regex Link();

    [GeneratedRegex(@"^#+ (.*)$", RegexOptions.Multiline)]
    private static partial Regex Heading();

    [GeneratedRegex(@"[^\p{L}\p{N} _-]")]
    private static partial Regex NoAnchor();
}
