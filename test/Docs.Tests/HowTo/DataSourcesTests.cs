using DuckDB.NET.Data;
using Microsoft.Data.Analysis;
using Microsoft.ML.Data;
using Microsoft.ML.ForwardSampling.Networks;
using Microsoft.ML.ForwardSampling.Selection;
using Parquet;
using Parquet.Serialization;

namespace Microsoft.ML.ForwardSampling.Docs.Tests.HowTo;

/// <summary>The code of docs/how-to/data-sources.md.</summary>
public sealed class DataSourcesTests : IDisposable
{
    private const int Count = 3000;

    private readonly TemporaryFolder _folder = new();
    private readonly MLContext _context = new(seed: 1);
    private readonly FlatParcel[] _parcels = [.. Parcels.Rows(Count, 1).Select(parcel => new FlatParcel
    {
        Id = parcel.Id,
        Weight = parcel.Features[0],
        Distance = parcel.Features[1],
        Height = parcel.Features[2],
        Minutes = parcel.Minutes,
    })];

    private ForwardSamplingCatalog Fs => _context.ForwardSampling();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task Parquet()
    {
        string path = _folder.File("parcels.parquet");
        await ParquetSerializer.SerializeAsync(_parcels, path, new ParquetOptions { RowGroupSize = 500 },
            cancellationToken: TestContext.Current.CancellationToken);
        MLContext mlContext = _context;
        #region data-sources
        IEnumerable<FlatParcel> Read()
        {
            // One row group in memory at a time; each pass over the view opens the file again, and finds the same order.
            using FileStream file = File.OpenRead(path);
            ParquetReader reader = ParquetReader.CreateAsync(file).GetAwaiter().GetResult();
            for (int group = 0; group < reader.RowGroupCount; group++)
            {
                var rows = ParquetSerializer.DeserializeAsync<FlatParcel>(file, null, group).GetAwaiter().GetResult();
                foreach (FlatParcel parcel in rows.Data)
                    yield return parcel;
            }
        }

        IDataView parcels = mlContext.Data.LoadFromEnumerable(Read());
        #endregion
        Check(parcels);
    }

    [Fact]
    public void DataFrameView()
    {
        string path = _folder.File("parcels.csv");
        File.WriteAllLines(path, ["Id,Weight,Distance,Height,Minutes", .. _parcels.Select(parcel => FormattableString.Invariant(
            $"{parcel.Id},{parcel.Weight},{parcel.Distance},{parcel.Height},{parcel.Minutes}"))]);
        #region data-sources
        DataFrame frame = DataFrame.LoadCsv(path);
        IDataView parcels = frame;                                              // a DataFrame is a data view
        #endregion
        Check(parcels);
    }

    [Fact]
    public void DuckDb()
    {
        string database = _folder.File("parcels.duckdb");
        using (var connection = new DuckDBConnection($"DataSource={database}"))
        {
            connection.Open();
            using DuckDBCommand command = connection.CreateCommand();
            command.CommandText = "CREATE TABLE parcels(id VARCHAR, weight FLOAT, distance FLOAT, height FLOAT, minutes FLOAT)";
            command.ExecuteNonQuery();
            using DuckDBAppender appender = connection.CreateAppender("parcels");
            foreach (FlatParcel parcel in _parcels)
                appender.CreateRow().AppendValue(parcel.Id).AppendValue(parcel.Weight).AppendValue(parcel.Distance)
                    .AppendValue(parcel.Height).AppendValue(parcel.Minutes).EndRow();
        }

        MLContext mlContext = _context;
        #region data-sources
        // DuckDB reads its own files, Parquet ('parcels/*.parquet') and CSV. ORDER BY: two passes must see one order.
        const string Sql = "SELECT weight AS Weight, distance AS Distance, height AS Height, minutes AS Minutes FROM parcels ORDER BY id";
        IDataView parcels = mlContext.Data.CreateDatabaseLoader<FlatParcel>()
            .Load(new DatabaseSource(DuckDBClientFactory.Instance, $"DataSource={database}", Sql));
        #endregion
        Check(parcels);
    }

    /// <summary>What the page does with each of the three.</summary>
    private void Check(IDataView parcels)
    {
        (MLContext mlContext, ForwardSamplingCatalog fs) = (_context, Fs);
        #region data-sources
        var features = mlContext.Transforms.Conversion.ConvertType(
            [new("Weight"), new("Distance"), new("Height"), new("Minutes")], DataKind.Single)
            .Append(mlContext.Transforms.Concatenate("Features", "Weight", "Distance", "Height")).Fit(parcels);
        SelectedRows chosen = fs.SelectRows(features.Transform(parcels), new UniformPolicy(), new SelectionOptions { Budget = 0.5 });
        using var model = fs.Trainers.Regression(new NetworkTrainerOptions { LabelColumnName = "Minutes", Epochs = 30 }).Fit(chosen);
        #endregion
        Assert.Equal((Count, Count / 2), (chosen.Report!.RowsSeen, chosen.Report.RowsSelected));
        Assert.InRange(mlContext.Regression.Evaluate(model.Transform(features.Transform(parcels)), "Minutes").RSquared, 0.85, 1);
        Assert.Equal(_parcels.Select(parcel => parcel.Minutes).Order(), features.Transform(parcels).GetColumn<float>("Minutes").Order());
    }

    public sealed class FlatParcel
    {
        public string Id { get; set; } = "";

        public float Weight { get; set; }

        public float Distance { get; set; }

        public float Height { get; set; }

        public float Minutes { get; set; }
    }
}
