namespace Microsoft.ML.ForwardSampling.Notebooks.Tests;

/// <summary>The stored notebooks, not run: each is its twin's, and shows itself without anything from elsewhere.</summary>
public sealed class NotebookTests
{
    public static TheoryData<string> Names => [.. Notebooks.Names];

    [Fact]
    public void Folder_HoldsTheFiveAndATwinOfEach()
    {
        Assert.Equal(["classification-with-a-rare-class", "does-it-pay-on-my-data", "first-steps", "late-labels",
            "regression-with-outliers"], Notebooks.Names);
        Assert.Equal(Notebooks.Names, Directory.GetFiles(Notebooks.Folder, "*.cs").Select(Path.GetFileNameWithoutExtension)
            .Order(StringComparer.Ordinal));
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void Notebook_Cells_AreItsTwins(string name)
        => Assert.Equal(Twin.Cells(File.ReadAllText(Notebooks.TwinOf(name))),
            NotebookFile.Read(Notebooks.PathOf(name)).Select(cell => cell with { Outputs = [] }), Notebooks.SameSource);

    [Theory]
    [MemberData(nameof(Names))]
    public void Notebook_Opening_IsATitleAndThePackages(string name)
    {
        IReadOnlyList<Cell> cells = NotebookFile.Read(Notebooks.PathOf(name));

        Assert.StartsWith("# ", cells[0].Text, StringComparison.Ordinal);
        Assert.StartsWith("#r \"nuget: Microsoft.ML.ForwardSampling, ", cells.First(cell => cell.IsCode).Text, StringComparison.Ordinal);
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void Notebook_Outputs_AreTablesAndPicturesThatNeedNothingFromElsewhere(string name)
    {
        CellOutput[] outputs = [.. NotebookFile.Read(Notebooks.PathOf(name)).SelectMany(cell => cell.Outputs)];

        Assert.Contains(outputs,
            output => output.MimeType == CellOutput.Html && output.Value.StartsWith("<table>", StringComparison.Ordinal));
        CellOutput[] pictures = [.. outputs.Where(output => output.MimeType == CellOutput.Png)];
        Assert.NotEmpty(pictures);
        Assert.All(pictures, picture =>
            Assert.Equal([0x89, (byte)'P', (byte)'N', (byte)'G'], Convert.FromBase64String(picture.Value)[..4]));
        Assert.DoesNotContain(outputs, output => output.MimeType != CellOutput.Png
            && (output.Value.Contains("<script", StringComparison.OrdinalIgnoreCase)
                || output.Value.Contains("http", StringComparison.OrdinalIgnoreCase)));
    }

    [Fact]
    public void Show_IsTheSameInEveryTwin()
    {
        string[] shows = [.. Notebooks.Names.Select(name => File.ReadAllText(Notebooks.TwinOf(name)))
            .Select(text => text[text.IndexOf("/// <summary>Shows tables and charts", StringComparison.Ordinal)..])];

        Assert.Single(shows.Distinct());
    }
}
