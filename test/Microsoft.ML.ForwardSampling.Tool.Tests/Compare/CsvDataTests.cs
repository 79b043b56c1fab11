using System.Globalization;
using System.IO.Compression;
using Microsoft.ML.ForwardSampling.Tool.Compare;

namespace Microsoft.ML.ForwardSampling.Tool.Tests.Compare;

public sealed class CsvDataTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Load_NumbersTextsAndGaps_BecomeStandardisedAndOneHotFeatures()
    {
        TabularData data = CsvData.Load(TinyCsv.Write(_folder),
            Options("Bought", PredictionTask.Binary) with { Ignore = ["Kind", "Price"] });

        // Size 1, Weight with its gap 2, Colour 3; Id names rows and Country is the same everywhere.
        Assert.Equal(6, data.FeatureCount);
        Assert.Equal(TinyCsv.Rows, data.Training.Count + data.Test.Count);
        Assert.InRange(data.Test.Count, 0.15 * TinyCsv.Rows, 0.25 * TinyCsv.Rows);
        Assert.Equal(["no", "yes"], data.Classes);
        Assert.Contains("Column Id is left out: its texts differ in nearly every row, so it names rows rather than describes them "
            + "(--categories Id keeps it).", data.Notes);
        Assert.Contains("Column Country is left out: it has the same value in every training row.", data.Notes);
        Assert.Contains("'yes' is the positive class, 'no' the negative one.", data.Notes);
        for (int slot = 0; slot < 2; slot++)
        {
            float[] present = [.. data.Training.Where(row => slot == 0 || row.Features[2] == 0).Select(row => row.Features[slot])];
            Assert.Equal(0, present.Average(v => (double)v), 1e-4);
            Assert.Equal(1, present.Average(v => (double)v * v), 1e-4);
        }

        Assert.All(data.Training.Concat(data.Test), row => Assert.Equal(1, row.Features[3..6].Sum()));
        Assert.All(data.Training.Where(row => row.Features[2] == 1), row => Assert.Equal(0, row.Features[1]));
        Assert.Equal(TinyCsv.Rows / 10, data.Training.Concat(data.Test).Count(row => row.Features[2] == 1));
    }

    [Fact]
    public void Load_Regression_StandardisesTheLabelByTrainingRowsAlone()
    {
        string training = Write("y,x\n" + Lines(100, i => $"{i % 5 * 10},{i}"), "training.csv");
        string test = Write("y,x\n1020,7\n", "test.csv");

        TabularData data = CsvData.Load(training, Options("y", PredictionTask.Regression) with { TestFile = test });

        // Labels 0, 10, 20, 30, 40: mean 20, standard deviation 10 sqrt(2).
        Assert.Equal(Math.Sqrt(200), data.LabelScale, 1e-9);
        Assert.Equal(1000 / Math.Sqrt(200), Assert.Single(data.Test).Number, 1e-4);
        Assert.Equal(100, data.Training.Count);
    }

    [Fact]
    public void Load_UnknownTextInTestRows_IsAllZerosAndCounted()
    {
        string training = Write("y,x\n" + Lines(40, i => $"{i % 2},{(i % 3 == 0 ? "a" : "b")}"), "training.csv");
        string test = Write("y,x\n1,c\n0,a\n1,\n", "test.csv");

        TabularData data = CsvData.Load(training, Options("y", PredictionTask.Binary) with { TestFile = test });

        Assert.Equal([[0, 0], [1, 0], [0, 0]], data.Test.Select(row => row.Features));
        Assert.Contains("1 texts of test rows are in no training row: their features are all zero.", data.Notes);
    }

    [Fact]
    public void Load_RowsWithoutUsableLabel_AreLeftOutAndCounted()
    {
        string training = Write("y,x\n" + Lines(60, i => $"{(i % 20 == 7 ? "" : "abc"[i % 3].ToString())},{i}"), "training.csv");
        string test = Write("y,x\nd,1\na,2\n", "test.csv");

        TabularData data = CsvData.Load(training, Options("y", PredictionTask.Multiclass) with { TestFile = test });

        Assert.Equal((57, 1), (data.Training.Count, data.Test.Count));
        Assert.Contains("4 rows are left out: their label is missing, or a class that no training row has.", data.Notes);
    }

    [Fact]
    public void Load_ManyTexts_ShareSlotsByTheirHash()
    {
        string file = Write("y,x\n" + Lines(1000, i => $"{i % 2},word{i % 100}"));

        TabularData data = CsvData.Load(file, Options("y", PredictionTask.Binary));

        Assert.Equal(HashedFeature.Slots, data.FeatureCount);
        Assert.All(data.Training, row => Assert.Equal(1, row.Features.Sum()));
        Assert.Contains(data.Notes, note => note.StartsWith("Column x has 100 different texts, which share 256 slots",
            StringComparison.Ordinal));
    }

    [Fact]
    public void Load_NumbersThatAreNames_AreCategoriesWhenAsked()
    {
        string file = Write("y,code\n" + Lines(200, i => $"{i % 2},{10 * (i % 4)}"));

        Assert.Equal(1, CsvData.Load(file, Options("y", PredictionTask.Binary)).FeatureCount);
        Assert.Equal(4, CsvData.Load(file, Options("y", PredictionTask.Binary) with { Categories = ["code"] }).FeatureCount);
    }

    [Theory]
    [InlineData("1", "0", "0", "1")]
    [InlineData("no", "yes", "no", "yes")]
    [InlineData("True", "False", "False", "True")]
    [InlineData("positive", "zero", "zero", "positive")]
    [InlineData("10", "9", "9", "10")]
    [InlineData("cat", "dog", "cat", "dog")]
    public void Load_BinaryLabels_TheUsualWordsArePositive(string first, string second, string negative, string positive)
    {
        string file = Write("y,x\n" + Lines(100, i => $"{(i % 2 == 0 ? first : second)},{i}"));

        Assert.Equal([negative, positive], CsvData.Load(file, Options("y", PredictionTask.Binary)).Classes);
    }

    [Fact]
    public void Load_QuotedLineBreakSemicolonsAndGzip_AreRead()
    {
        string path = _folder.File("rows.csv.gz");
        using (var writer = new StreamWriter(new GZipStream(File.Create(path), CompressionLevel.Fastest)))
            writer.Write("y;x;text\r\n" + Lines(200, i => $"{i % 2};{i / 7.0:0.00};\"two\r\nlines {i % 3}\""));

        TabularData data = CsvData.Load(path, Options("y", PredictionTask.Binary));

        Assert.Equal(4, data.FeatureCount);
        Assert.Equal(200, data.Training.Count + data.Test.Count);
    }

    [Fact]
    public void Load_ByteOrderMarkAndSeparatorsInAQuotedName_AreNoPartOfTheColumns()
    {
        string path = _folder.File("marked.csv");
        File.WriteAllText(path, "\"size, cm, outer\";y\n" + Lines(200, i => $"{i};{i % 2}"),
            new System.Text.UTF8Encoding(encoderShouldEmitUTF8Identifier: true));

        Assert.Equal(1, CsvData.Load(path, Options("y", PredictionTask.Binary) with { Features = ["size, cm, outer"] }).FeatureCount);
    }

    [Fact]
    public void Load_SameFileTwice_SplitsAlike()
    {
        string path = TinyCsv.Write(_folder);
        CsvOptions options = Options("Kind", PredictionTask.Multiclass);

        Assert.Equal(CsvData.Load(path, options).Fingerprint(), CsvData.Load(path, options).Fingerprint());
        Assert.NotEqual(CsvData.Load(path, options).Fingerprint(), CsvData.Load(path, options with { TestShare = 0.3 }).Fingerprint());
    }

    [Theory]
    [InlineData("y,x\n", 30, "1,12oo",
        "line 32, column 2 ('x'): not a number (of at most 3.4e38) in a column of numbers. Leave the field empty where there is no "
        + "value or give --missing '12oo'; --numbers x takes all such texts as missing, --categories x the column as names. Got '12oo'.")]
    [InlineData("y,x\n", 30, "many,1",
        "line 32, column 1 ('y'): the label of a regression must be a number (of at most 3.4e38); --task multiclass predicts names, "
        + "--missing LIST says which words stand for no value. Got 'many'.")]
    [InlineData("y,x\n", 30, "1,-1e39",
        "line 32, column 2 ('x'): not a number (of at most 3.4e38) in a column of numbers. Leave the field empty where there is no "
        + "value or give --missing '-1e39'; --numbers x takes all such texts as missing, --categories x the column as names. Got "
        + "'-1e39'.")]
    [InlineData("y,x\n", 30, "1e39,1",
        "line 32, column 1 ('y'): the label of a regression must be a number (of at most 3.4e38); --task multiclass predicts names, "
        + "--missing LIST says which words stand for no value. Got '1e39'.")]
    [InlineData("y,x\n", 30, "1,2,3", "line 32: 3 fields, and the first line names 2 columns. Check separators and quotes.")]
    [InlineData("y,x\n", 30, "1", "line 32: 1 fields, and the first line names 2 columns; column 'x' is the first without a value.")]
    [InlineData("y,x\n", 30, "1,a\"b\"", "line 32, column 2: a quote is out of place in 'a\"b\"'.")]
    [InlineData("y,x,y\n", 0, "", "--label 'y' is the name of 2 columns of ")]
    [InlineData("y,x\n", 0, "", "has no row below its column names.")]
    [InlineData("", 0, "", "is empty: its first line must name the columns.")]
    [InlineData("y,x\n", 5, "", "gives 5 training and 0 test rows: at least 20 and 1 are needed.")]
    [InlineData("z,x\n", 0, "", "--label must name columns of ")]
    public void Load_BadFile_NamesLineAndColumn(string header, int goodRows, string badRow, string expected)
    {
        string file = Write(header + Lines(goodRows, i => $"{i},{i * i}") + badRow);

        var error = Assert.Throws<InvalidDataException>(() =>
            CsvData.Load(file, Options("y", PredictionTask.Regression) with { TestShare = 0 }));

        Assert.StartsWith(expected.StartsWith("--", StringComparison.Ordinal) ? expected : file, error.Message, StringComparison.Ordinal);
        Assert.Contains(expected, error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Load_BadNumberInATestRow_NamesLineAndColumn()
    {
        string training = Write("y,x\n" + Lines(40, i => $"{i % 2},{i}"), "training.csv");
        string test = Write("y,x\n1,4\n0,five\n", "test.csv");

        var error = Assert.Throws<InvalidDataException>(() =>
            CsvData.Load(training, Options("y", PredictionTask.Binary) with { TestFile = test }));

        Assert.Equal($"{test}, line 3, column 2 ('x'): not a number (of at most 3.4e38) in a column of numbers of the training rows; "
            + "--numbers takes such texts as missing. Got 'five'.",
            error.Message);
    }

    [Fact]
    public void Load_TheLargestSingle_IsANumber()
    {
        // As float.MaxValue is written; read as a double it is a little more than float.MaxValue.
        string file = Write("y,x\n" + Lines(100, i => $"{i % 2},{(i % 10 == 0 ? "3.4028235E+38" : "0.5")}"));

        TabularData data = CsvData.Load(file, Options("y", PredictionTask.Binary));

        Assert.Equal(1, data.FeatureCount);
        Assert.All(data.Training.Concat(data.Test), row => Assert.InRange(row.Features[0], -10, 10));
    }

    [Theory]
    [InlineData("1,1e38,5", "column 2 ('x')")]
    [InlineData("1,5e-9,1e38", "column 3 ('y')")]
    public void Load_ATestRowTooFarFromTheTrainingRows_NamesLineAndColumn(string row, string expected)
    {
        // Standardised, it is beyond a Single: every figure of the comparison would be NaN.
        string training = Write("z,x,y\n" + Lines(100, i => $"{i % 5},{i}e-9,{i % 7}e-9"), "training.csv"),
            test = Write($"z,x,y\n{row}\n", "test.csv");

        var error = Assert.Throws<InvalidDataException>(() =>
            CsvData.Load(training, Options("y", PredictionTask.Regression) with { TestFile = test }));

        Assert.StartsWith($"{test}, line 2, {expected}: ", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Load_ThirdValueOfABinaryLabel_NamesLineAndTheOtherTwo()
    {
        string file = Write("y,x\n" + Lines(30, i => $"{(i == 20 ? "maybe" : i % 2 == 0 ? "yes" : "no")},{i}"));

        var error = Assert.Throws<InvalidDataException>(() =>
            CsvData.Load(file, Options("y", PredictionTask.Binary) with { TestShare = 0 }));

        Assert.Contains("line 22, column 1 ('y'): a third value of a binary label, after 'yes' and 'no'; --task multiclass takes more. "
            + "Got 'maybe'.", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Load_TestFileWithOtherColumns_NamesBoth()
    {
        string training = Write("y,x\n" + Lines(40, i => $"{i % 2},{i}"), "training.csv");
        string test = Write("x,y\n1,4\n", "test.csv");

        var error = Assert.Throws<InvalidDataException>(() =>
            CsvData.Load(training, Options("y", PredictionTask.Binary) with { TestFile = test }));

        Assert.Equal($"{test}, line 1: the columns must be those of the training rows, y, x. Got x, y.", error.Message);
    }

    private static CsvOptions Options(string label, PredictionTask task) => new() { Label = label, Task = task };

    private static string Lines(int count, Func<int, FormattableString> line) =>
        string.Concat(Enumerable.Range(0, count).Select(i => FormattableString.Invariant(line(i)) + "\n"));

    private string Write(string text, string name = "rows.csv")
    {
        File.WriteAllText(_folder.File(name), text);
        return _folder.File(name);
    }
}
