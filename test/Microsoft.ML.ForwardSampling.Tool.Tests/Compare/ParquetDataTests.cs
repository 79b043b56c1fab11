using System.Globalization;
using Microsoft.ML.ForwardSampling.Tool.Compare;
using Parquet;
using Parquet.Schema;

namespace Microsoft.ML.ForwardSampling.Tool.Tests.Compare;

public sealed class ParquetDataTests : IDisposable
{
    private const int Rows = 300;

    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    /// <summary>The same table as Parquet, in two row groups, and as CSV: the same rows, features and notes.</summary>
    [Fact]
    public async Task Load_Parquet_IsAsTheSameTableInCsv()
    {
        string parquet = await WriteAsync("rows.parquet"), csv = _folder.File("rows.csv");
        await File.WriteAllTextAsync(csv, "Size,Weight,Colour,Day,Bought,Price\n" + string.Concat(Enumerable.Range(0, Rows).Select(i =>
            string.Create(CultureInfo.InvariantCulture, $"{Size(i)},{(i % 10 == 3 ? "" : Weight(i))},\"{Colour(i)}\",")
            + $"{Day(i):yyyy-MM-dd HH:mm:ss},{(i % 3 == 0 ? "true" : "false")},{Price(i).ToString(CultureInfo.InvariantCulture)}\n")));
        var options = new CsvOptions { Label = "Bought", Task = PredictionTask.Binary };

        TabularData expected = CsvData.Load(csv, options), actual = CsvData.Load(parquet, options);

        Assert.Equal("rows.parquet", actual.Name);
        Assert.Equal(expected.Notes, actual.Notes);
        Assert.Equal(expected.Classes, actual.Classes);
        Assert.Equal(expected.Training.Select(row => row.Features), actual.Training.Select(row => row.Features));
        Assert.Equal(expected.Test.Select(row => row.Flag), actual.Test.Select(row => row.Flag));
        Assert.Equal(Rows, actual.Training.Count + actual.Test.Count);
    }

    [Fact]
    public async Task Load_ParquetCutAnywhere_IsRefusedByName()
    {
        byte[] whole = await File.ReadAllBytesAsync(await WriteAsync("whole.parquet"));
        string cut = _folder.File("cut.parquet");
        foreach (int length in new[] { 4, 12, 100, whole.Length / 2, whole.Length - 1 })
        {
            await File.WriteAllBytesAsync(cut, whole[..length]);
            Assert.StartsWith($"{cut} begins as a Parquet file and cannot be read as one: ", Assert.Throws<InvalidDataException>(
                () => CsvData.Load(cut, new CsvOptions { Label = "Bought", Task = PredictionTask.Binary })).Message,
                StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task Load_ParquetWithBytes_NamesTheColumn()
    {
        string path = _folder.File("bytes.parquet");
        var field = new DataField<byte[]>("Picture");
        await using (FileStream stream = File.Create(path))
        await using (ParquetWriter writer = await ParquetWriter.CreateAsync(new ParquetSchema(field), stream))
        using (ParquetRowGroupWriter rows = writer.CreateRowGroup())
            await rows.WriteAsync(field, (byte[][])[[1, 2], [3]]);
        Assert.Contains("column 'Picture': a row of it holds bytes, and what is read is one number, text, truth value or time.",
            Assert.Throws<InvalidDataException>(() => CsvData.Load(path, new CsvOptions { Label = "Picture" })).Message,
            StringComparison.Ordinal);
    }

    /// <summary>A file larger than memory allows: the sentence before anything is featurised, and the sample that it names.</summary>
    [Fact]
    public void Load_MoreThanMemoryAllows_NamesTheRowsThatFit_AndTheyDo()
    {
        string path = TinyCsv.Write(_folder);
        var options = new CsvOptions { Label = "Bought", Task = PredictionTask.Binary, Ignore = ["Kind", "Price"], MemoryLimit = 60_000 };

        string message = Assert.Throws<InvalidDataException>(() => CsvData.Load(path, options)).Message;

        // 6 features of 4 bytes and 96 more.
        Assert.StartsWith($"{path}: 1,500 rows of 6 features need 0.000 GiB of memory, and the limit is 0.000 GiB", message,
            StringComparison.Ordinal);
        Assert.Contains("Take a sample with --rows 500, or fewer columns with --features or --ignore.", message, StringComparison.Ordinal);
        TabularData data = CsvData.Load(path, options with { Rows = 500 });
        Assert.Equal(500, data.Training.Count + data.Test.Count);
        Assert.Contains("One row in 3 is taken of 1500: --rows 500.", data.Notes);
        Assert.Equal(CsvData.Load(path, options with { Rows = 500 }).Training.Select(row => row.Features),
            data.Training.Select(row => row.Features));
        Assert.Equal(1500, CsvData.Load(path, options with { Rows = 1500, MemoryLimit = null }) is var all
            ? all.Training.Count + all.Test.Count : 0);
    }

    private static double Size(int i) => 100 + (i * 7919 % 401 / 16.0);

    private static float Weight(int i) => i * 31 % 97 / 8f;

    private static string Colour(int i) => (i % 4) switch { 0 => "red", 1 => "dark, blue", _ => "green" };

    private static DateTime Day(int i) => new DateTime(2026, 1, 1, 0, 0, 0, DateTimeKind.Unspecified).AddHours(i * 37 % 2000);

    private static long Price(int i) => 1000 + (i * 13 % 500);

    private async Task<string> WriteAsync(string name)
    {
        DataField size = new DataField<double>("Size"), weight = new DataField<float?>("Weight"), colour = new DataField<string>("Colour"),
            day = new DateTimeDataField("Day", DateTimeFormat.Timestamp, isAdjustedToUTC: false, unit: DateTimeTimeUnit.Micros),
            bought = new DataField<bool>("Bought"), price = new DataField<long>("Price");
        string path = _folder.File(name);
        await using FileStream stream = File.Create(path);
        await using ParquetWriter writer = await ParquetWriter.CreateAsync(new ParquetSchema(size, weight, colour, day, bought, price),
            stream);
        foreach (int[] some in Enumerable.Range(0, Rows).Chunk(200))
        {
            using ParquetRowGroupWriter rows = writer.CreateRowGroup();
            await rows.WriteAsync<double>(size, Array.ConvertAll(some, Size).AsMemory());
            await rows.WriteAsync<float>(weight, Array.ConvertAll(some, i => i % 10 == 3 ? (float?)null : Weight(i)).AsMemory());
            await rows.WriteAsync(colour, Array.ConvertAll(some, Colour));
            await rows.WriteAsync<DateTime>(day, Array.ConvertAll(some, Day).AsMemory());
            await rows.WriteAsync<bool>(bought, Array.ConvertAll(some, i => i % 3 == 0).AsMemory());
            await rows.WriteAsync<long>(price, Array.ConvertAll(some, Price).AsMemory());
        }

        return path;
    }
}
