using System.Text.RegularExpressions;

namespace Microsoft.ML.ForwardSampling.Tests.Dependencies;

/// <summary>.editorconfig's max_line_length, which no analyzer of the SDK holds.</summary>
public partial class SourceLinesTests
{
    [Fact]
    public void Lines_OutsideRawStrings_HaveAtMost140Characters()
    {
        string[] folders = [.. new[] { "src", "test", "bench" }.Select(folder => Path.Combine(RepositoryFolder.Root, folder))];
        string[] files = [.. folders.SelectMany(folder => Directory.EnumerateFiles(folder, "*.cs", SearchOption.AllDirectories))];
        Assert.InRange(files.Length, 400, int.MaxValue);
        Assert.Empty(files.SelectMany(TooLong));
    }

    private static IEnumerable<string> TooLong(string file)
    {
        bool isRaw = false;
        int number = 0;
        foreach (string line in File.ReadLines(file))
        {
            number++;
            int marks = RawStringMark().Count(line);
            if (line.Length > 140 && !isRaw && marks == 0)
                yield return $"{file}({number}): {line.Length}";
            isRaw ^= marks % 2 == 1;
        }
    }

    [GeneratedRegex("\"{3,}")]
    private static partial Regex RawStringMark();
}
