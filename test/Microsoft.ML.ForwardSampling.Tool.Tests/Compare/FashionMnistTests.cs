using Microsoft.ML.ForwardSampling.Tool.Compare;

namespace Microsoft.ML.ForwardSampling.Tool.Tests.Compare;

public sealed class FashionMnistTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public FashionMnistTests() => TinyFashionMnist.Write(_folder.Path);

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Load_WholeFiles_ScalesByTheTrainingPixelsAndKeepsClasses()
    {
        // Training: half 50, half 150, so mean 100 and standard deviation 50.
        TinyFashionMnist.WriteIdx(_folder.File(TinyFashionMnist.TrainingImages), 0x803, [2, 28, 28],
            [.. Enumerable.Repeat((byte)50, 784), .. Enumerable.Repeat((byte)150, 784)]);
        TinyFashionMnist.WriteIdx(_folder.File(TinyFashionMnist.TrainingLabels), 0x801, [2], [3, 4]);
        TinyFashionMnist.WriteIdx(_folder.File(TinyFashionMnist.TestImages), 0x803, [2, 28, 28],
            [.. new byte[783], 255, 100, .. new byte[783]]);
        TinyFashionMnist.WriteIdx(_folder.File(TinyFashionMnist.TestLabels), 0x801, [2], [0, 9]);

        FashionMnist data = FashionMnist.Load(_folder.Path);

        Assert.Equal([3u, 4u], data.Training.Select(row => row.Label));
        Assert.Equal([0u, 9u], data.Test.Select(row => row.Label));
        Assert.All(data.Training[0].Features, value => Assert.Equal(-1f, value, 1e-6f));
        Assert.All(data.Training[1].Features, value => Assert.Equal(1f, value, 1e-6f));
        Assert.Equal(3.1f, data.Test[0].Features[783], 1e-6f);
        Assert.Equal(0f, data.Test[1].Features[0], 1e-6f);
    }

    [Fact]
    public void Load_ImagesOfOneColour_StayFinite()
    {
        TinyFashionMnist.WriteIdx(_folder.File(TinyFashionMnist.TrainingImages), 0x803, [1, 28, 28], new byte[784]);
        TinyFashionMnist.WriteIdx(_folder.File(TinyFashionMnist.TrainingLabels), 0x801, [1], [0]);

        Assert.All(FashionMnist.Load(_folder.Path).Training[0].Features, value => Assert.Equal(0f, value));
    }

    [Fact]
    public void Load_AllTenClasses_NoneIsLostAsMissingKey()
    {
        var mlContext = new MLContext(1);
        FashionMnist data = FashionMnist.Load(_folder.Path);

        IDataView rows = mlContext.Data.LoadFromEnumerable(data.Training);
        uint[] keys = [.. Data.ColumnCursorExtensions.GetColumn<uint>(rows, "Label")];

        Assert.Equal(Enumerable.Range(1, 10).Select(k => (uint)k), keys.Distinct().Order());
    }

    [Theory]
    [InlineData(TinyFashionMnist.TrainingImages)]
    [InlineData(TinyFashionMnist.TestLabels)]
    public void Load_MissingFile_NamesItAndThePackage(string name)
    {
        File.Delete(_folder.File(name));

        var e = Assert.Throws<FileNotFoundException>(() => FashionMnist.Load(_folder.Path));

        Assert.StartsWith($"{_folder.File(name)} is missing. ", e.Message, StringComparison.Ordinal);
        Assert.Contains("apt-get install dataset-fashion-mnist", e.Message, StringComparison.Ordinal);
        Assert.Contains("--data", e.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(5)]
    [InlineData(15)]
    [InlineData(3000)]
    public void Load_TruncatedGzip_NamesTheFile(int bytes)
        => AssertDamaged(TinyFashionMnist.TrainingImages, path => File.WriteAllBytes(path, File.ReadAllBytes(path)[..bytes]), "");

    [Fact]
    public void Load_NotGzip_SaysSo()
        => AssertDamaged(TinyFashionMnist.TrainingLabels, path => File.WriteAllText(path, "<html>moved</html>"),
            "is not a whole gzip file");

    [Fact]
    public void Load_LabelsWhereImagesShouldBe_NamesBothMagicNumbers()
        => AssertDamaged(TinyFashionMnist.TrainingImages, path =>
            File.Copy(_folder.File(TinyFashionMnist.TrainingLabels), path, overwrite: true), "starts with 0x00000801, expected 0x00000803");

    [Fact]
    public void Load_OtherImageSize_NamesBothSizes()
        => AssertDamaged(TinyFashionMnist.TestImages, path => TinyFashionMnist.WriteIdx(path, 0x803, [1, 32, 28], new byte[896]),
            "side of 32 pixels, expected 28");

    [Fact]
    public void Load_FewerBytesThanPromised_SaysHowMany()
        => AssertDamaged(TinyFashionMnist.TestLabels, path => TinyFashionMnist.WriteIdx(path, 0x801, [300], new byte[299]),
            "ends after 299 of 300 bytes");

    [Fact]
    public void Load_MoreBytesThanPromised_SaysSo()
        => AssertDamaged(TinyFashionMnist.TestLabels, path => TinyFashionMnist.WriteIdx(path, 0x801, [300], new byte[301]),
            "goes on after its 300 labels");

    [Fact]
    public void Load_ImagesAndLabelsOfDifferentCount_NamesBothCounts()
        => AssertDamaged(TinyFashionMnist.TestLabels, path => TinyFashionMnist.WriteIdx(path, 0x801, [299], new byte[299]),
            "has 300 images and", startsWithPath: false);

    [Fact]
    public void Load_UnknownClass_NamesRowAndClass()
        => AssertDamaged(TinyFashionMnist.TestLabels, path => TinyFashionMnist.WriteIdx(path, 0x801, [300], [.. new byte[299], 10]),
            "label 299 is 10, expected 0 to 9");

    [Fact]
    public void Load_DebianPackage_HasAllImages()
    {
        Assert.SkipUnless(Directory.Exists(FashionMnist.DebianFolder), "The Debian package dataset-fashion-mnist is not installed.");

        FashionMnist data = FashionMnist.Load(FashionMnist.DebianFolder);

        Assert.All(data.Training.CountBy(row => row.Label), pair => Assert.Equal(6000, pair.Value));
        Assert.All(data.Test.CountBy(row => row.Label), pair => Assert.Equal(1000, pair.Value));
        Assert.Equal((60_000, 10_000), (data.Training.Count, data.Test.Count));
    }

    private void AssertDamaged(string name, Action<string> damage, string expected, bool startsWithPath = true)
    {
        string path = _folder.File(name);
        damage(path);

        var e = Assert.Throws<InvalidDataException>(() => FashionMnist.Load(_folder.Path));

        Assert.Contains(expected, e.Message, StringComparison.Ordinal);
        Assert.Contains(path, e.Message, StringComparison.Ordinal);
        Assert.Contains("dataset-fashion-mnist", e.Message, StringComparison.Ordinal);
        if (startsWithPath)
            Assert.StartsWith(path, e.Message, StringComparison.Ordinal);
    }
}
