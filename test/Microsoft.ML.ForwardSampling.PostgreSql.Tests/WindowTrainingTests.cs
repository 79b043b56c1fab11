using Microsoft.ML.Data;
using Microsoft.ML.ForwardSampling.Networks;
using Microsoft.ML.ForwardSampling.Records;
using Microsoft.ML.ForwardSampling.RecordViews;
using Microsoft.ML.ForwardSampling.Selection;

namespace Microsoft.ML.ForwardSampling.PostgreSql.Tests;

/// <summary>A claimed window becomes a data view, selected rows, a model and a stored selection, by the public members alone.</summary>
public class WindowTrainingTests(StoreFixture fixture)
{
    private const int Rows = 400;
    private const int Window = 160;

    private readonly MLContext _context = new(1);

    [Fact]
    public async Task Windows_AsDataViews_TrainAModel_AndStoreWhatItWasTrainedOn()
    {
        PostgreSqlRecordStore<BinaryRecord> store = await NewWindows();
        ForwardSamplingCatalog fs = _context.ForwardSampling();
        var expected = new List<(long Number, SelectedKey[] Rows)>();
        NetworkTrainerOptions network = new()
        {
            HiddenLayers = [8],
            Optimizer = new AdamOptions { LearningRate = 0.03 },
            BatchSize = 16,
            Epochs = 40,
            Seed = 1,
            ExampleWeightColumnName = ForwardColumns.Weight
        };
        NetworkPredictionTransformer? model = null;
        while (await store.ClaimWindowAsync() is ClaimedWindow window)
        {
            await using (window)
            {
                // The features come from where the rows are, by key.
                IDataView visits = _context.Data.LoadFromEnumerable(
                    window.Records.Select(r => VisitOf((int)(r.Key - RecordKey.FromString("visit-0")), r.Key)));
                AttachedRows recorded = fs.AttachForwardRecords(visits, nameof(Visit.Id), window.Records,
                    new AttachRecordsOptions { Task = PredictionTask.Binary });
                SelectedRows chosen = fs.SelectRows(recorded, new BalancedGradientNormPolicy(),
                    new SelectionOptions { WindowSize = Window, Budget = 0.25, Seed = 1 });
                model = model is null ? fs.Trainers.BinaryClassification(network).Fit(chosen)
                    : fs.Trainers.BinaryClassification(network).Fit(chosen, model);
                expected.Add((window.Number, [.. chosen.GetColumn<ulong>(nameof(Visit.Id))
                    .Zip(chosen.GetColumn<float>(ForwardColumns.Weight), (key, weight) => new SelectedKey(key, weight))]));
                await window.CompleteAsync(fs.SelectedKeys(chosen, nameof(Visit.Id)));
            }
        }

        Assert.Equal([40, 40, 20], expected.Select(e => e.Rows.Length));
        int n = 0;
        await foreach (SelectedWindow selected in store.ReadSelectionsAsync())
        {
            Assert.Equal(expected[n].Number, selected.Number);
            Assert.Equal(expected[n++].Rows, selected.Rows);
        }

        Assert.Equal(3, n);
        IDataView scored = model!.Transform(_context.Data.LoadFromEnumerable(Enumerable.Range(Rows, 200).Select(i => VisitOf(i, 0))));
        Assert.InRange(_context.BinaryClassification.EvaluateNonCalibrated(scored).Accuracy, 0.8, 1);
    }

    [Fact]
    public async Task SelectedKeys_OfTheRecordsThemselves_ChecksColumnsAndKeys()
    {
        PostgreSqlRecordStore<BinaryRecord> store = await NewWindows();
        ForwardSamplingCatalog fs = _context.ForwardSampling();
        await using ClaimedWindow window = (await store.ClaimWindowAsync())!;
        var options = new JoinedRowsOptions { Task = PredictionTask.Binary };
        IDataView joined = fs.LoadJoined(window.Records, options);
        var error = Assert.Throws<ArgumentOutOfRangeException>(() => fs.SelectedKeys(joined));
        Assert.Equal("Schema mismatch for weight column 'Forward.Weight': expected Single, got no such column. SelectRows adds this "
            + "column. (Parameter 'selected')", error.Message);
        SelectedRows chosen = fs.SelectRows(joined, new UniformPolicy(), new SelectionOptions { WindowSize = Window, Budget = 0.5 });
        error = Assert.Throws<ArgumentOutOfRangeException>(() => fs.SelectedKeys(chosen, weightColumn: ForwardColumns.Key));
        Assert.StartsWith("Schema mismatch for weight column 'Forward.Key': expected Single, got ", error.Message,
            StringComparison.Ordinal);
        var wrong = await Assert.ThrowsAsync<ArgumentException>(
            () => window.CompleteAsync(fs.SelectedKeys(chosen, ForwardColumns.ModelVersion)));
        Assert.Equal("Window 0 has no row of key 12: each key must be that of one of its records. (Parameter 'selected')", wrong.Message);

        // None of that ended the claim.
        IReadOnlyList<SelectedKey> selected = fs.SelectedKeys(chosen);
        Assert.Equal(Window / 2, selected.Count);
        await window.CompleteAsync(selected);
        await using ClaimedWindow? next = await store.ClaimWindowAsync();
        Assert.Equal(1, next!.Number);
    }

    /// <summary>A busy half of the traffic, of which one row in eight was recorded: by rows it is 11 % of what is stored, by weight the
    /// half that it was.</summary>
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task ThinnedRecords_SelectedFromAWindow_AreStoredWithTheProductOfBothWeights(bool byGradient)
    {
        const int Busy = 80, Quiet = 640, One = 8;
        PostgreSqlRecordStore<RegressionRecord> store = await fixture.NewStore<RegressionRecord>(
            new PostgreSqlStoreOptions { WindowRows = Busy + Quiet });
        DateTime now = DateTime.UtcNow;
        await using (PostgreSqlRecordWriter<RegressionRecord> writer = await store.OpenWriterAsync())
            writer.Append([.. Enumerable.Range(0, Busy + Quiet).Select(i => new RegressionRecord((ulong)i, 1 + (i % 13), 1, now,
                IsBusy((ulong)i) ? 1f / One : 1f))]);
        await store.AddLabelsAsync(Enumerable.Range(0, Busy + Quiet).Select(i => new LabelEvent((ulong)i, 0, now)).ToArray());
        Assert.Equal(Busy + Quiet, await store.JoinAsync(new LabelJoinOptions(), closeShortWindow: true));

        ForwardSamplingCatalog fs = _context.ForwardSampling();
        var options = new SelectionOptions { WindowSize = Busy + Quiet, Budget = 0.5, Seed = 3 };
        IRowSelectionPolicy policy = byGradient ? new BalancedGradientNormPolicy() : new UniformPolicy();
        Dictionary<ulong, float> own;
        await using (ClaimedWindow window = (await store.ClaimWindowAsync())!)
        {
            IDataView joined = fs.LoadJoined(window.Records, new JoinedRowsOptions { Task = PredictionTask.Regression });
            Assert.All(window.Records, record => Assert.Equal(IsBusy(record.Key) ? One : 1, record.RecordWeight));
            await window.CompleteAsync(fs.SelectedKeys(fs.SelectRows(joined, policy, options)));

            // Without the column the same rows have the policy's weight alone.
            IDataView plain = _context.Transforms.DropColumns(ForwardColumns.RecordWeight).Fit(joined).Transform(joined);
            own = fs.SelectedKeys(fs.SelectRows(plain, policy, options)).ToDictionary(row => row.Key, row => row.Weight);
        }

        await foreach (SelectedWindow selected in store.ReadSelectionsAsync())
        {
            Assert.Equal(own.Keys.Order(), selected.Rows.Select(row => row.Key).Order());
            Assert.All(selected.Rows, row => Assert.Equal(own[row.Key] * (IsBusy(row.Key) ? One : 1), row.Weight));
            double busy = selected.Rows.Where(row => IsBusy(row.Key)).Sum(row => row.Weight);
            Assert.InRange(busy / selected.Rows.Sum(row => row.Weight), 0.4, 0.6);
        }

        static bool IsBusy(ulong key) => key % 9 == 0;
    }

    [Fact]
    public async Task AppendRecords_ToTheDatabase_EachScoredRowIsThere()
    {
        PostgreSqlRecordStore<BinaryRecord> store = await fixture.NewStore<BinaryRecord>();
        ForwardSamplingCatalog fs = _context.ForwardSampling();
        IDataView scored = _context.Data.LoadFromEnumerable(Enumerable.Range(0, 500)
            .Select(i => new Scored { Key = (ulong)i, Score = i / 100f }));
        await using (PostgreSqlRecordWriter<BinaryRecord> writer = await store.OpenWriterAsync())
        {
            LoggedRowsReport report = fs.AppendRecords(scored, writer, new RecordToOptions { ModelVersion = 7 });
            Assert.Equal((500, 500), (report.Rows, report.Records));
            Assert.Equal(500, writer.Acknowledged);
        }

        await store.AddLabelsAsync(Enumerable.Range(0, 500).Select(i => new LabelEvent((ulong)i, 1)).ToArray());
        Assert.Equal(500, await store.JoinAsync(new LabelJoinOptions(), closeShortWindow: true));
        await using ClaimedWindow? window = await store.ClaimWindowAsync();
        JoinedRecord last = window!.Records.Single(r => r.Key == 499);
        Assert.Equal((7UL, BinaryRecord.FromScore(499, 4.99f).Statistics(1).Loss), (last.ModelVersion, last.Loss));
    }

    private static Visit VisitOf(int i, ulong id)
    {
        float[] x = [MathF.Sin(i), MathF.Cos(i * 1.7f)];
        return new Visit { Id = id, Features = x, Label = x[0] + x[1] > 0 };
    }

    /// <summary>A store with three windows, the last one short, of a model that knows nothing yet.</summary>
    private async Task<PostgreSqlRecordStore<BinaryRecord>> NewWindows()
    {
        PostgreSqlRecordStore<BinaryRecord> store = await fixture.NewStore<BinaryRecord>(
            new PostgreSqlStoreOptions { WindowRows = Window });
        ulong first = RecordKey.FromString("visit-0");
        await using (PostgreSqlRecordWriter<BinaryRecord> writer = await store.OpenWriterAsync())
            writer.Append([.. Enumerable.Range(0, Rows).Select(
                i => BinaryRecord.FromScore(first + (ulong)i, 0.3f * MathF.Sin(3 * i), modelVersion: 12))]);
        await store.AddLabelsAsync(Enumerable.Range(0, Rows).Select(i => new LabelEvent(first + (ulong)i, VisitOf(i, 0).Label ? 1 : 0))
            .ToArray());
        Assert.Equal(Rows, await store.JoinAsync(new LabelJoinOptions(), closeShortWindow: true));
        return store;
    }

    private sealed class Scored
    {
        public ulong Key { get; set; }

        public float Score { get; set; }
    }

    private sealed class Visit
    {
        public ulong Id { get; set; }

        [VectorType(2)]
        public float[] Features { get; set; } = [];

        public bool Label { get; set; }
    }
}
