using Microsoft.ML.ForwardSampling.Records;
using Microsoft.ML.ForwardSampling.RecordViews;
using Microsoft.ML.ForwardSampling.Selection;

namespace Microsoft.ML.ForwardSampling.Tests.RecordViews;

/// <summary>Personal names as keys: one secret from the record over the label to the rows.</summary>
public sealed class KeySecretTests : IDisposable
{
    private static readonly byte[] s_secret = [.. Enumerable.Range(1, 16).Select(i => (byte)i)];

    private readonly MLContext _context = new(seed: 1);
    private readonly string _folder = Directory.CreateTempSubdirectory("forward-sampling-").FullName;

    private ForwardSamplingCatalog Fs => _context.ForwardSampling();

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public void Secret_FromRecordToSelectedRow_JoinsByNamesThatNobodyElseFinds()
    {
        Served[] served = [.. Enumerable.Range(0, 20).Select(i => new Served { Name = $"user{i}@example.com", Score = i, Label = i + 1 })];
        IDataView view = _context.Data.LoadFromEnumerable(served);
        using (var log = new ForwardRecordLog<RegressionRecord>(_folder))
            Fs.AppendRecords(view, log, new RecordToOptions { KeyColumnName = "Name", KeySecret = s_secret });
        var records = new List<RegressionRecord>();
        using (var reader = new ForwardRecordReader<RegressionRecord>(_folder))
        {
            var buffer = new RegressionRecord[64];
            for (int n; (n = reader.Read(buffer)) > 0;)
                records.AddRange(buffer.AsSpan(0, n));
        }

        Assert.Equal(served.Select(row => RecordKey.FromString(row.Name, s_secret)), records.Select(record => record.Key));
        Assert.DoesNotContain(RecordKey.FromString(served[0].Name), records.Select(record => record.Key));

        JoinedRecord[] joined = [.. LabelJoin.Run(records, Fs.LabelsOf(view, "Name", "Label", keySecret: s_secret))];
        Assert.Equal(20, joined.Length);
        Assert.Empty(LabelJoin.Run(records, Fs.LabelsOf(view, "Name", "Label")));
        var attach = new AttachRecordsOptions { KeySecret = s_secret };
        AttachedRows attached = Fs.AttachForwardRecords(view, "Name", joined, attach);
        SelectedRows chosen = Fs.SelectRows(attached, new UniformPolicy(), new SelectionOptions { Budget = 1.0, WindowSize = 20 });
        Assert.Equal(joined.Select(row => row.Key).Order(),
            Fs.SelectedKeys(chosen, "Name", keySecret: s_secret).Select(row => row.Key).Order());
        Assert.Empty(Fs.SelectedKeys(Fs.SelectRows(Fs.AttachForwardRecords(view, "Name", joined), new UniformPolicy()), "Name"));
    }

    [Fact]
    public void Secret_TooShortOrForNumbers_IsRefused()
    {
        Assert.Equal("RecordToOptions.KeySecret must have 16 bytes or more, or be left out. Got 15. (Parameter 'KeySecret')",
            Assert.Throws<ArgumentException>(() => new RecordToOptions { KeySecret = s_secret.AsMemory(1) }).Message);
        Assert.Throws<ArgumentException>(() => new AttachRecordsOptions { KeySecret = new byte[1] });
        IDataView view = _context.Data.LoadFromEnumerable(new[] { new Served() });
        Assert.Throws<ArgumentException>(() => Fs.LabelsOf(view, "Name", "Label", keySecret: new byte[8]));
        Assert.Contains("only texts are hashed", Assert.Throws<ArgumentOutOfRangeException>(
            () => Fs.LabelsOf(view, "Number", "Label", keySecret: s_secret)).Message, StringComparison.Ordinal);
    }

    private sealed class Served
    {
        public string Name { get; set; } = "";

        public long Number { get; set; }

        public float Score { get; set; }

        public float Label { get; set; }
    }
}
