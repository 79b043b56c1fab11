using System.Globalization;
using System.Text;
using Microsoft.ML.ForwardSampling.Tool.Compare;

namespace Microsoft.ML.ForwardSampling.Tool.Tests.Compare;

/// <summary>Files as other people's programs write them.</summary>
public sealed class CsvCasesTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public void Dispose() => _folder.Dispose();

    // Numbers that follow from i, without counting.
    private static double Number(int i) => (i * 7919 % 1009) - 500;

    [Theory]
    [InlineData("\"{0:#,0}\"", ",", 1, "is written with groups of thousands: '")]
    [InlineData("${0}.25", ",", 1, "is written with a currency: '")]
    [InlineData("{0} €", ",", 1, "is written with a currency: '")]
    [InlineData("{0}%", ",", 1, "is written with percent signs (50 % is 50): '")]
    [InlineData("{0}\u00a0000", ",", 1, "is written with groups of thousands: '")]
    [InlineData("{0},5", ";", 1, "is written with decimal commas: '")]
    [InlineData("\"{0},5\"", ",", 1, "is written with decimal commas: '")]
    [InlineData("({0})", ",", -1, "is written with brackets for a minus: '")]
    [InlineData("\u2212{0}", ",", -1, "is written with a minus that is no hyphen or stands behind: '")]
    public void Load_NumbersInOtherDress_AreNumbersWithANote(string format, string separator, double factor, string note)
    {
        // From 100 to 608; with thousands to 1,108.
        string file = Write($"y{separator}x\n" + Rows(300, i => $"{i % 2}{separator}" + string.Format(CultureInfo.InvariantCulture, format,
            100 + (format.Contains('#', StringComparison.Ordinal) ? 1000 : 0) + i * 7919 % 509)));

        TabularData data = Load(file);

        Assert.Equal(1, data.FeatureCount);
        Assert.Contains(data.Notes, told => told.Contains(note, StringComparison.Ordinal));
        float[] features = [.. data.Training.Select(row => row.Features[0])];
        Assert.Equal(0, features.Average(), 1e-3);
        Assert.Equal(1, features.Average(value => value * value), 1e-3);
        Assert.Equal(factor < 0, features[0] > 0);          // the first row has the smallest figure
    }

    [Fact]
    public void Load_ThousandsAmongSmallNumbers_HaveTheirSize()
    {
        // "8,483" is a thousand times 8.483: standardised by its own column, only beside others does it show.
        string file = Write("y,x\n" + Rows(200, i =>
            $"{i % 2},{(i % 4 == 0 ? "\"1,000\"" : i % 4 == 1 ? "2" : i % 4 == 2 ? "3" : "530")}"));

        TabularData data = Load(file);

        float[] values = [.. data.Training.Select(row => row.Features[0]).Distinct().Order()];
        Assert.Equal((530 - 2) / (1000.0 - 2), (values[2] - values[0]) / (values[3] - values[0]), 1e-4);
        Assert.Contains("Column x is written with groups of thousands: '1,000' on line 2 is read as 1000 (--decimal , reads it otherwise).",
            data.Notes);
    }

    [Fact]
    public void Load_ACommaBetweenSemicolons_ThatCanBeReadInTwoWays_StopsAndTheOptionDecides()
    {
        string file = Write("y;x\n" + Rows(200, i => $"{i % 2};{1 + i % 9},{100 + i}"));

        Assert.Contains("line 2, column 2 ('x'): '1,100' on line 2 can be read in two ways: give --decimal . if the comma groups "
            + "thousands, or --decimal , if decimals follow it.", Problem(file), StringComparison.Ordinal);
        Assert.Equal(1, Load(file, Options() with { Decimal = ',' }).FeatureCount);
        Assert.Equal(1, Load(file, Options() with { Decimal = '.' }).FeatureCount);
    }

    [Fact]
    public void Load_OneColumnOfDecimalCommas_DecidesForTheOthers()
    {
        string file = Write("y;x;z\n" + Rows(200, i => $"{i % 2};{(i % 2 == 0 ? "1,100" : "2,200")};{i % 7},5"));

        Assert.Contains(Load(file).Notes, note => note.Contains("'1,100' on line 2 is read as 1.1", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("None")]
    [InlineData("-")]
    [InlineData("NA")]
    [InlineData("N/A")]
    [InlineData("null")]
    [InlineData("?")]
    [InlineData("#DIV/0!")]
    [InlineData("<NA>")]
    [InlineData("\\N")]
    [InlineData(".")]
    [InlineData("--")]
    [InlineData("n.a.")]
    public void Load_AMissingWordAmongNumbers_IsMissingAndTold(string word)
    {
        string file = Write("y,x\n" + Rows(200, i => $"{i % 2},{(i % 5 == 0 ? word : Number(i))}"));

        TabularData data = Load(file);

        Assert.Equal(2, data.FeatureCount);
        Assert.Equal(40, data.Training.Concat(data.Test).Count(row => row.Features[1] == 1));
        Assert.Contains(data.Notes, note => note.StartsWith($"Column x: '{word}' (", StringComparison.Ordinal));
    }

    [Fact]
    public void Load_MissingWordsOfTheUser_TakeThePlaceOfTheUsualOnes()
    {
        string file = Write("y,x\n" + Rows(200, i => $"{i % 2},{(i % 5 == 0 ? "unknown" : Number(i))}"));

        Assert.Contains("give --missing 'unknown'", Problem(file), StringComparison.Ordinal);
        Assert.Equal(2, Load(file, Options() with { Missing = ["unknown"] }).FeatureCount);
        Assert.Equal(2, Load(file, Options() with { Numbers = ["x"] }).FeatureCount);

        // Nothing but an empty field: NA is a country.
        string countries = Write("y,x\n" + Rows(200, i => $"{i % 2},{(i % 5 == 0 ? "NA" : "ZA")}"));
        Assert.Equal(1, Load(countries).FeatureCount);
        Assert.Equal(2, Load(countries, Options() with { Missing = [] }).FeatureCount);
    }

    [Fact]
    public void Load_NoneAmongNames_IsANameAndTold()
    {
        TabularData data = Load(Write("y,x\n" + Rows(200, i => $"{i % 2},{(i % 3 == 0 ? "None" : i % 3 == 1 ? "brick" : "wood")}")));

        Assert.Equal(3, data.FeatureCount);
        Assert.Contains(data.Notes, note => note.StartsWith("Column x holds names, and 'None' (", StringComparison.Ordinal));
    }

    [Fact]
    public void Load_AColumnThatIsMostlyNumbers_NeverSilentlyBecomesNames()
    {
        string problem = Problem(Write("y,x\n" + Rows(300, i => $"{i % 2},{(i % 3 == 0 ? $"about {i}" : Number(i))}")));

        Assert.Contains("column 2 ('x'): not a number", problem, StringComparison.Ordinal);
        Assert.Contains(" such, the first on line ", problem, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("Zürich", "ü", "windows-1252")]
    [InlineData("Straße", "ß", "iso-8859-1")]
    [InlineData("Łódź", "Ł", "windows-1250")]
    [InlineData("Москва", "М", "windows-1251")]
    [InlineData("東京", "東", "shift_jis")]
    public void Load_AFileThatIsNotUtf8_SaysWhereAndIsReadWithItsEncoding(string town, string _, string encoding)
    {
        Encoding.RegisterProvider(CodePagesEncodingProvider.Instance);
        string path = _folder.File("rows.csv"), text = "y,town\n0,Bern\n" + Rows(200, i => $"{i % 2},{(i % 2 == 0 ? town : "Bern")}");
        File.WriteAllBytes(path, Encoding.GetEncoding(encoding).GetBytes(text));

        string problem = Problem(path);
        TabularData data = Load(path, Options() with { Encoding = CsvText.Named(encoding) });

        Assert.StartsWith($"{path}, line 3, column 2: byte ", problem, StringComparison.Ordinal);
        Assert.Contains("--encoding windows-1252", problem, StringComparison.Ordinal);
        Assert.Equal(2, data.FeatureCount);
    }

    [Fact]
    public void Load_Utf16_IsReadWithAndWithoutItsMark()
    {
        string text = "y,x\n" + Rows(200, i => $"{i % 2},{(i % 2 == 0 ? "Zürich" : "Zug")}");
        foreach ((Encoding encoding, bool isMarked) in ((Encoding, bool)[])[(Encoding.Unicode, true), (Encoding.BigEndianUnicode, true),
            (new UnicodeEncoding(false, false), false), (new UnicodeEncoding(true, false), false), (Encoding.UTF32, true)])
        {
            string path = _folder.File("rows.csv");
            File.WriteAllText(path, text, encoding);

            TabularData data = Load(path);

            Assert.Equal(2, data.FeatureCount);
            Assert.Equal(!isMarked, data.Notes.Contains("The file is read as UTF-16, though no byte-order mark says so."));
        }
    }

    [Theory]
    [InlineData("y,x\n1,a\0b\n", ", line 2: a NUL character.")]
    [InlineData("PK\u0003\u0004xx", " is a zip archive (as an Excel workbook is)")]
    [InlineData("PAR1xx", " begins as a Parquet file and cannot be read as one")]
    [InlineData("{\"y\": 1}\n", "it is JSON, no table.")]
    [InlineData("<!DOCTYPE html>\n", "it is a page or XML, no table.")]
    [InlineData("\n\n", " is empty: its first line must name the columns.")]
    [InlineData("1,2\n3,4\n", ", line 1: '1', '2' ... are numbers, and this line must name the columns")]
    public void Load_NoTable_SaysWhatItIs(string text, string expected)
        => Assert.Contains(expected, Problem(Write(text)), StringComparison.Ordinal);

    [Theory]
    [InlineData(18, 10_000)]
    [InlineData(2, 50)]
    [InlineData(30, 31)]
    public void Load_AQuoteThatNeverCloses_IsToldWhereItOpens(int line, int lines)
    {
        string file = Write("x,z,y\n" + Rows(lines, i => i == line - 2 ? "1.5,\"abc,0" : $"{Number(i)},{Number(i + 1)},{i % 2}"));

        Assert.StartsWith(
            $"{file}, line {line}, column 2: a quote opens in '\"abc,0' and is not closed there; the field would run to line ",
            Problem(file), StringComparison.Ordinal);
    }

    [Fact]
    public void Load_AQuoteThatNeverClosesBehindBlankLines_IsToldWhereItOpens()
        => Assert.Contains(", line 5, column 2: a quote opens in '\"4' and is not closed there; the field would run to line 6.",
            Problem(Write("x,y\n1,2\n\n\n3,\"4\n5,6\n")), StringComparison.Ordinal);

    [Fact]
    public void Load_AQuoteThatALaterOneCloses_IsToldWhereItOpens()
    {
        string file = Write("x,z,y\n" + Rows(90, i => i == 16 ? "1.5,\"abc,0" : i == 60 ? "1,\"de\",1" : $"{i % 7},{i % 5},{i % 2}"));

        Assert.StartsWith($"{file}, line 18", Problem(file), StringComparison.Ordinal);
    }

    [Fact]
    public void Load_BlankLinesAndLineBreaksInFields_DoNotMoveTheLineOfAMessage()
    {
        string file = Write("y,x,t\n\n\n" + Rows(30, i => $"{i % 2},{Number(i)},\"a\nb\"") + "1,2\n1,2,c\n");

        Assert.StartsWith($"{file}, line 64: 2 fields", Problem(file), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("sep=;\ny;x\n", ";", "", 0)]
    [InlineData("# made by a program\n# in two lines\ny,x\n", ",", "", 1)]
    [InlineData("# y,x\n", ",", "", 1)]
    [InlineData("Sales report\n\ny,x\n", ",", "", 1)]
    [InlineData("Sales report,\ny,x\n", ",", "", 1)]
    [InlineData("Sales report, 2026\n\ny,x\n", ",", "", 1)]
    [InlineData("Report; made by A, B, C\nGenerated: 2026-01-01\ny,x\n", ",", "", 1)]
    [InlineData("y x\n", "  ", "", 0)]
    [InlineData("y \t x\n", "\t ", "", 0)]
    [InlineData("Sales report\n\n  y  x\n", "   ", "", 1)]
    [InlineData("Sales report\nof March\n\ny,x\n", ",", "", 1)]
    [InlineData("y,x\n", ",", "Total,99999\n", 1)]
    [InlineData("y,x\n", ",", "(200 rows affected)\n", 1)]
    [InlineData("y,x\n", ",", "# the end\n", 1)]
    [InlineData("\ufeffy,x\n", ",", "", 0)]
    public void Load_WhatStandsAroundATable_IsLeftOutAndTold(string above, string separator, string below, int notes)
    {
        string file = Write(above + Rows(200, i => $"{i % 2}{separator}{Number(i)}") + below);

        TabularData data = Load(file);

        Assert.Equal((1, 200), (data.FeatureCount, data.Training.Count + data.Test.Count));
        Assert.Equal(notes, data.Notes.Count(note => note.Contains("left out", StringComparison.Ordinal)
            || note.Contains("behind its #", StringComparison.Ordinal)));
    }

    [Fact]
    public void Load_DecimalCommasOnEveryLineBelowTheNames_AreNoColumns()
    {
        TabularData data = Load(Write("y;x\n" + Rows(200, i => $"{i % 2};1.{100 + i},5 €")));

        Assert.Equal(1, data.FeatureCount);
        Assert.DoesNotContain(data.Notes, note => note.Contains("Line 1", StringComparison.Ordinal));
    }

    [Fact]
    public void Load_FieldsBetweenSpaces_MayHoldSpacesInQuotesAndTabsBetweenThem()
    {
        TabularData data = Load(Write("y \"the place\" x\n" + Rows(200, i => $" {i % 2}  \"in {(i % 3 == 0 ? "a" : "b")}\"\t{Number(i)} ")),
            Options() with { Separator = ' ' });

        Assert.Equal(3, data.FeatureCount);
    }

    [Fact]
    public void Load_SpacesInNamesAndTexts_AreNoColumns()
        => Assert.Equal(1, Load(Write("y,of the town\n" + Rows(200, i => $"{i % 2},{Number(i)}"))).FeatureCount);

    [Fact]
    public void Load_ARowInPlaceOfNames_IsADoubt()
    {
        TabularData data = Load(Write(Rows(200, i => $"{i % 2},{Number(i)},{(i % 3 == 0 ? "a" : "b")}")), Options() with { Label = "#1" });

        Assert.Contains(data.Notes, note => note.StartsWith("Line 1 names the columns, and one is called '", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("2019,2020,y", false)]
    [InlineData("q0.1,q0.9,y", false)]
    [InlineData("0.1,0.9,y", true)]
    [InlineData("-3,x,y", true)]
    public void Load_NamesThatAreMeasurements_AreADoubt(string names, bool isDoubt)
        => Assert.Equal(isDoubt, Load(Write(names + "\n" + Rows(200, i => $"{Number(i)},{i % 7},{i % 2}"))).Notes
            .Any(note => note.Contains("is it a row already", StringComparison.Ordinal)));

    [Fact]
    public void Load_ACopyOfTheLabelInAnotherUnit_IsTold()
    {
        var random = new Random(3);
        string file = Write("x,km,y\n" + Rows(120, _ =>
        {
            double miles = Math.Exp(3 * random.NextDouble());
            return string.Create(CultureInfo.InvariantCulture, $"{random.NextDouble():F3},{1.609 * miles + 2:F4},{miles:F4}");
        }));

        TabularData data = Load(file, Options() with { Task = PredictionTask.Regression });

        Assert.Contains(data.Leaks, note => note.StartsWith("Column km alone predicts 100.0 % of the test rows' variance",
            StringComparison.Ordinal));
        Assert.DoesNotContain(data.Leaks, note => note.StartsWith("Column x", StringComparison.Ordinal));
    }

    [Fact]
    public void Load_AColumnThatIsCalledHash_IsNoComment()
        => Assert.Equal(1, Load(Write("#,y\n" + Rows(200, i => $"{Number(i)},{i % 2}")), Options() with { Ignore = [], Features = ["#"] })
            .FeatureCount);

    [Fact]
    public void Load_ANamelessFirstColumn_IsLeftOutWithANoteAndCanBeTaken()
    {
        string file = Write(",x,y\n" + Rows(200, i => $"{i},{Number(i)},{i % 2}"));

        TabularData data = Load(file);

        Assert.Equal(1, data.FeatureCount);
        Assert.Contains("Column #1 is left out: it has no name (--features '#1' takes it).", data.Notes);
        Assert.Equal(2, Load(file, Options() with { Features = ["#1", "x"], Numbers = ["#1"] }).FeatureCount);
        Assert.DoesNotContain(Load(file, Options() with { Ignore = ["#1"] }).Notes, note => note.Contains("#1", StringComparison.Ordinal));
    }

    [Fact]
    public void Load_TwoColumnsOfOneName_AreToldApartByTheirNumbers()
    {
        string file = Write("x,x,y\n" + Rows(200, i => $"{Number(i)},{Number(i + 1)},{i % 2}"));

        Assert.Equal(2, Load(file).FeatureCount);
        Assert.Equal(1, Load(file, Options() with { Ignore = ["#2"] }).FeatureCount);
        Assert.Equal($"--ignore 'x' is the name of 2 columns of {file}: give #1 or #2.",
            Problem(file, Options() with { Ignore = ["x"] }));
    }

    [Theory]
    [InlineData("Income, USD")]
    [InlineData("\"Income, USD\"")]
    [InlineData("#1")]
    [InlineData("z,Income, USD")]
    public void Load_AnIgnoredColumnWithAComma_IsLeftOut(string ignore)
    {
        string file = Write("\"Income, USD\",z,age,y\n" + Rows(200, i => $"{Number(i)},{Number(i + 1)},{Number(i + 2)},{i % 2}"));

        Assert.Equal(ignore.StartsWith('z') ? 1 : 2, Load(file, Options() with { Ignore = [ignore] }).FeatureCount);
    }

    [Fact]
    public void Load_AColumnThatCountsTheRows_IsLeftOutByName()
    {
        string file = Write("Id,x,y\n" + Rows(300, i => $"{i + 1},{Number(i)},{i / 150}"));

        TabularData data = Load(file);

        Assert.Equal(1, data.FeatureCount);
        Assert.Contains(data.Notes, note => note.StartsWith("Column Id is left out: it counts the rows, by 1,", StringComparison.Ordinal));
    }

    [Fact]
    public void Load_AShuffledId_IsPointedOut()
    {
        int[] ids = [.. Enumerable.Range(1000, 300)];
        new Random(1).Shuffle(ids);

        Assert.Contains(Load(Write("Id,x,y\n" + Rows(300, i => $"{ids[i]},{Number(i)},{i % 2}"))).Notes,
            note => note.StartsWith("Column Id has another whole number in every row", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData(PredictionTask.Binary)]
    [InlineData(PredictionTask.Multiclass)]
    [InlineData(PredictionTask.Regression)]
    public void Load_AColumnThatAlonePredictsTheLabel_IsPointedOutAndOthersAreNot(PredictionTask task)
    {
        string file = Write("copy,weak,noise,y\n" + Rows(600, i => $"{2 * (i * 31 % 7) + 1},{(i % 3 == 0 ? 0 : i * 31 % 7)},{Number(i)},"
            + $"{(task == PredictionTask.Binary ? i * 31 % 7 / 4 : i * 31 % 7)}"));

        string[] notes = [.. Load(file, Options() with { Task = task }).Notes];

        Assert.Contains(notes, note => note.StartsWith("Column copy alone predicts 100.0 % of the test rows' ", StringComparison.Ordinal));
        Assert.DoesNotContain(notes, note => note.StartsWith("Column noise alone", StringComparison.Ordinal)
            || note.StartsWith("Column weak alone", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("yyyy-MM-dd")]
    [InlineData("dd.MM.yyyy")]
    [InlineData("M/d/yyyy")]
    [InlineData("yyyy-MM-dd HH:mm:ss")]
    [InlineData("yyyy-MM-ddTHH:mm:ssZ")]
    [InlineData("d MMM yyyy")]
    [InlineData("HH:mm")]
    public void Load_Dates_AreLeftOutAndTold(string format)
    {
        TabularData data = Load(Write("when,x,y\n" + Rows(300, i => new DateTime(2024, 1, 1, 0, 0, 0, DateTimeKind.Utc).AddHours(i * 31)
            .ToString(format, CultureInfo.InvariantCulture) + $",{Number(i)},{i % 2}")));

        Assert.Equal(1, data.FeatureCount);
        Assert.Contains(data.Notes, note => note.StartsWith("Column when is left out: it holds dates or times", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("TRUE", "true", "False", "FALSE")]
    [InlineData("1", "1.0", "0", "0.0")]
    [InlineData("Yes", "YES", "no", "No")]
    [InlineData("1", "+1", "-1", "-1.00")]
    public void Load_TwoSpellingsOfAClass_AreOne(string yes, string alsoYes, string no, string alsoNo)
    {
        string[] spellings = [yes, no, alsoYes, alsoNo];
        TabularData data = Load(Write("x,y\n" + Rows(400, i => $"{Number(i)},{spellings[i % 4]}")));

        Assert.Equal([no, yes], data.Classes);
        Assert.Contains(data.Notes, note => note.EndsWith($"are one class, '{yes}'.", StringComparison.Ordinal));
        Assert.Equal(200, data.Training.Concat(data.Test).Count(row => row.Flag));
    }

    [Theory]
    [InlineData("9007199254740993", "9007199254740992")]
    [InlineData("007", "7")]
    [InlineData("setosa", "Setosa")]
    [InlineData("1e2", "100")]
    public void Load_TwoTextsThatDiffer_StayTwoClasses(string first, string second)
        => Assert.Equal(2, Load(Write("x,y\n" + Rows(400, i => $"{Number(i)},{(i % 2 == 0 ? first : second)}"))).Classes.Count);

    [Fact]
    public void Load_NoneAsALabel_IsMissingAmongNumbersAndAClassAmongNames()
    {
        TabularData numbers = Load(Write("x,y\n" + Rows(300, i => $"{Number(i)},{(i % 3 == 2 ? "None" : $"{i % 3}")}")));
        TabularData names = Load(Write("x,y\n" + Rows(300, i => $"{Number(i)},{(i % 3 == 2 ? "None" : i % 3 == 1 ? "minor" : "major")}")),
            Options() with { Task = PredictionTask.Multiclass });

        Assert.Equal((2, 200), (numbers.Classes.Count, numbers.Training.Count + numbers.Test.Count));
        Assert.Contains("Label y: 'None' is taken as missing (--missing LIST says otherwise).", numbers.Notes);
        Assert.Equal(3, names.Classes.Count);
        Assert.Contains("Label y: 'None' is a class (--missing None takes it for missing).", names.Notes);
    }

    [Fact]
    public void Load_ClassesOfOnePartOnly_AreToldByName()
    {
        string training = Write("x,y\n" + Rows(300, i => $"{Number(i)},{"abc"[i % 3]}"));
        string test = Write("x,y\n1,a\n2,b\n3,d\n4,d\n", "test.csv");

        TabularData data = Load(training, Options() with { Task = PredictionTask.Multiclass, TestFile = test });

        Assert.Contains("No training row is 'd' (2 test rows).", data.Notes);
        Assert.Contains("No test row is 'c': no figure tells how well it is predicted.", data.Notes);
    }

    [Theory]
    [InlineData("{0} kg", "numbers with a unit behind")]
    [InlineData("{0}mm", "numbers with a unit behind")]
    [InlineData("{0},{1}", "1 numbers have a decimal point and 299 a comma")]
    public void Load_NumbersThatCannotBeCompared_Stop(string format, string expected)
        => Assert.Contains(expected, Problem(Write("y;x\n" + Rows(300, i => $"{i % 2};" + (format.Contains(',') && i == 150 ? "0.55"
            : string.Format(CultureInfo.InvariantCulture, format, i + 1, i % 7)))), Options() with { TestShare = 0 }),
            StringComparison.Ordinal);

    [Theory]
    [InlineData("{0:00000}", "begin with a zero, as codes do")]
    [InlineData("2024{1:00}{2:00}", "seems to hold dates, as 20240131")]
    [InlineData("17{3:00000}", "rises, or falls, from every row to the next")]
    public void Load_NumbersThatMeanSomethingElse_ArePointedOut(string format, string expected)
        => Assert.Contains(Load(Write("y,x\n" + Rows(200, i => $"{i % 2}," + string.Format(CultureInfo.InvariantCulture, format,
            i * 7919 % 1009, i % 12 + 1, i % 28 + 1, i * i)))).Notes, note => note.Contains(expected, StringComparison.Ordinal));

    [Fact]
    public async Task Profile_AFileOfOneColumnWithColons_AsksForItsSeparator()
    {
        (_, string output, _) = await Runner.RunAsync(["profile", Write("x:y\n" + Rows(200, i => $"{Number(i)}:{i % 2}"))], Token);

        Assert.Contains("The file has one column, 'x:y': if these are more, give the --separator between them.", output,
            StringComparison.Ordinal);
    }

    [Fact]
    public async Task Profile_AFileBetweenSpaces_SaysSoAndTellsTheLabelsCopy()
    {
        (_, string output, _) = await Runner.RunAsync(["profile", "--label", "y",
            Write("x  y  z\n" + Rows(200, i => $"{Number(i)}   {i % 2}  {1 - (i % 2)}"))], Token);

        Assert.Contains("3 columns, separated by spaces", output, StringComparison.Ordinal);
        Assert.Contains("Column z alone predicts 100.0 % of the test rows' labels", output, StringComparison.Ordinal);
        Assert.DoesNotContain("Column x alone", output, StringComparison.Ordinal);
    }

    [Fact]
    public void Load_MixedCurrenciesAndPercents_Stop()
    {
        Assert.Contains("the column mixes '$' and '€'", Problem(Write("y,x\n" + Rows(200, i => $"{i % 2},{(i % 2 == 0 ? '$' : '€')}{i}"))),
            StringComparison.Ordinal);
        Assert.Contains("100 of 200 numbers have a percent sign", Problem(Write("y,x\n" + Rows(200, i =>
            $"{i % 2},{i * 7 % 100}{(i % 2 == 0 ? "%" : "")}")), Options() with { TestShare = 0 }), StringComparison.Ordinal);
    }

    [Fact]
    public void Load_Strict_StopsAtADoubtAndNotWithoutOne()
    {
        string clear = Write("x,y\n" + Rows(200, i => $"{Number(i)},{i % 2}"));
        Assert.Equal(1, Load(clear, Options() with { IsStrict = true }).FeatureCount);

        string doubtful = Write("x,y\n" + Rows(200, i => $"{(i % 9 == 0 ? "None" : Number(i))},{i % 2}"));
        Assert.StartsWith(
            $"{doubtful}: --strict stops at 1 doubt. Column x: 'None' (", Problem(doubtful, Options() with { IsStrict = true }),
            StringComparison.Ordinal);
    }

    [Fact]
    public async Task Profile_ShowsEveryColumnAndWhatDoesNotFit()
    {
        string file = Write("Id,price,town,y\n" + Rows(300, i =>
            $"{i + 1},\"{1000 + i * 7919 % 509:#,0}\",{(i % 2 == 0 ? "[Bern]" : "Zug")},{i % 2}"));

        (int exitCode, string output, string error) = await Runner.RunAsync(["profile", file, "--label", "y"], Token);

        Assert.Equal((0, ""), (exitCode, error));
        Assert.Contains("4 columns, separated by commas; 300 of 300 rows looked at.", output, StringComparison.Ordinal);
        Assert.Contains("a count of rows", output, StringComparison.Ordinal);
        Assert.Contains("Column price is written with groups of thousands: '1,000' on line 2 is read as 1000", output,
            StringComparison.Ordinal);
        Assert.Contains("y is the label: it has 2 values, for --task binary.", output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Profile_AColumnThatDoesNotFit_ShowsThreeExamplesAndFails()
    {
        string file = Write("x,y\n" + Rows(300, i => $"{(i % 50 == 7 ? $"bad{i}" : Number(i))},{i % 2}"));

        (int exitCode, string output, string error) = await Runner.RunAsync(["profile", file], Token);

        Assert.Equal(1, exitCode);
        Assert.Contains("6: line 9 'bad7', line 59 'bad57', line 109 'bad107'", string.Join(' ',
            output.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries)), StringComparison.Ordinal);
        Assert.StartsWith($"{file}, line 9, column 1 ('x'): not a number", error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Compare_ShowsTheProfileBeforeTraining()
    {
        string file = Write("x,y\n" + Rows(200, i => $"{(i % 9 == 0 ? "None" : Number(i))},{i % 2}"));

        (int exitCode, string output, _) = await Runner.RunAsync(["compare", "--data", file, "--label", "y", "--task", "binary", "--seeds",
            "1", "--full-seeds", "0", "--passes", "1", "--policies", "uniform", "--hidden", "", "--json", _folder.File("out.json")], Token);

        Assert.Equal(0, exitCode);
        int profile = output.IndexOf("taken for", StringComparison.Ordinal), training = output.IndexOf("seed 1", StringComparison.Ordinal);
        Assert.InRange(profile, 0, training);
        Assert.InRange(output.IndexOf("Column x: 'None' (", StringComparison.Ordinal), 0, training);
    }

    private static CsvOptions Options() => new() { Label = "y", Task = PredictionTask.Binary };

    private static TabularData Load(string file, CsvOptions? options = null) => CsvData.Load(file, options ?? Options());

    private static string Problem(string file, CsvOptions? options = null)
        => Assert.Throws<InvalidDataException>(() => CsvData.Load(file, options ?? Options())).Message;

    private static string Rows(int count, Func<int, string> row) => string.Concat(Enumerable.Range(0, count).Select(i => row(i) + "\n"));

    private string Write(string text, string name = "rows.csv")
    {
        File.WriteAllText(_folder.File(name), text);
        return _folder.File(name);
    }
}
