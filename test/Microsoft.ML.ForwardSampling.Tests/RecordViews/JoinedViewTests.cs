using Microsoft.ML.Data;
using Microsoft.ML.ForwardSampling.Records;
using Microsoft.ML.ForwardSampling.RecordViews;
using Microsoft.ML.ForwardSampling.Selection;
using Microsoft.ML.ForwardSampling.Tests.DataViews;

namespace Microsoft.ML.ForwardSampling.Tests.RecordViews;

public class JoinedViewTests
{
    private static readonly DateTime s_start = new(2026, 1, 1, 0, 0, 0, DateTimeKind.Utc);
    private readonly MLContext _context = new(seed: 1);

    private ForwardSamplingCatalog Catalog => _context.ForwardSampling();

    [Fact]
    public void LoadJoined_EveryTask_KeepsTheContractOfViews()
    {
        ViewContract.Check(Catalog.LoadJoined(Regression(6)));
        ViewContract.Check(Catalog.LoadJoined(Binary(6), new JoinedRowsOptions { Task = PredictionTask.Binary, Now = s_start }));
        ViewContract.Check(Catalog.LoadJoined(Multiclass(6), new JoinedRowsOptions { Task = PredictionTask.Multiclass, Classes = 3 }));
        ViewContract.Check(Catalog.LoadJoined(Regression(6).Where(_ => true)));
    }

    [Fact]
    public void LoadJoined_Binary_EveryColumnIsTheRecords()
    {
        JoinedRecord[] rows = Binary(5);
        IDataView view = Catalog.LoadJoined(rows, new JoinedRowsOptions { Task = PredictionTask.Binary, Now = s_start.AddSeconds(100) });
        Assert.Equal(["Forward.Key", "Forward.Loss", "Forward.GradientNorm", "Forward.Margin", "Forward.Entropy", "Label",
            "Forward.RecordWeight", "Forward.Age", "Forward.ModelVersion"], view.Schema.Select(c => c.Name));
        Assert.Equal(rows.Select(r => r.Key), view.GetColumn<ulong>(ForwardColumns.Key));
        Assert.Equal(rows.Select(r => r.Loss), view.GetColumn<float>(ForwardColumns.Loss));
        Assert.Equal(rows.Select(r => r.GradientNorm), view.GetColumn<float>(ForwardColumns.GradientNorm));
        Assert.Equal(rows.Select(r => r.Margin), view.GetColumn<float>(ForwardColumns.Margin));
        Assert.Equal(rows.Select(r => r.Entropy), view.GetColumn<float>(ForwardColumns.Entropy));
        Assert.Equal(rows.Select(r => r.Label == 1), view.GetColumn<bool>("Label"));
        Assert.Equal([1f, 2, 1, 2, 1], view.GetColumn<float>(ForwardColumns.RecordWeight));
        Assert.Equal([100f, 99, 98, 97, 96], view.GetColumn<float>(ForwardColumns.Age));
        Assert.Equal(rows.Select(r => r.ModelVersion), view.GetColumn<ulong>(ForwardColumns.ModelVersion));
    }

    [Fact]
    public void LoadJoined_MulticlassWithNames_LabelIsAKeyWithValues()
    {
        IDataView view = Catalog.LoadJoined(Multiclass(4),
            new JoinedRowsOptions { Task = PredictionTask.Multiclass, ClassNames = ["red", "green", "blue"], LabelColumnName = "Colour" });
        Assert.Equal(3UL, ((KeyDataViewType)view.Schema["Colour"].Type).Count);
        Assert.Equal([1u, 2, 3, 1], view.GetColumn<uint>("Colour"));
        IDataView named = _context.Transforms.Conversion.MapKeyToValue("Colour").Fit(view).Transform(view);
        Assert.Equal(["red", "green", "blue", "red"], named.GetColumn<ReadOnlyMemory<char>>("Colour").Select(m => m.ToString()));
    }

    [Fact]
    public void LoadJoined_WrongOptions_SayWhatIsNeeded()
    {
        Assert.StartsWith("JoinedRowsOptions.Classes must be given for Multiclass",
            Assert.Throws<ArgumentException>(() => Catalog.LoadJoined([], new JoinedRowsOptions { Task = PredictionTask.Multiclass }))
            .Message, StringComparison.Ordinal);
        Assert.StartsWith("JoinedRowsOptions.ClassNames must be Classes names, which is 3. Got 2.",
            Assert.Throws<ArgumentException>(() => Catalog.LoadJoined([], new JoinedRowsOptions { Classes = 3, ClassNames = ["a", "b"] }))
            .Message, StringComparison.Ordinal);
        IDataView view = Catalog.LoadJoined(Multiclass(4), new JoinedRowsOptions { Task = PredictionTask.Multiclass, Classes = 2 });
        Assert.Equal(4, view.GetColumn<float>(ForwardColumns.Loss).Count());
        Assert.Contains("has label 2, and labels must be classes in [0, 2)",
            Assert.Throws<InvalidOperationException>(() => view.GetColumn<uint>("Label").ToArray()).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(RowsWithoutRecord.Drop)]
    [InlineData(RowsWithoutRecord.KeepWithNaN)]
    public void Attach_AnyMode_KeepsTheContractOfViews(RowsWithoutRecord missing)
    {
        ViewContract.Check(Catalog.AttachForwardRecords(Rows(9), nameof(Row.Id), Regression(6),
            new AttachRecordsOptions { Missing = missing }));
        ViewContract.Check(Catalog.AttachForwardRecords(Rows(9), nameof(Row.Name), Named(6),
            new AttachRecordsOptions { Missing = missing, Task = PredictionTask.Binary }));
    }

    [Fact]
    public void Attach_Drop_RowsWithARecordInOrderAndCounted()
    {
        AttachedRows attached = Catalog.AttachForwardRecords(Rows(9), nameof(Row.Id), Regression(6));
        Assert.Null(attached.Report);
        Assert.Null(attached.GetRowCount());
        Assert.Equal([0f, 1, 2, 3, 4, 5], attached.GetColumn<float>(nameof(Row.X)));
        Assert.Equal(Regression(6).Select(r => r.Loss), attached.GetColumn<float>(ForwardColumns.Loss));
        Assert.Equal(new AttachedRowsReport { RowsSeen = 9, RowsWithoutRecord = 3 }, attached.Report);
    }

    [Fact]
    public void Attach_KeepWithNaN_AllRows()
    {
        AttachedRows attached = Catalog.AttachForwardRecords(Rows(4), nameof(Row.Name), Named(2),
            new AttachRecordsOptions { Missing = RowsWithoutRecord.KeepWithNaN, Task = PredictionTask.Binary });
        Assert.Equal(4, attached.GetRowCount());
        Assert.Equal([.. Named(2).Select(r => r.Margin), float.NaN, float.NaN], attached.GetColumn<float>(ForwardColumns.Margin));
        Assert.Equal([1f, 2, float.NaN, float.NaN], attached.GetColumn<float>(ForwardColumns.RecordWeight));
        Assert.All(attached.GetColumn<float>(ForwardColumns.Age).Skip(2), age => Assert.True(float.IsNaN(age)));
        Assert.Equal([7UL, 7, 0, 0], attached.GetColumn<ulong>(ForwardColumns.ModelVersion));
        Assert.Equal(2, attached.Report!.RowsWithoutRecord);
    }

    [Fact]
    public void Attach_SeveralRecordsOfAKey_TheLastScoredCounts()
    {
        JoinedRecord[] joined = [Of(1, 3, 1), Of(1, 5, 2), Of(1, 5, 3), Of(1, 4, 4)];
        AttachedRows attached = Catalog.AttachForwardRecords(Rows(3), nameof(Row.Id), joined);
        Assert.Equal((1, 3L), (attached.Records, attached.Duplicates));
        Assert.Equal([3UL], attached.GetColumn<ulong>(ForwardColumns.ModelVersion));

        static JoinedRecord Of(ulong key, int seconds, ulong version) =>
            new RegressionRecord(key, 1, version, s_start.AddSeconds(seconds)).Join(0);
    }

    [Fact]
    public void Attach_ThenSelect_ReadsTheFeaturesOfChosenRowsOnly()
    {
        const int Count = 1000;
        int reads = 0;
        IDataView rows = _context.Transforms.CustomMapping<Row, Feature>((row, feature) =>
        {
            Interlocked.Increment(ref reads);
            feature.Expensive = row.X;
        }, null).Fit(Rows(1)).Transform(Rows(Count));
        AttachedRows attached = Catalog.AttachForwardRecords(rows, nameof(Row.Id), Regression(Count - 200));
        SelectedRows chosen = Catalog.SelectRows(attached, new BalancedGradientNormPolicy(),
            new SelectionOptions { WindowSize = 200, Budget = 0.1 });
        Assert.Equal((Count - 200) / 10, chosen.GetColumn<float>(nameof(Feature.Expensive)).Count());
        Assert.Equal((Count - 200) / 10, reads);
    }

    [Fact]
    public void Attach_OpeningACursorFails_DisposesTheInputs()
    {
        var source = new DisposalView(Rows(3));
        AttachedRows attached = Catalog.AttachForwardRecords(source, nameof(Row.Id), Regression(2));
        Assert.Throws<NotSupportedException>(() => attached.GetRowCursor([]));
        Assert.Equal(1, source.Disposed);
        Assert.Throws<NotSupportedException>(() => attached.GetRowCursorSet([], 3));
        Assert.Equal(4, source.Disposed);
    }

    [Fact]
    public void Attach_WrongKeyColumn_NamesColumnAndTypes()
    {
        Assert.StartsWith("Schema mismatch for key column 'Nobody': expected an integer, Key or String, got no such column.",
            Assert.Throws<ArgumentOutOfRangeException>("rows", () => Catalog.AttachForwardRecords(Rows(1), "Nobody", [])).Message,
            StringComparison.Ordinal);
        Assert.Contains("Schema mismatch for key column 'X': expected an integer, Key or String, got Single.",
            Assert.Throws<ArgumentOutOfRangeException>("rows", () => Catalog.AttachForwardRecords(Rows(1), nameof(Row.X), [])).Message,
            StringComparison.Ordinal);
    }

    [Fact]
    public void LabelsOf_AView_JoinByKey()
    {
        IEnumerable<LabelEvent> labels = Catalog.LabelsOf(Rows(6), nameof(Row.Id), nameof(Row.X));
        Assert.Equal(Enumerable.Range(0, 6).Select(i => new LabelEvent((ulong)i, i)), labels);
        IEnumerable<RegressionRecord> records = Enumerable.Range(0, 4)
            .Select(i => new RegressionRecord((ulong)i, 1, time: s_start.AddSeconds(i)));
        Assert.Equal([0f, 1, 2, 3], LabelJoin.Run(records, labels).OrderBy(r => r.Key).Select(r => r.Label));
        Assert.Equal([1f, 0, 1], Catalog.LabelsOf(Rows(3), nameof(Row.Name), nameof(Row.IsEven)).Select(l => l.Label));
        Assert.Equal(RecordKey.FromString("row 1"), Catalog.LabelsOf(Rows(3), nameof(Row.Name), nameof(Row.IsEven)).ElementAt(1).Key);
        Assert.Contains("label column 'Name': expected Boolean, Key or Single",
            Assert.Throws<ArgumentOutOfRangeException>(() => Catalog.LabelsOf(Rows(1), nameof(Row.Id), nameof(Row.Name))).Message,
            StringComparison.Ordinal);
    }

    [Fact]
    public void LabelsOf_ATimeColumn_EachLabelHasItsOwn()
    {
        DateTime local = s_start.AddHours(1).ToLocalTime();
        Timed[] rows = [new(1, s_start), new(2, DateTime.SpecifyKind(s_start.AddMinutes(5), DateTimeKind.Unspecified)), new(3, local)];
        IDataView view = _context.Data.LoadFromEnumerable(rows);
        LabelEvent[] expected = [new(1, 0.5f, s_start), new(2, 0.5f, s_start.AddMinutes(5)), new(3, 0.5f, s_start.AddHours(1))];
        Assert.Equal(expected, Catalog.LabelsOf(view, nameof(Timed.Id), nameof(Timed.Y), nameof(Timed.Known)));
        Assert.Equal(expected, Catalog.LabelsOf(view, nameof(Timed.Id), nameof(Timed.Y), nameof(Timed.KnownAt)));

        // The label that came too late meets no record; under one time for all it would have.
        IEnumerable<RegressionRecord> records = rows.Select(row => new RegressionRecord(row.Id, 1, time: s_start));
        var options = new LabelJoinOptions { Wait = TimeSpan.FromMinutes(10) };
        Assert.Equal([1UL, 2], LabelJoin.Run(records, Catalog.LabelsOf(view, nameof(Timed.Id), nameof(Timed.Y), nameof(Timed.Known)),
            options).Select(r => r.Key));
        Assert.Equal([1UL, 2, 3], LabelJoin.Run(records, Catalog.LabelsOf(view, nameof(Timed.Id), nameof(Timed.Y), s_start), options)
            .Select(r => r.Key));
    }

    [Fact]
    public void LabelsOf_ATimeColumnMissingOfAnotherTypeOrWithoutAValue_SaysSo()
    {
        IDataView view = _context.Data.LoadFromEnumerable(new Timed[] { new(1, s_start), new(7, default) });
        const string Advice = " It holds when the row's label became known; leave it out, or give one time, if all became known at once.";
        Assert.StartsWith("Schema mismatch for time column 'When': expected DateTime or DateTimeOffset, got no such column." + Advice,
            Assert.Throws<ArgumentOutOfRangeException>("view", () => Catalog.LabelsOf(view, nameof(Timed.Id), nameof(Timed.Y), "When"))
            .Message, StringComparison.Ordinal);
        Assert.StartsWith("Schema mismatch for time column 'Y': expected DateTime or DateTimeOffset, got Single." + Advice,
            Assert.Throws<ArgumentOutOfRangeException>("view",
            () => Catalog.LabelsOf(view, nameof(Timed.Id), nameof(Timed.Y), nameof(Timed.Y))).Message, StringComparison.Ordinal);
        foreach (string column in (string[])[nameof(Timed.Known), nameof(Timed.KnownAt)])
        {
            Assert.StartsWith(
                $"Time column '{column}' has no value in row 1 (key 7): each label must have the time at which it became known.",
                Assert.Throws<InvalidOperationException>(() => Catalog.LabelsOf(view, nameof(Timed.Id), nameof(Timed.Y), column).Count())
                    .Message, StringComparison.Ordinal);
        }
    }

    private static JoinedRecord[] Regression(int count) =>
        [.. Enumerable.Range(0, count).Select(i => new RegressionRecord((ulong)i, i % 5, 7, s_start.AddSeconds(i)).Join(1))];

    private static JoinedRecord[] Binary(int count) => [.. Enumerable.Range(0, count)
        .Select(i => BinaryRecord.FromScore((ulong)i, i - 2, 7, s_start.AddSeconds(i), i % 2 == 0 ? 1 : 0.5f).Join(i % 2))];

    private static JoinedRecord[] Named(int count) =>
        [.. Binary(count).Select((r, i) => r with { Key = RecordKey.FromString($"row {i}") })];

    private static JoinedRecord[] Multiclass(int count) =>
        [.. Enumerable.Range(0, count).Select(i => MulticlassRecord.FromLogits((ulong)i, [i, 1, 0], 7, s_start).Join(i % 3))];

    private IDataView Rows(int count) => _context.Data.LoadFromEnumerable(
        Enumerable.Range(0, count).Select(i => new Row { Id = (ulong)i, Name = $"row {i}", X = i, IsEven = i % 2 == 0 }).ToArray());

    private sealed class Row
    {
        public ulong Id { get; set; }

        public string Name { get; set; } = "";

        public float X { get; set; }

        public bool IsEven { get; set; }
    }

    private sealed class Timed(ulong id, DateTime known)
    {
        public ulong Id { get; set; } = id;

        public float Y { get; set; } = 0.5f;

        public DateTime Known { get; set; } = known;

        public DateTimeOffset KnownAt { get; set; } = known == default ? default
            : new DateTimeOffset(DateTime.SpecifyKind(known.Kind == DateTimeKind.Local ? known.ToUniversalTime() : known,
            DateTimeKind.Utc));
    }

    private sealed class Feature
    {
        public float Expensive { get; set; }
    }
}
