using Microsoft.ML.Data;
using Microsoft.ML.ForwardSampling.GroupTesting;
using Microsoft.ML.ForwardSampling.Saving;
using Microsoft.ML.ForwardSampling.Tests.DataViews;
using Microsoft.ML.ForwardSampling.Tests.Networks;
using TorchSharp;
using static TorchSharp.torch;

namespace Microsoft.ML.ForwardSampling.Tests.GroupTesting;

[Collection(TorchCollection.Name)]
public class GroupTestingTransformerTests
{
    private static readonly GroupTestingOptions s_options = RareRows.Options(GroupMerge.Features, GroupSchedule.SeveralRounds(16, 4), 40);

    private readonly MLContext _context = new(seed: 1);

    [Theory]
    [InlineData(GroupMerge.Inputs)]
    [InlineData(GroupMerge.Features)]
    [InlineData(GroupMerge.Tree)]
    public void Estimator_KeepsItsPromises(GroupMerge merge)
    {
        using GroupTestingTransformer model = EstimatorContract.Check(
            _context.ForwardSampling().GroupTesting(s_options with { Merge = merge }), Rows(203));
        Assert.False(model.IsRowToRowMapper);
        Assert.Throws<InvalidOperationException>(() => model.GetRowToRowMapper(Rows(3).Schema));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(17)]
    [InlineData(1023)]
    [InlineData(2501)]
    public void Cursor_AnyNumberOfRows_HasTheGroupsOfOneWholeBlock(int count)
    {
        using GroupTestingTransformer model = Fit(s_options);
        RareRow[] rows = RareRows.Create(count, 6, 0.05);
        foreach (GroupSchedule schedule in new[] { GroupSchedule.SeveralRounds(12, 6), GroupSchedule.TwoGroupings(5) })
        {
            Tested tested = Tested.Of(model, _context.Data.LoadFromEnumerable(rows), schedule);
            var whole = new GroupTester(model.Network, schedule, new float[schedule.Rounds], model.Prevalence, Math.Max(1, count));
            for (int row = 0; row < count; row++)
                rows[row].Features.CopyTo(whole.Features(row));
            whole.Score(count);
            Assert.Equal(whole.Scores.Take(count), tested.Scores);
            Assert.Equal(whole.Tests.Take(count), tested.Tests);
            Assert.Equal((count, whole.Counts.Tests.Sum()), (tested.Report.RowsScored, tested.Report.Tests));
        }
    }

    [Fact]
    public void WrongColumns_AreNamed()
    {
        IDataView scalars = Rows(10);
        IDataView wrong = _context.Transforms.Concatenate("Features", "Number").Fit(scalars).Transform(scalars);
        using GroupTestingTransformer model = Fit(s_options);
        EstimatorContract.CheckRefused(model, wrong, "Schema mismatch for feature column 'Features': expected Vector<Single, 16>, got "
            + "Vector<Single, 1>. The network was trained on this column.");
        EstimatorContract.CheckRefused(_context.ForwardSampling().GroupTesting(s_options with { LabelColumnName = "Number" }), scalars);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void SavedModel_LoadedByTheLibrary_GivesTheSameBits(bool ownModules)
    {
        GroupModuleFactory factory = OwnModules;
        using GroupTestingTransformer model = Fit(s_options with
        {
            Merge = GroupMerge.Tree,
            Modules = ownModules ? factory : null,
            TestsColumnName = "Cost",
            Thresholds = [-0.1f, 0f, 0.05f],
            Prevalence = 0.02
        });
        IDataView rows = Rows(100);
        string path = Path.GetTempFileName();
        try
        {
            _context.ForwardSampling().Save(model, rows.Schema, path);
            using var loaded = (GroupTestingTransformer)_context.ForwardSampling().Load(path, out _,
                groupModules: ownModules ? factory : null);
            Assert.Equal(ViewContract.Read(Cursor(model.Transform(rows))), ViewContract.Read(Cursor(loaded.Transform(rows))));
            Assert.Equal(model.Schedule, loaded.Schedule);
            Assert.Equal(model.Thresholds, loaded.Thresholds);
            Assert.Equal((0.02, GroupMerge.Tree, model.BodyMultiplyAdds), (loaded.Prevalence, loaded.Merge, loaded.BodyMultiplyAdds));
            if (ownModules)
                Assert.Contains("groupModules", Assert.Throws<InvalidOperationException>(() =>
                    _context.ForwardSampling().Load(path, out _)).Message, StringComparison.Ordinal);
        }
        finally
        {
            File.Delete(path);
        }
    }

    [Fact]
    public void SavedModel_LoadedByMlNet_TestsEachRowAlone()
    {
        using GroupTestingTransformer model = Fit(s_options with { Thresholds = [1f, 0.5f, 0.25f] });
        IDataView rows = Rows(50);
        using var stream = new MemoryStream();
        _context.Model.Save(model, rows.Schema, stream);
        stream.Position = 0;
        ITransformer plain = _context.Model.Load(stream, out _);
        IDataView scored = plain.Transform(rows);
        Tested alone = Tested.Of(model, rows, GroupSchedule.Individual, 0.25f);
        Assert.Equal(alone.Scores, scored.GetColumn<float>("Score"));
        Assert.Equal(alone.Probabilities, scored.GetColumn<float>("Probability"));
        Assert.Equal(alone.Predicted, scored.GetColumn<bool>("PredictedLabel"));
        Assert.All(scored.GetColumn<float>(ForwardColumns.Tests), tests => Assert.Equal(1f, tests));
        using var restored = (GroupTestingTransformer)_context.ForwardSampling().Restore(plain);
        Assert.Equal(model.Transform(rows).GetColumn<float>("Score"), restored.Transform(rows).GetColumn<float>("Score"));
    }

    [Fact]
    public void DamagedState_IsRefusedInOneWay()
    {
        using GroupTestingTransformer model = Fit(s_options with { StemLayers = [3], BodyLayers = [2] });
        byte[] state = GroupStateCodec.Encode(model);
        for (int length = 6; length < state.Length; length += 11)
        {
            using var cut = new BinaryReader(new MemoryStream(state[..length]));
            StateHeader.Read(cut);
            Exception refused = Assert.ThrowsAny<Exception>(() => GroupStateCodec.Decode(cut, null));
            Assert.True(refused is InvalidDataException or EndOfStreamException, $"{length}: {refused}");
        }

        var random = new Random(1);
        for (int i = 0; i < 2000; i++)
        {
            byte[] changed = [.. state];
            changed[random.Next(6, state.Length)] ^= (byte)(1 << random.Next(8));
            using var reader = new BinaryReader(new MemoryStream(changed));
            StateHeader.Read(reader);
            Exception? refused = Record.Exception(() => GroupStateCodec.Decode(reader, null).Dispose());   // a changed weight decodes
            Assert.True(refused is null or InvalidDataException or EndOfStreamException or InvalidOperationException, $"{refused}");
        }

        state[5] = 9;
        Assert.Throws<NotSupportedException>(() => StateHeader.Read(new BinaryReader(new MemoryStream(state))));
    }

    [Fact]
    public void BrokenRow_IsLeftOutOfItsGroupAndCounted()
    {
        using GroupTestingTransformer model = Fit(s_options with { Schedule = GroupSchedule.TwoRounds(4) });
        RareRow[] rows = RareRows.Create(8, 5);
        IDataView three = _context.Data.LoadFromEnumerable<RareRow>([.. rows[..2], rows[3]]);
        float[] others = Tested.Of(model, three, GroupSchedule.TwoRounds(4)).Scores;
        rows[2].Features[7] = float.PositiveInfinity;
        Tested tested = Tested.Of(model, _context.Data.LoadFromEnumerable(rows), GroupSchedule.TwoRounds(4));
        Assert.True(float.IsNaN(tested.Scores[2]) && float.IsNaN(tested.Probabilities[2]) && !tested.Predicted[2]);
        Assert.Equal(0f, tested.Tests[2]);
        Assert.Equal((7, 1), (tested.Report.RowsScored, tested.Report.RowsWithoutScore));
        Assert.Equal<float>(others, (float[])[.. tested.Scores[..2], tested.Scores[3]]);
    }

    [Fact]
    public void RecordForwardPass_OfARuledOutRow_HoldsTheLossAtItsShareOfTheGroup()
    {
        using GroupTestingTransformer model = Fit(s_options with { Thresholds = [1e6f, 0f, 0f] });
        IDataView rows = Rows(40);
        IDataView recorded = _context.ForwardSampling().RecordForwardPass(model, PredictionTask.Binary).Fit(rows).Transform(rows);
        float[] loss = [.. recorded.GetColumn<float>(ForwardColumns.Loss)], p = [.. recorded.GetColumn<float>("Probability")];
        bool[] label = [.. recorded.GetColumn<bool>("Label")];
        Assert.Equal(p.Zip(label, (x, y) => -Math.Log(y ? x : 1 - x)), loss.Select(x => (double)x),
            (expected, actual) => Math.Abs(expected - actual) < 1e-4 * (1 + expected));
        Assert.Equal(1f / 16, recorded.GetColumn<float>(ForwardColumns.Tests).First());
        Assert.Equal(1f / 8, recorded.GetColumn<float>(ForwardColumns.Tests).Last());       // the short last group of 40 rows
        ViewContract.Check(recorded);
    }

    [Fact]
    public void Fit_SameSeed_SameBits_AndOtherSeedOthers()
    {
        IDataView rows = Rows(50);
        using GroupTestingTransformer first = Fit(s_options), second = Fit(s_options), other = Fit(s_options with { Seed = 2 });
        Assert.Equal(Scores(first), Scores(second));
        Assert.NotEqual(Scores(first), Scores(other));
        Assert.Equal((40, 40 * 64, 40 * 32), ((int)first.Training!.Steps, (int)first.Training.Groups, (int)first.Training.PositiveGroups));

        float[] Scores(GroupTestingTransformer model) => [.. model.Transform(rows).GetColumn<float>("Score")];
    }

    [Fact]
    public void Fit_UnscaledFeatures_AreFoldedIntoTheStem()
    {
        RareRow[] rows = RareRows.Create(400, 1, 0.2), scaled = RareRows.Create(400, 1, 0.2);
        foreach (RareRow row in scaled)
            row.Features = [.. row.Features.Select(x => (1024 * x) + 4096)];
        using GroupTestingTransformer model = Fit(s_options, scaled);
        Tested tested = Tested.Of(model, _context.Data.LoadFromEnumerable(scaled), GroupSchedule.Individual);
        Assert.True(tested.Recall(scaled) > 0.7);
        Assert.True(tested.FalsePositives(scaled) < 200);
    }

    [Fact]
    public void Fit_ManyPositives_WarnsInTheLog()
    {
        var heard = new List<string>();
        _context.Log += (_, e) => heard.Add(e.RawMessage);
        using GroupTestingTransformer model = Fit(s_options with { Steps = 1 }, RareRows.Create(300, 1, 0.3));
        Assert.Single(heard, message => message.Contains("testing groups hardly pays", StringComparison.Ordinal));
        heard.Clear();
        using GroupTestingTransformer rare = Fit(s_options with { Steps = 1 }, RareRows.Create(1000, 1, 0.03));
        Assert.DoesNotContain(heard, message => message.Contains("hardly pays", StringComparison.Ordinal));
    }

    [Fact]
    public void Fit_WithoutWhatItNeeds_SaysSo()
    {
        var fs = _context.ForwardSampling();
        Assert.Contains("call Fit(data, validationData)", Assert.Throws<ArgumentException>(() =>
            fs.GroupTesting(s_options with { WantedRecall = 0.9 }).Fit(Rows(100))).Message, StringComparison.Ordinal);
        Assert.Contains("0 of 50 usable rows are positive", Assert.Throws<InvalidOperationException>(() =>
            Fit(s_options, RareRows.Create(50, 1, 0))).Message, StringComparison.Ordinal);
        Assert.Contains("no positive row", Assert.Throws<InvalidOperationException>(() => fs.GroupTesting(s_options with
        { WantedRecall = 0.9 }).Fit(Rows(300), RareRows.View(_context, 50, 1, 0))).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Fit_AndDispose_LeaveNoTensor()
    {
        Fit(s_options).Dispose();
        IDataView rows = Rows(300);
        Assert.Equal(LiveTensors.LeftBy(() => _ = new GroupNetworkMaker()), LiveTensors.LeftBy(() =>
        {
            using GroupTestingTransformer model = _context.ForwardSampling().GroupTesting(s_options).Fit(rows);
            model.Transform(rows).GetColumn<float>("Score").Count();
        }));
    }

    [Fact]
    public void Transform_FewRowsTaken_ReadsOneGroupAhead()
    {
        RareRow[] rows = RareRows.Create(3000, 2);
        int read = 0;
        IEnumerable<RareRow> Counted() => rows.Select(row =>
        {
            read++;
            return row;
        });
        using GroupTestingTransformer model = Fit(s_options);
        Assert.Equal(5, model.Transform(_context.Data.LoadFromEnumerable(Counted())).Preview(5).RowView.Length);
        Assert.InRange(read, 5, 17);
        Assert.Equal(16, model.Report.RowsScored);
    }

    [Fact]
    public void Dispose_ThenScore_SaysSo()
    {
        GroupTestingTransformer model = Fit(s_options), shared = model.WithSchedule(GroupSchedule.Individual);
        IDataView rows = Rows(10);
        shared.Dispose();
        Assert.Equal(10, model.Transform(rows).GetColumn<float>("Score").Count());
        model.Dispose();
        Assert.ThrowsAny<ObjectDisposedException>(() => model.Transform(rows).GetColumn<float>("Score").Count());
    }

    private IDataView Rows(int count) => RareRows.View(_context, count, seed: 8, prevalence: 0.2);

    private GroupTestingTransformer Fit(GroupTestingOptions options, RareRow[]? rows = null)
        => _context.ForwardSampling().GroupTesting(options).Fit(rows is null ? Rows(300) : _context.Data.LoadFromEnumerable(rows));

    private static DataViewRowCursor Cursor(IDataView view) => view.GetRowCursor(view.Schema);

    private static GroupModules OwnModules(int features)
        => new(nn.Sequential(nn.Linear(features, 6), nn.Tanh(), nn.Unflatten(1, [2, 3])),
            nn.Sequential(nn.Flatten(), nn.Linear(6, 4), nn.ReLU(), nn.Linear(4, 1)))
        {
            Pairs = nn.Sequential(nn.Flatten(), nn.Linear(6, 6), nn.Unflatten(1, [2, 3])),
            StemMultiplyAdds = 6 * features,
            PairMultiplyAdds = 36,
            BodyMultiplyAdds = 28,
        };

    /// <summary>What making and disposing a network leaves of itself, which is torch's own.</summary>
    private sealed class GroupNetworkMaker
    {
        public GroupNetworkMaker()
        {
            using var scope = NewDisposeScope();
            using GroupNetwork network = GroupNetwork.Build(GroupMerge.Features, RareRows.FeatureCount,
                new GroupArchitecture([32], [], [96, 64], ForwardSampling.Networks.Activation.ReLU), seed: 1);
        }
    }
}
