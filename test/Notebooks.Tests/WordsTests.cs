namespace Microsoft.ML.ForwardSampling.Notebooks.Tests;

public sealed class WordsTests
{
    [Theory]
    [InlineData("RMSE", "RMSE", true)]
    [InlineData("RMSE", "MAE", false)]
    [InlineData("0.515", "0.520", true)]
    [InlineData("0.515", "0.530", false)]
    [InlineData("0.002", "0.003", true)]
    [InlineData("-0.009", "0.009", false)]
    [InlineData("0.515.", "0.516.", true)]
    [InlineData("20,000", "20,100", true)]
    [InlineData("20,000", "25,000", false)]
    [InlineData("2000", "many", false)]
    public void Agree_TwoWords(string stored, string run, bool expected) => Assert.Equal(expected, Words.Agree(stored, run));

    [Theory]
    [InlineData("loss 1.00", "loss 1.50")]
    [InlineData("loss 1.00", "loss 1.00 more")]
    [InlineData("loss 1.00", "loss")]
    public void AssertAgree_Drift_SaysWhere(string stored, string run)
        => Assert.Contains("differ from word",
            Assert.ThrowsAny<Exception>(() => Words.AssertAgree(stored.Split(' '), run.Split(' '))).Message, StringComparison.Ordinal);

    [Fact]
    public void Words_OfATable_AreThoseAReaderSees()
        => Assert.Equal(["A", "<", "B", "1.5"],
            new CellOutput(CellOutput.Html, "<table><tr><th>A &lt; B</th></tr><tr><td>1.5</td></tr></table>").Words());

    [Fact]
    public void Cells_OfATwin_DeclarationsFollowTheFirstCellOfCode()
    {
        IReadOnlyList<Cell> cells = Twin.Cells("""
            #:package One@1.0
            #:package Two@*-*
            #:property PublishAot=false

            // %% [markdown]
            // # Title
            //
            // Prose.

            // %%
            using System;

            // %%
            int two = 2;

            // %% [declarations]
            class C;
            """);

        Assert.Equal(["# Title\n\nProse.", "#r \"nuget: One, 1.0\"\n#r \"nuget: Two, *-*\"", "using System;", "class C;", "int two = 2;"],
            cells.Where((_, i) => i != 3).Select(cell => cell.Text));
        Assert.Equal([false, true, true, false, true, true], cells.Select(cell => cell.IsCode));
    }

    [Theory]
    [InlineData("// %%\nint one;\n", "A notebook must have a cell of code and one of declarations.")]
    [InlineData("// %% [raw]\n// text\n",
        "A cell's marker must be '// %%', '// %% [markdown]' or '// %% [declarations]'. Got '// %% [raw]'.")]
    [InlineData("// %% [markdown]\nint one;\n", "Each line of a Markdown cell must begin with '// '. Got 'int one;'.")]
    public void Cells_OfADamagedTwin_SayWhatIsNeeded(string text, string message)
        => Assert.Equal(message, Assert.Throws<FormatException>(() => Twin.Cells(text)).Message);
}
