using System.Globalization;
using System.IO.Compression;
using System.Text;
using Microsoft.ML.ForwardSampling.Tool.Compare;
using Microsoft.ML.ForwardSampling.Tool.Files;

namespace Microsoft.ML.ForwardSampling.Tool.Tests.Compare;

/// <summary>More of what stands in other people's files: what was read wrongly, or refused for the wrong reason, before.</summary>
public sealed class CsvSiblingsTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("0123456789", "٠١٢٣٤٥٦٧٨٩", "digits of another script")]
    [InlineData("0123456789.", "０１２３４５６７８９．", "digits of another script")]
    [InlineData("0123456789.", "٠١٢٣٤٥٦٧٨٩٫", "digits of another script")]
    [InlineData("-", "\u2013", "a minus that is no hyphen or stands behind")]
    [InlineData("-", "\u2012", "a minus that is no hyphen or stands behind")]
    public void Load_NumbersInOtherCharacters_AreTheSameNumbers(string ascii, string other, string note)
    {
        string Rows(Func<string, string> dress) => "x,y\n" + Lines(200, i => $"{dress(Text(Number(i)))},{i % 2}");
        float[] expected = Features(Load(Write(Rows(text => text))));

        TabularData data = Load(Write(Rows(text => string.Concat(text.Select(c => ascii.Contains(c) ? other[ascii.IndexOf(c)] : c)))));

        Assert.Equal(expected, Features(data));
        Assert.Contains(data.Notes, told => told.Contains(note, StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("\u200b")]
    [InlineData("\u200e")]
    [InlineData("\ufeff")]
    [InlineData("\u2060 \u00ad")]
    public void Load_WhatNobodySees_IsNoPartOfNumbersNamesAndTitles(string unseen)
    {
        string plain = "x,town,y\n" + Lines(200, i => $"{Text(Number(i))},{(i % 3 == 0 ? "Bern" : "Zug")},{i % 2}");
        string dressed = $"{unseen}x,town{unseen},y{unseen}\n" + Lines(200, i =>
            $"{unseen}{Text(Number(i))},{(i % 3 == 0 ? "Bern" : "Zug")}{(i % 4 == 0 ? unseen : "")},{unseen}{i % 2}{unseen}");

        Assert.Equal(Features(Load(Write(plain))), Features(Load(Write(dressed))));
    }

    [Fact]
    public void Load_FilesPutTogether_TheirNamesAreNoRows()
    {
        string one = "colour,y\n" + Lines(60, i => $"{(i % 3 == 0 ? "red" : "blue")},{(i % 2 == 0 ? "yes" : "no")}");

        TabularData data = Load(Write(one + "\ufeff" + one + one));

        Assert.Equal(2, data.FeatureCount);
        Assert.Equal(180, data.Training.Count + data.Test.Count);
        Assert.Contains("2 lines that name the columns again are left out, the first on line 62.", data.Notes);
    }

    [Fact]
    public void Load_DosEndOfFile_IsNoRow()
        => Assert.Contains("A Ctrl-Z on line 62, with which DOS ended files, is left out.", Load(Write(Table(60) + "\u001a")).Notes);

    [Theory]
    [InlineData("Report, May 2024\n", "Line 1 is")]
    [InlineData("Report, May 2024\nNorth, and south\n\n", "Lines 1 to 3 are")]
    [InlineData("Report, north, south\n\n", "Lines 1 to 2 are")]
    public void Load_TitleWithASeparator_IsLeftOut(string title, string lines)
    {
        TabularData data = Load(Write(title + Table(60)));

        Assert.Equal(Features(Load(Write(Table(60)))), Features(data));
        Assert.Contains($"{lines} left out: titles above the names of the columns.", data.Notes);
    }

    [Fact]
    public void Load_TitleOfAsManyFields_CannotBeTold_AndIsDoubted()
    {
        string file = Write("Sales, north, south, 2024\n" + Table(60));

        Assert.EndsWith("Got 'y'. Line 2 has no number, and those below it have: if it names the columns, take away what stands above it; "
            + "if it tells units, take it away.", Problem(file), StringComparison.Ordinal);
        using var input = InputFile.Open("--data", file);
        Assert.Single(new CsvFile(input, Options()).Notes, note => note.StartsWith("Line 2 has no number", StringComparison.Ordinal));
    }

    /// <summary>R's write.table leaves out the name of the first column.</summary>
    [Fact]
    public void Load_OneNameLessThanFields_IsNoTitle()
        => Assert.Contains("If R's write.table wrote it", Problem(Write("size,colour,y\n" + Lines(60,
            i => $"r{i},{Text(Number(i))},{(i % 3 == 0 ? "red" : "blue")},{i % 2}"))), StringComparison.Ordinal);

    [Theory]
    [InlineData("\"size,colour,y\"", "take away the quotes around whole lines.")]
    [InlineData("size:colour:y", "give the --separator between them.")]
    public void Load_OneColumnThatIsMore_SaysSo(string names, string advice)
        => Assert.EndsWith(advice, Problem(Write($"{names}\n" + Lines(60, i => names.Contains(',')
            ? $"\"{Text(Number(i))},red,{i % 2}\"" : $"{Text(Number(i))}:red:{i % 2}"))), StringComparison.Ordinal);

    [Theory]
    [InlineData("{0}/7")]
    [InlineData("{0}°12'N")]
    [InlineData("~{0}")]
    [InlineData("{0}.{0}.7")]
    public void Load_TextsThatBeginWithNumbers_AreDoubted(string format)
    {
        string file = Write("x,z,y\n" + Lines(300, i => $"{string.Format(CultureInfo.InvariantCulture, format, i % 90)},{Text(Number(i))},"
            + $"{i % 2}"));

        Assert.Contains("Column x is taken for names, though its texts begin with numbers, the first that is none on line 2 (",
            Problem(file, Options() with { IsStrict = true }), StringComparison.Ordinal);
        Assert.DoesNotContain(Load(file, Options() with { Categories = ["x"] }).Notes,
            note => note.Contains("begin with numbers", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(7)]
    [InlineData(20_000)]
    public void Load_GzipThatWasCut_IsRefused(int missing)
    {
        byte[] packed = Pack(Table(5000));
        string path = _folder.File("rows.csv.gz");
        File.WriteAllBytes(path, packed[..^missing]);

        if (missing == 0)
            Assert.Equal(5000, Load(path).Training.Count + Load(path).Test.Count);
        else
            Assert.Equal($"{path} is not a whole gzip file: it is damaged, was cut, or other bytes follow it.", Problem(path));
    }

    [Fact]
    public void WholeGZip_AnyLength_AndSeveralMembers_GivesWhatWasPacked()
    {
        var random = new Random(1);
        foreach (int length in Enumerable.Range(0, 40).Concat([65_535, 65_536, 65_537, 65_552, 65_553, 200_000]))
        {
            byte[] bytes = new byte[length];
            random.NextBytes(bytes);
            byte[] packed = [.. Pack(bytes[..(length / 2)]), .. Pack(bytes[(length / 2)..])];
            using var read = new MemoryStream();
            using (var gzip = new WholeGZip("it", new MemoryStream(packed)))
                gzip.CopyTo(read, 1 + random.Next(9000));
            Assert.Equal(bytes, read.ToArray());
            if (length < 2)
                continue;                                   // of no bytes GZipStream makes none
            Assert.Throws<InvalidDataException>(() =>
            {
                using var cut = new WholeGZip("it", new MemoryStream(packed[..(packed.Length - 1 - random.Next(8))]));
                cut.CopyTo(Stream.Null);
            });
        }
    }

    private static CsvOptions Options() => new() { Label = "y", Task = PredictionTask.Binary };

    private static TabularData Load(string file, CsvOptions? options = null) => CsvData.Load(file, options ?? Options());

    private static string Problem(string file, CsvOptions? options = null)
        => Assert.Throws<InvalidDataException>(() => CsvData.Load(file, options ?? Options())).Message;

    private static float[] Features(TabularData data) => [.. data.Training.SelectMany(row => row.Features.ToArray())];

    // Numbers that follow from i, without counting.
    private static double Number(int i) => ((i * 7919 % 1009) - 500) / 8.0;

    private static string Text(double value) => value.ToString(CultureInfo.InvariantCulture);

    private static string Table(int rows)
        => "size,colour,count,y\n" + Lines(rows, i => $"{Text(Number(i))},{(i % 3 == 0 ? "red" : "blue")},{i * 7 % 13},{i % 2}");

    private static string Lines(int count, Func<int, string> row) => string.Concat(Enumerable.Range(0, count).Select(i => row(i) + "\n"));

    private static byte[] Pack(string text) => Pack(Encoding.UTF8.GetBytes(text));

    private static byte[] Pack(byte[] bytes)
    {
        using var packed = new MemoryStream();
        using (var gzip = new GZipStream(packed, CompressionLevel.Fastest))
            gzip.Write(bytes);
        return packed.ToArray();
    }

    private string Write(string text)
    {
        File.WriteAllText(_folder.File("rows.csv"), text);
        return _folder.File("rows.csv");
    }
}
