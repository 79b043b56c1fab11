using System.Text.RegularExpressions;

namespace Microsoft.ML.ForwardSampling.Docs.Tests;

/// <summary>The pages hang together: the map names each, links lead somewhere, and the code of the how-tos is what runs here.</summary>
public sealed partial class PagesTests
{
    public static TheoryData<string> HowTos => [.. Page.All.Select(page => page.Name)
        .Where(name => name.StartsWith("how-to/", StringComparison.Ordinal))];

    [Fact]
    public void Map_NamesEveryPage()
    {
        Page map = Page.All.Single(page => page.Name == "index.md");
        string[] named = [.. map.Links.Select(link => link.File).Distinct()];
        // Policies have a map of their own.
        Assert.Empty(Page.All.Select(page => page.Name).Where(name => name != "index.md"
            && !(name.StartsWith("policies/", StringComparison.Ordinal) && name != "policies/index.md")).Except(named));
    }

    [Fact]
    public void Links_LeadToFilesAndHeadings()
    {
        Dictionary<string, Page> pages = Page.All.ToDictionary(page => page.Path);
        var broken = new List<string>();
        foreach (Page page in pages.Values)
        {
            foreach ((string file, string heading) in page.Links)
            {
                string target = file.Length == 0 ? page.Path : Path.GetFullPath(Path.Combine(Path.GetDirectoryName(page.Path)!, file));
                bool found = (File.Exists(target) || Directory.Exists(target))
                    && (heading.Length == 0 || !pages.TryGetValue(target, out Page? there) || there.HasHeading(heading));
                if (!found)
                    broken.Add($"{page.Name}: {file}#{heading}");
            }
        }

        Assert.Empty(broken);
        Assert.True(pages.Values.Sum(page => page.Links.Count()) > 100);
    }

    [Theory]
    [MemberData(nameof(HowTos))]
    public void HowTo_Code_IsWhatRuns(string name)
    {
        string region = Path.GetFileNameWithoutExtension(name);
        string[] code = [.. Directory.EnumerateFiles(Path.Combine(RepositoryFolder.Root, "test", "Docs.Tests", "HowTo"), "*.cs")
            .SelectMany(file => Region().Matches(File.ReadAllText(file).ReplaceLineEndings("\n")))
            .Where(match => match.Groups["name"].Value == region)
            .Select(match => WithoutIndentation(match.Groups["code"].Value))];
        Assert.Equal(code, Page.All.Single(page => page.Name == name).Code);
        Assert.NotEmpty(code);
    }

    private static string WithoutIndentation(string code)
    {
        string[] lines = code.Split('\n');
        int indentation = lines.Where(line => line.Length > 0).Min(line => line.Length - line.TrimStart().Length);
        return string.Join('\n', lines.Select(line => line.Length > indentation ? line[indentation..] : ""));
    }

    [GeneratedRegex(@"^ *#region (?<name>\S+)\n(?<code>.*?)^ *#endregion", RegexOptions.Multiline | RegexOptions.Singleline)]
    private static partial Regex Region();
}
