using System.Text.Json;
using Microsoft.ML;
using Microsoft.ML.Data;

namespace Conformance.Tests;

/// <summary>MLContext.Data row operations on n rows of {int Id, float A}.</summary>
public sealed class DataReplay() : AreaReplay(Name)
{
    private const string Name = "data";
    private readonly MLContext _ml = new(seed: 1);

    public static TheoryData<string> Cases => CasesOf(Name);

    protected override IReadOnlySet<string> Inputs { get; } = new HashSet<string>
        { "n", "call", "input_A", "lowerBound", "upperBound", "column", "input", "columns", "predicate", "testFraction", "seed", "samplingKeyColumnName", "numberOfFolds" };

    [Theory, MemberData(nameof(Cases))]
    public void DataOperations_GoldenCase_KeepTheSameRows(string name) => Check(name);

    private protected override void Replay(Run run)
    {
        switch (run.Name)
        {
            case string s when s.StartsWith("filterrows", StringComparison.Ordinal):
                Filter(run);
                break;
            case "takerows-null-input":
                _ml.Data.TakeRows(null!, 1);
                break;
            case "skip-then-take":
                Kept(run, _ml.Data.TakeRows(_ml.Data.SkipRows(Numbered(10), 3), 4));
                break;
            case "take-then-skip":
                Kept(run, _ml.Data.SkipRows(_ml.Data.TakeRows(Numbered(10), 4), 3));
                break;
            case string s when s.StartsWith("take", StringComparison.Ordinal) || s.StartsWith("skip", StringComparison.Ordinal):
                var call = CallText.Parse(run.Text("call"));
                Kept(run, (IDataView)Api.Call(_ml, _ml.Data, call.Name, Numbered(run["n"].GetInt32()), call.Arguments[0].Value)!);
                break;
            case "filterbycustompredicate":
                Func<Numbers, bool> predicate = r => r.A > 2;
                Kept(run, (IDataView)Api.Call(_ml, _ml.Data, "FilterByCustomPredicate", Numbered(6), predicate)!);
                break;
            case string s when s.StartsWith("shuffle", StringComparison.Ordinal):
                Shuffle(run);
                break;
            case string s when s.StartsWith("cache", StringComparison.Ordinal):
                Cache(run);
                break;
            case string s when s.StartsWith("traintestsplit", StringComparison.Ordinal):
                Split(run);
                break;
            case string s when s.StartsWith("crossvalidationsplit", StringComparison.Ordinal):
                Folds(run);
                break;
            case "bootstrapsample":
                List<object?> sample = Ids((IDataView)Api.Call(_ml, _ml.Data, "BootstrapSample", Numbered(100), 1.0)!);
                run.Informative("count", "distinct");
                Assert.InRange(sample.Count, 60, 140);
                Assert.InRange(sample.Distinct().Count(), 40, sample.Count - 1);
                break;
            default:
                throw Unknown(run);
        }
    }

    private void Filter(Run run)
    {
        IDataView? view = run.Name switch
        {
            string s when s.StartsWith("filterrowsbymissing", StringComparison.Ordinal) => (IDataView)Api.Call(_ml, _ml.Data, "FilterRowsByMissingValues",
                Rows.Load(_ml, Rows.Objects(run["input"], typeof(Mixed))), run["columns"].EnumerateArray().Select(c => (object?)c.GetString()).ToList())!,
            "filterrowsbykeycolumnfraction" => (IDataView)Api.Call(_ml, _ml.Data, "FilterRowsByKeyColumnFraction", KeyRows(), "A", run.Number("lowerBound"), run.Number("upperBound"))!,
            "filterrowsbycolumn-int" => _ml.Data.FilterRowsByColumn(_ml.Data.LoadFromEnumerable(new Of<int>[] { new() }), "A", 1),
            "filterrowsbycolumn-string" => _ml.Data.FilterRowsByColumn(_ml.Data.LoadFromEnumerable(new Of<string>[] { new() }), "A", 1),
            "filterrowsbycolumn-vector" => _ml.Data.FilterRowsByColumn(_ml.Data.LoadFromEnumerable(new Vector[] { new() }), "A", 1),
            "filterrowsbycolumn-key" => _ml.Data.FilterRowsByColumn(KeyRows(), "A", 0, 1),
            "filterrowsbycolumn-missing-column" => _ml.Data.FilterRowsByColumn(Numbered(2), "Zzz", 1),
            "filterrowsbycolumn-double" => _ml.Data.FilterRowsByColumn(Input<double>(run), "A", run.Number("lowerBound"), run.Number("upperBound")),
            "filterrowsbycolumn-float-default" => _ml.Data.FilterRowsByColumn(Input<float>(run), "A"),
            _ => _ml.Data.FilterRowsByColumn(Input<float>(run), "A", run.Number("lowerBound"), run.Number("upperBound")),
        };
        run.Observe("A", Rows.Column(view, "A"));
        Properties(run, view);
    }

    private void Shuffle(Run run)
    {
        int n = run["n"].GetInt32();
        switch (run.Name)
        {
            case "shuffle-view-properties":
                IDataView shuffled = _ml.Data.ShuffleRows(Numbered(n), seed: 1);
                Properties(run, shuffled);
                run.Observe("type", shuffled.Schema["Id"].Type.ToString());
                break;
            case "shuffle-order-reproducible":
                List<object?> order = Order(1, 7), same = Order(1, 7);
                IDataView view = _ml.Data.ShuffleRows(Numbered(n), seed: 7);
                run.Observe("isPermutation", order.Order().SequenceEqual(Ids(Numbered(n))));
                run.Observe("changesOrder", !order.SequenceEqual(Ids(Numbered(n))));
                run.Observe("sameContextSeedSameSeed_equal", order.SequenceEqual(same));
                run.Observe("otherContextSeedSameSeed_equal", order.SequenceEqual(Order(2, 7)));
                run.Observe("sameContextSeedNoSeed_equal", Order(1, null).SequenceEqual(Order(1, null)));
                run.Observe("sameViewReadTwice_equal", Ids(view).SequenceEqual(Ids(view)));
                run.Observe("sameAsFreshContext", Ids(view).SequenceEqual(order));
                run.Informative("noSeeds_equal");
                break;
            default:
                CallText call = CallText.Parse(run.Text("call").Replace("v, ", "", StringComparison.Ordinal));
                int pool = (int)(double)call.Arguments.Single(a => a.Name == "shufflePoolSize").Value!;
                run.Observe("output", Ids(_ml.Data.ShuffleRows(Numbered(n), seed: 1, shufflePoolSize: pool)));
                break;
        }

        List<object?> Order(int contextSeed, int? seed)
        {
            MLContext ml = new(contextSeed);
            return Ids(ml.Data.ShuffleRows(Numbered(n, ml), seed));
        }
    }

    private void Cache(Run run)
    {
        switch (run.Name)
        {
            case "cache-reads-source-once":
                Counted<Numbers> source = new([.. Enumerable.Range(0, 3).Select(i => new Numbers { Id = i, A = i })]);
                IDataView cached = _ml.Data.Cache(_ml.Data.LoadFromEnumerable(source));
                run.Observe("enumerationsBeforeRead", source.Enumerations);
                run.Observe("GetRowCountBeforeRead", cached.GetRowCount());
                run.Observe("rows", new[] { Rows.Read(cached).Count, Rows.Read(cached).Count });
                run.Observe("GetRowCountAfterRead", cached.GetRowCount());
                run.Observe("CanShuffle", cached.CanShuffle);
                break;
            case "cache-snapshot":
                Numbers[] rows = [new() { A = 0 }, new() { A = 1 }];
                IDataView snapshot = _ml.Data.Cache(_ml.Data.LoadFromEnumerable(rows));
                run.Observe("first", Rows.Column(snapshot, "A"));
                rows[0].A = rows[1].A = 9;
                run.Observe("afterChangingTheObjects", Rows.Column(snapshot, "A"));
                break;
            case "cache-schema":
                run.Observe(_ml.Data.Cache(Numbered(2), "A"));
                break;
            case "cache-missing-column":
                _ml.Data.Cache(Numbered(2), "Zzz");
                break;
            default:
                throw Unknown(run);
        }
    }

    private void Split(Run run)
    {
        run.Informative("train", "test");
        switch (run.Name)
        {
            case "traintestsplit-schema":
                DataOperationsCatalog.TrainTestData schemas = _ml.Data.TrainTestSplit(Numbered(5));
                run.Observe("trainSchema", schemas.TrainSet.Schema);
                run.Observe("testSchema", schemas.TestSet.Schema);
                break;
            case "traintestsplit-reproducible":
                DataOperationsCatalog.TrainTestData twice = _ml.Data.TrainTestSplit(Numbered(100), 0.3, seed: 1);
                run.Observe("sameContextSeedSameSeed_equal", Test(1, 7).SequenceEqual(Test(1, 7)));
                run.Observe("otherContextSeedSameSeed_equal", Test(1, 7).SequenceEqual(Test(2, 7)));
                run.Observe("otherSeed_equal", Test(1, 7).SequenceEqual(Test(1, 8)));
                run.Observe("sameContextSeedNoSeed_equal", Test(1, null).SequenceEqual(Test(1, null)));
                run.Observe("noSeeds_equal", Test(null, null).SequenceEqual(Test(null, null)));
                run.Observe("readTwice_equal", Ids(twice.TestSet).SequenceEqual(Ids(twice.TestSet)));
                break;
            case string s when s.StartsWith("traintestsplit-samplingkey", StringComparison.Ordinal):
                Group[] groups = [.. Enumerable.Range(0, 200).Select(i => new Group { Id = i, Grp = i % 20, Name = $"g{i % 20}", Fl = i % 20, Key = (uint)(i % 10) })];
                string column = run.Text("samplingKeyColumnName");
                DataOperationsCatalog.TrainTestData grouped = _ml.Data.TrainTestSplit(_ml.Data.LoadFromEnumerable(groups), 0.3, column, 1);
                run.Observe("groupsShared", Rows.Column(grouped.TrainSet, column).Intersect(Rows.Column(grouped.TestSet, column)).Count());
                run.Observe("schemaTrain", grouped.TrainSet.Schema);
                break;
            default:
                int n = run["n"].GetInt32();
                double fraction = run.Has("testFraction") ? run.Number("testFraction") : 0.1;
                DataOperationsCatalog.TrainTestData split = run.Has("testFraction") ? _ml.Data.TrainTestSplit(Numbered(n), fraction, seed: 1) : _ml.Data.TrainTestSplit(Numbered(n));
                List<object?> train = Ids(split.TrainSet), test = Ids(split.TestSet);
                run.Observe("disjointAndComplete", train.Concat(test).Order().SequenceEqual(Ids(Numbered(n))));
                run.Observe("trainKeepsOrder", train.SequenceEqual(train.Order()));
                run.Observe("testKeepsOrder", test.SequenceEqual(test.Order()));
                run.Observe("GetRowCountTrain", split.TrainSet.GetRowCount());
                run.Observe("CanShuffleTrain", split.TrainSet.CanShuffle);
                if (n >= 100)
                    Assert.InRange((double)test.Count / n, fraction - 0.1, fraction + 0.1);
                break;
        }

        static List<object?> Test(int? contextSeed, int? seed)
        {
            MLContext ml = new(contextSeed);
            return Ids(ml.Data.TrainTestSplit(Numbered(100, ml), 0.3, seed: seed).TestSet);
        }
    }

    private void Folds(Run run)
    {
        IReadOnlyList<DataOperationsCatalog.TrainTestData> folds = _ml.Data.CrossValidationSplit(Numbered(100), run["numberOfFolds"].GetInt32(), seed: 1);
        run.Informative("testSizes");
        run.Observe("folds", folds.Count);
        run.Observe("testSetsPartition", folds.SelectMany(f => Ids(f.TestSet)).Order().SequenceEqual(Ids(Numbered(100)))
            && folds.All(f => Ids(f.TrainSet).Concat(Ids(f.TestSet)).Order().SequenceEqual(Ids(Numbered(100)))));
    }

    private static void Kept(Run run, IDataView view)
    {
        run.Observe("Id", Ids(view));
        Properties(run, view);
    }

    private static void Properties(Run run, IDataView view)
    {
        run.Observe("GetRowCount", view.GetRowCount());
        run.Observe("CanShuffle", view.CanShuffle);
    }

    private static List<object?> Ids(IDataView view) => Rows.Column(view, "Id");

    private IDataView Numbered(int n) => Numbered(n, _ml);

    private static IDataView Numbered(int n, MLContext ml) => ml.Data.LoadFromEnumerable(Enumerable.Range(0, n).Select(i => new Numbers { Id = i, A = i }).ToArray());

    private IDataView Input<T>(Run run) => _ml.Data.LoadFromEnumerable(run["input_A"].EnumerateArray().Select(a => new Of<T> { A = (T)Json.Value(a, typeof(T))! }).ToArray());

    private IDataView KeyRows() => _ml.Data.LoadFromEnumerable(new uint[] { 0, 1, 2, 3, 9 }.Select(k => new Key { A = k }).ToArray());

    private sealed class Numbers { public int Id { get; set; } public float A { get; set; } }
    private sealed class Of<T> { public T A { get; set; } = default!; }
    private sealed class Vector { [VectorType(2)] public float[]? A { get; set; } }
    private sealed class Key { [KeyType(4)] public uint A { get; set; } }

    private sealed class Mixed
    {
        public float A { get; set; }
        public float B { get; set; }
        public string? S { get; set; }
        public int I { get; set; }
        [VectorType(2)] public float[]? V { get; set; }
    }

    private sealed class Group
    {
        public int Id { get; set; }
        public int Grp { get; set; }
        public string? Name { get; set; }
        public float Fl { get; set; }
        [KeyType(10)] public uint Key { get; set; }
    }
}
