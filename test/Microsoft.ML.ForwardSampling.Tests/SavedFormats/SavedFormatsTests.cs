using System.Globalization;
using Microsoft.ML.ForwardSampling.Tests;
using Microsoft.ML.ForwardSampling.Tests.Networks;

namespace Microsoft.ML.ForwardSampling.Tests.SavedFormats;

/// <summary>Files that an earlier version wrote still load, and say the same: formats are for ever. A folder below for each version that
/// changed any of them.</summary>
[Collection(TorchCollection.Name)]
public sealed class SavedFormatsTests : IDisposable
{
    private readonly string _copy = Directory.CreateTempSubdirectory("forward-sampling-formats-").FullName;

    public static TheoryData<string, string> Models => Each(SavedFiles.Models);

    public static TheoryData<string, string> Policies => Each(SavedFiles.Policies);

    public static TheoryData<string> Versions => [.. Directory.GetDirectories(Files).Select(folder => Path.GetFileName(folder)!)];

    private static string Files => Path.Combine(RepositoryFolder.Root, "test", "Microsoft.ML.ForwardSampling.Tests", "SavedFormats",
        "files");

    public void Dispose() => Directory.Delete(_copy, recursive: true);

    [Theory, MemberData(nameof(Models))]
    public void Model_OfAnEarlierVersion_ScoresAsItDid(string version, string model)
    {
        string path = Path.Combine(Files, version, model + ".zip");

        AssertAlike(File.ReadAllLines(path + ".txt"), SavedFiles.DescribeModel(path));
    }

    [Theory, MemberData(nameof(Policies))]
    public void SelectorState_OfAnEarlierVersion_GoesOnWithTheSameRows(string version, string policy)
    {
        string path = Path.Combine(Files, version, policy.Replace(' ', '-') + ".selector");

        Assert.Equal(File.ReadAllLines(path + ".txt"), SavedFiles.DescribeSelector(policy, path));
    }

    [Theory, MemberData(nameof(Versions))]
    public void LogsAndJoin_OfAnEarlierVersion_AreReadAndResumed(string version)
    {
        foreach (string file in Directory.GetFiles(Path.Combine(Files, version), "*", SearchOption.AllDirectories))
        {
            string target = Path.Combine(_copy, Path.GetRelativePath(Path.Combine(Files, version), file));
            Directory.CreateDirectory(Path.GetDirectoryName(target)!);
            File.Copy(file, target);
        }

        AssertAlike(File.ReadAllLines(Path.Combine(Files, version, "logs.txt")), SavedFiles.DescribeLogs(_copy));
    }

    [Fact]
    public void Write_Today_GivesFilesThatReadAsTheySay()
    {
        SavedFiles.Write(_copy);

        Assert.All(SavedFiles.Models, model => AssertAlike(File.ReadAllLines(Path.Combine(_copy, model + ".zip.txt")),
            SavedFiles.DescribeModel(Path.Combine(_copy, model + ".zip"))));
        Assert.NotEmpty(File.ReadAllLines(Path.Combine(_copy, "logs.txt")));
    }

    /// <summary>The same words; numbers to four digits, because processors round differently.</summary>
    private static void AssertAlike(string[] expected, string[] actual)
    {
        Assert.Equal(expected.Length, actual.Length);
        foreach ((string was, string now) in expected.Zip(actual))
        {
            string[] words = was.Split(' ', '=', ','), other = now.Split(' ', '=', ',');
            Assert.True(words.Length == other.Length && words.Zip(other).All(pair => IsAlike(pair.First, pair.Second)),
                $"Was: {was}\nIs:  {now}");
        }

        static bool IsAlike(string was, string now)
            => was == now || (double.TryParse(was, CultureInfo.InvariantCulture, out double x)
                && double.TryParse(now, CultureInfo.InvariantCulture, out double y)
                && Math.Abs(x - y) <= 1e-4 * Math.Max(1e-2, Math.Abs(x)));
    }

    private static TheoryData<string, string> Each(IEnumerable<string> names)
    {
        var cases = new TheoryData<string, string>();
        foreach (string version in Directory.GetDirectories(Files))
        {
            foreach (string name in names.Where(name => string.CompareOrdinal(SavedFiles.Since(name), Path.GetFileName(version)) <= 0))
                cases.Add(Path.GetFileName(version), name);
        }

        return cases;
    }
}
