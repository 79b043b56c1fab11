using Microsoft.ML;
using Microsoft.ML.Data;
using Microsoft.ML.Transforms;

namespace Conformance.Tests;

/// <summary>Chains, hidden columns, exceptions, prediction engines, previews and cursors on rows {float A, float B, string S}.</summary>
public sealed class PipelineReplay : AreaReplay, IDisposable
{
    private const string Name = "pipeline";
    private readonly MLContext _ml = new(seed: 1);
    private readonly string _path = Path.Combine(Path.GetTempPath(), $"conformance-{Guid.NewGuid():N}.txt");
    private readonly ABS[] _rows = [new() { A = 1, B = 10, S = "x" }, new() { A = 2, B = 20, S = "y" }, new() { A = 3, B = 30, S = "x" }];
    private readonly IDataView _view;

    public PipelineReplay()
        : base(Name, relative: 1e-6) => _view = _ml.Data.LoadFromEnumerable(_rows);

    public static TheoryData<string> Cases => CasesOf(Name);

    protected override IReadOnlySet<string> Inputs { get; } = new HashSet<string> { "what" };

    [Theory, MemberData(nameof(Cases))]
    public void Pipeline_GoldenCase_BehavesTheSame(string name) => Check(name);

    public void Dispose() => File.Delete(_path);

    private protected override void Replay(Run run)
    {
        string kind = run.Name.Split('-')[0];
        if (run.Name.StartsWith("estimator-getoutputschema", StringComparison.Ordinal))
            OutputShape(run);
        else if (kind is "error")
            Errors(run);
        else if (kind is "trainer")
            Trainers(run);
        else if (kind is "predictionengine")
            Engines(run);
        else if (kind is "preview")
            Previews(run);
        else if (kind is "cursor" or "rowcount" or "getrowcursorset" or "getcolumn" or "transform")
            Cursors(run);
        else
            Chains(run);
    }

    private void OutputShape(Run run)
    {
        string text = run.Text("what").Replace(" .GetOutputSchema(SchemaShape)", "", StringComparison.Ordinal).Replace(" without Features", "", StringComparison.Ordinal).Replace("), ", ") then ", StringComparison.Ordinal);
        IEstimator<ITransformer> estimator = run.Name == "estimator-getoutputschema-custom" ? Map<ABS, OnlyC>((_, _) => { }) : E(text.EndsWith(')') ? text : text + "()");
        SchemaShape input = Map<Empty, ABS>((_, _) => { }).GetOutputSchema(new SchemaShape([]));
        var columns = estimator.GetOutputSchema(input).Select(c => new Dictionary<string, object?>
        {
            ["name"] = c.Name,
            ["kind"] = c.Kind.ToString(),
            ["itemType"] = c.ItemType.ToString(),
            ["isKey"] = c.IsKey,
            ["annotations"] = (c.Annotations ?? new SchemaShape([])).Select(a => a.Name).ToList(),
        });

        // Columns of a shape are found by name: their order, and that of the annotations, is not compared.
        List<string> names = [.. run["output"].EnumerateArray().Select(c => c.GetProperty("name").GetString()!)];
        run.Observe("output", columns.OrderBy(c => names.IndexOf((string)c["name"]!)).Select(c =>
        {
            int at = names.IndexOf((string)c["name"]!);
            List<string?> annotations = at < 0 ? [] : [.. run["output"][at].GetProperty("annotations").EnumerateArray().Select(a => a.GetString())];
            c["annotations"] = ((List<string>)c["annotations"]!).OrderBy(annotations.IndexOf).ToList();
            return c;
        }).ToList());
    }

    private void Chains(Run run)
    {
        switch (run.Name)
        {
            case "overwrite-hides-column":
                IDataView copied = Apply("CopyColumns(A, B)");
                run.Observe(copied);
                run.Observe("Count", copied.Schema.Count);
                run.Observe("indexOf[\"A\"]", copied.Schema["A"].Index);
                run.Observe("GetColumnOrNull(\"A\").Index", copied.Schema.GetColumnOrNull("A")?.Index);
                run.Observe("GetColumnOrNull(\"Zzz\")", copied.Schema.GetColumnOrNull("Zzz"));
                run.Observe("schema[\"Zzz\"]", Run.Try(() => copied.Schema["Zzz"]));
                run.Observe("schema[99]", Run.Try(() => copied.Schema[99]));
                break;
            case "overwrite-twice":
                run.Observe(Apply("CopyColumns(A, B) then NormalizeMinMax(A)"));
                break;
            case "getoutputschema-transformer-equals-transform":
                ITransformer normalizer = E("Concatenate(F, A, B) then NormalizeMinMax(F)").Fit(_view);
                run.Observe("GetOutputSchema", normalizer.GetOutputSchema(_view.Schema));
                run.Observe("TransformSchema", normalizer.Transform(_view).Schema);
                break;
            case "estimatorchain-append":
                EstimatorChain<ITransformer> chain = E("Concatenate(F, A, B)").Append(E("NormalizeMinMax(F)"));
                EstimatorChain<ITransformer> longer = chain.Append(E("CopyColumns(C, F)"));
                TransformerChain<ITransformer> model = longer.Fit(_view);
                run.Observe("type", longer.GetType().Name);
                run.Observe("appendReturnsNewObject", !ReferenceEquals(chain, longer));
                run.Observe("modelType", model.GetType().Name);
                run.Observe("transformers", Types(model));
                run.Observe("LastTransformer", model.LastTransformer.GetType().Name);
                run.Observe("schema", model.Transform(_view).Schema);
                break;
            case "estimatorchain-nested":
                run.Observe("transformers", Types(E("CopyColumns(C, A)").Append(E("CopyColumns(D, A) then CopyColumns(E, A)")).Fit(_view)));
                break;
            case "estimatorchain-empty":
                TransformerChain<ITransformer> empty = new EstimatorChain<ITransformer>().Fit(_view);
                run.Observe("transformers", empty.Count());
                run.Observe("LastTransformer", empty.LastTransformer);
                run.Observe("schema", empty.Transform(_view).Schema);
                run.Observe("thenAppend", new EstimatorChain<ITransformer>().Append(E("CopyColumns(C, A)")).Fit(_view).Count());
                break;
            case "transformerchain-append":
                TransformerChain<ITransformer> two = E("CopyColumns(C, A)").Fit(_view).Append(E("CopyColumns(D, A)").Fit(_view));
                run.Observe("type", two.GetType().Name);
                run.Observe("transformers", Types(two));
                run.Observe("schema", two.Transform(_view).Schema);
                break;
            case "transformerchain-empty-isrowtorow":
                run.Observe("emptyChainIsRowToRow", ((ITransformer)new TransformerChain<ITransformer>()).IsRowToRowMapper);
                break;
            case "append-null":
                E("CopyColumns(C, A)").Append<ITransformer>((IEstimator<ITransformer>)null!);
                break;
            case "appendcachecheckpoint":
                var cached = (EstimatorChain<ITransformer>)Api.Call(_ml, new EstimatorChain<ITransformer>().Append(E("CopyColumns(C, A)")), "AppendCacheCheckpoint", _ml)!;
                run.Observe("type", cached.GetType().Name);
                run.Observe("transformersInFittedChain", cached.Fit(_view).Count());
                run.Informative("enumerationsWithoutCache", "enumerationsWithCache");
                break;
            case "transformerscope":
                TransformerChain<ITransformer> scoped = E("CopyColumns(C, A)").Append(E("CopyColumns(D, B)"), TransformerScope.TrainTest).Fit(_view);
                run.Observe("all", scoped.Count());
                run.Observe("scoring", scoped.GetModelFor(TransformerScope.Scoring).Count());
                run.Observe("schemaScoring", scoped.GetModelFor(TransformerScope.Scoring).Transform(_view).Schema);
                break;
            case "withonfitdelegate":
                ITransformer? seen = null;
                Action<ITransformer> onFit = t => seen = t;
                ITransformer fitted = ((IEstimator<ITransformer>)Api.Static(_ml, "Microsoft.ML.LearningPipelineExtensions", "WithOnFitDelegate", typeof(ITransformer), E("CopyColumns(C, A)"), onFit)!).Fit(_view);
                run.Observe("delegateType", seen!.GetType().Name);
                run.Observe("sameObject", ReferenceEquals(seen, fitted));
                break;
            case "fit-passes-per-estimator":
                run.Informative("CopyColumns", "Concatenate", "NormalizeMinMax", "NormalizeMeanVariance", "MapValueToKey", "OneHotEncoding", "ReplaceMissingValues_Mean", "CustomMapping");
                Apply("CopyColumns(C, A) then Concatenate(F, A, B) then NormalizeMinMax(F) then NormalizeMeanVariance(A) then MapValueToKey(K, S) then OneHotEncoding(O, S) then ReplaceMissingValues(B, B, Mean)");
                break;
            case "save-load-roundtrip":
                using (MemoryStream stream = new())
                {
                    ITransformer saved = E("Concatenate(F, A, B) then NormalizeMinMax(F) then OneHotEncoding(O, S) then MapValueToKey(K, S) then ReplaceMissingValues(A, A, Mean)").Fit(_view);
                    _ml.Model.Save(saved, _view.Schema, stream);
                    stream.Position = 0;
                    ITransformer loaded = new MLContext().Model.Load(stream, out DataViewSchema schema);
                    run.Observe("loadedType", loaded.GetType().Name);
                    run.Observe("inputSchema", schema);
                    run.Observe("sameRows", Flat(saved.Transform(_view)).SequenceEqual(Flat(loaded.Transform(_view))));
                }

                break;
            case "load-missing-file":
                _ml.Model.Load("no-such-file.zip", out _);
                break;
            case "load-garbage":
                _ml.Model.Load(new MemoryStream([1, 2, 3, 4]), out _);
                break;
            case "vbuffer-basics":
                Buffers(run);
                break;
            default:
                throw Unknown(run);
        }
    }

    private void Errors(Run run)
    {
        IDataView abs = _view, onlyA = View(new { A = 1f }), ab = View(new { A = 1f, B = 2f }), doubleA = View(new { A = 1d, B = 2f }), stringA = View(new { A = "1", B = 2f });
        IDataView two = View(new Labelled<float> { Features = [1, 2] });
        Dictionary<string, (string Estimator, IDataView? FitOn, IDataView? TransformOn)> cases = new()
        {
            ["chain-fit-missing-column"] = ("CopyColumns(C, A) then NormalizeMinMax(Zzz)", abs, null),
            ["chain-fit-type-mismatch"] = ("CopyColumns(C, A) then NormalizeMinMax(S)", abs, null),
            ["concatenate-transform-missing-column"] = ("Concatenate(F, A, B)", abs, onlyA),
            ["concatenate-transform-type-mismatch"] = ("Concatenate(F, A, B)", abs, doubleA),
            ["normalize-transform-missing-column"] = ("NormalizeMinMax(B)", abs, onlyA),
            ["normalize-transform-type-mismatch"] = ("NormalizeMinMax(A)", abs, doubleA),
            ["normalize-transform-vector-size"] = ("NormalizeMinMax(Features)", two, View(new ThreeFeatures())),
            ["onehot-transform-type-mismatch"] = ("OneHotEncoding(O, A)", abs, stringA),
            ["valuetokey-transform-missing-column"] = ("MapValueToKey(K, S)", abs, ab),
            ["replace-transform-type-mismatch"] = ("ReplaceMissingValues(A)", abs, doubleA),
            ["custom-transform-missing-column"] = ("", ab, onlyA),
            ["fit-null"] = ("NormalizeMinMax(A)", null, null),
            ["create-empty-column-name"] = ("NormalizeMinMax(\"\")", abs, null),
            ["create-null-column-name"] = ("CopyColumns(null, A)", abs, null),
            ["trainer-missing-features"] = ("Sdca()", View(new { Label = 1f }), null),
            ["trainer-missing-label"] = ("Sdca(Zzz)", two, null),
            ["trainer-label-string"] = ("Sdca()", View(new Labelled<string>()), null),
            ["trainer-label-double"] = ("Sdca()", View(new Labelled<double>()), null),
            ["trainer-label-bool-regression"] = ("Sdca()", View(new Labelled<bool>()), null),
            ["trainer-label-float-binary"] = ("LbfgsLogisticRegression()", two, null),
            ["trainer-label-float-multiclass"] = ("SdcaMaximumEntropy()", two, null),
            ["trainer-features-variable-vector"] = ("Sdca()", View(new VariableFeatures()), null),
            ["trainer-features-scalar"] = ("Sdca()", View(new { Label = 1f, Features = 1f }), null),
            ["trainer-no-rows"] = ("Sdca()", View<Labelled<float>>(), null),
            ["trainer-no-rows-ogd"] = ("OnlineGradientDescent()", View<Labelled<float>>(), null),
            ["trainer-no-rows-lbfgs"] = ("LbfgsLogisticRegression()", View<Labelled<bool>>(), null),
            ["trainer-no-rows-fasttree"] = ("FastTree()", View<Labelled<float>>(), null),
            ["trainer-all-nan-labels"] = ("OnlineGradientDescent()", View(new Labelled<float> { Label = float.NaN }, new Labelled<float> { Label = float.NaN }), null),
        };
        (string text, IDataView? fitOn, IDataView? transformOn) = cases.GetValueOrDefault(run.Name["error-".Length..], ("", null, null));
        if (text.Length == 0 && fitOn is null)
            throw Unknown(run);
        IEstimator<ITransformer> estimator = run.In("create", () => text.Length == 0 ? Map<AB, OnlyC>((i, o) => o.C = i.A + i.B) : E(text));
        ITransformer transformer = run.In("fit", () => estimator.Fit(fitOn!));
        if (transformOn is not null)
            run.Observe(run.In("transform", () => transformer.Transform(transformOn)));
    }

    private void Trainers(Run run)
    {
        Labelled<float>[] rows = [.. Enumerable.Range(0, 40).Select(i => new Labelled<float> { Label = i % 7, Features = [i % 7, i % 3] })];
        Labelled<bool>[] binary = [.. rows.Select(r => new Labelled<bool> { Label = r.Label > 3, Features = r.Features })];
        Labelled<string>[] classes = [.. rows.Select(r => new Labelled<string> { Label = r.Features[1] == 0 ? "a" : r.Features[1] == 1 ? "b" : "c", Features = r.Features })];
        switch (run.Name)
        {
            case "trainer-output-schema":
                Output("OnlineGradientDescent", rows, () => E("OnlineGradientDescent()"));
                Output("LbfgsLogisticRegression", binary, () => E("LbfgsLogisticRegression()"));
                Output("SdcaNonCalibrated", binary, () => E("SdcaNonCalibrated()"));
                Output("SdcaMaximumEntropy", classes, () => E("MapValueToKey(Label) then SdcaMaximumEntropy()"));
                Output("FastTreeRegression", rows, () => E("FastTree()"));
                Output("FastTreeBinary", binary, () => Api.BinaryTrainer(_ml, "FastTree()"));
                break;
            case "trainer-score-without-label-column":
                run.Observe("output", E("Sdca()").Fit(View(rows)).Transform(View(new TwoFeatures())).Schema);
                break;
            case "trainer-score-wrong-feature-size":
                run.In("transform", () => E("Sdca()").Fit(View(rows)).Transform(View(new ThreeFeatures())));
                break;
            case "trainer-score-nan-feature":
                run.Observe("output", Rows.Column(E("OnlineGradientDescent()").Fit(View(rows)).Transform(View(new TwoFeatures { Features = [float.NaN, 1] })), "Score"));
                break;
            default:
                throw Unknown(run);
        }

        void Output<T>(string key, T[] data, Func<IEstimator<ITransformer>> trainer)
            where T : class => run.ObservePart(key, () => trainer().Fit(View(data)).Transform(View(data)).Schema);
    }

    private void Engines(Run run)
    {
        ITransformer sum = Map<AB, OnlyC>((i, o) => o.C = i.A + i.B).Fit(_view), vector = E("Concatenate(F, A, B)").Fit(_view);
        switch (run.Name)
        {
            case "predictionengine-basic":
                PredictionEngine<AB, OnlyC> engine = _ml.Model.CreatePredictionEngine<AB, OnlyC>(sum);
                OnlyC first = engine.Predict(new() { A = 1, B = 2 }), second = engine.Predict(new() { A = 5, B = 6 }), third = new();
                engine.Predict(new() { A = 4, B = 4 }, ref third);
                run.Observe("first", first.C);
                run.Observe("second", second.C);
                run.Observe("newObjectPerPredict", !ReferenceEquals(first, second));
                run.Observe("refOverload", third.C);
                run.Observe("outputSchema", engine.OutputSchema);
                break;
            case "predictionengine-null-input":
                _ml.Model.CreatePredictionEngine<AB, OnlyC>(sum).Predict(null!);
                break;
            case "predictionengine-missing-input-column":
                run.In("create", () => _ml.Model.CreatePredictionEngine<OnlyA, OnlyF<float[]>>(vector));
                break;
            case "predictionengine-input-type-mismatch":
                run.In("create", () => _ml.Model.CreatePredictionEngine<DoubleAB, OnlyF<float[]>>(vector));
                break;
            case "predictionengine-output-missing-column-default":
                run.Observe("output", _ml.Model.CreatePredictionEngine<AB, CAndNope>(sum).Predict(new() { A = 1, B = 2 }));
                break;
            case "predictionengine-output-missing-column-false":
                _ml.Model.CreatePredictionEngine<AB, CAndNope>(sum, ignoreMissingColumns: false).Predict(new());
                break;
            case "predictionengine-output-type-mismatch":
                _ml.Model.CreatePredictionEngine<AB, DoubleC>(sum).Predict(new());
                break;
            case "predictionengine-input-column-passes-through":
                run.Observe("output", _ml.Model.CreatePredictionEngine<AB, AAndC>(sum).Predict(new() { A = 3 }));
                break;
            case "predictionengine-vector-output":
                PredictionEngine<AB, OnlyF<float[]>> arrays = _ml.Model.CreatePredictionEngine<AB, OnlyF<float[]>>(vector);
                float[] before = arrays.Predict(new() { A = 1, B = 2 }).F;
                run.Observe("first", before.ToArray());
                run.Observe("second", arrays.Predict(new() { A = 3, B = 4 }).F);
                run.Observe("firstAfterSecondPredict", before);
                run.Observe("vbuffer", _ml.Model.CreatePredictionEngine<AB, OnlyF<VBuffer<float>>>(vector).Predict(new() { A = 1, B = 2 }).F);
                break;
            case "predictionengine-with-schema":
                run.Observe("output", _ml.Model.CreatePredictionEngine<AB, OnlyC>(sum, View(new AB()).Schema).Predict(new() { A = 1, B = 3 }).C);
                break;
            case "predictionengine-with-larger-schema":
                _ml.Model.CreatePredictionEngine<AB, OnlyC>(sum, _view.Schema).Predict(new());
                break;
            case "predictionengine-trained-regression":
                ITransformer model = E("Concatenate(Features, A, B) then OnlineGradientDescent(A)").Fit(_view);
                PredictionEngine<AB, Scored> scorer = _ml.Model.CreatePredictionEngine<AB, Scored>(model);
                run.Observe("equalForAllRows", Rows.Column(model.Transform(_view), "Score").SequenceEqual(_rows.Select(r => (object?)scorer.Predict(new() { A = r.A, B = r.B }).Score)));
                break;
            default:
                throw Unknown(run);
        }
    }

    private void Previews(Run run)
    {
        switch (run.Name)
        {
            case "preview-view":
                DataDebuggerPreview preview = Preview(Apply("CopyColumns(A, B)"), 2.0);
                run.Observe("ToString", preview.ToString());
                run.Observe("schemaCount", ((DataViewSchema)Rows.Get(preview, "Schema")!).Count);
                run.Observe("columnView", Columns(preview).Select(c => (Column: (DataViewSchema.Column)Rows.Get(c, "Column")!, View: c)).Select(c => new Dictionary<string, object?>
                { ["column"] = c.Column.Name, ["hidden"] = c.Column.IsHidden, ["values"] = Values(c.View), ["ToString"] = c.View.ToString() }));
                run.Observe("rowView", preview.RowView.Select(r => r.Values.Select(v => new[] { v.Key, v.Value })));
                run.Observe("rowToString", preview.RowView[0].ToString());
                break;
            case "preview-default-rows":
                run.Observe("output", Preview(View(Enumerable.Range(0, 150).Select(_ => new OnlyC()).ToArray())).RowView.Length);
                break;
            case "preview-empty":
                DataDebuggerPreview empty = Preview(View<OnlyC>());
                run.Observe("ToString", empty.ToString());
                run.Observe("columnViewValues", Values(Columns(empty)[0]));
                break;
            case "preview-negative":
                Preview(_view, -1.0);
                break;
            case "preview-transformer-and-estimator":
                ITransformer copy = E("CopyColumns(C, A)").Fit(_view);
                run.Observe("transformer", Preview(copy, _view, 1.0).ToString());
                run.Observe("estimator", Preview(E("CopyColumns(C, A)"), _view, 1.0, 2.0).ToString());
                DataDebuggerPreview values = Preview(Apply("Concatenate(F, A, B)"));
                run.Observe("vectorValueType", Values(Columns(values)[3])[0].GetType().Name);
                run.Observe("textValueType", Values(Columns(values)[2])[0].GetType().Name);
                break;
            default:
                throw Unknown(run);
        }

        DataDebuggerPreview Preview(params object?[] arguments) => (DataDebuggerPreview)Api.Static(_ml, "Microsoft.ML.DebuggerExtensions", "Preview", null, arguments)!;

        static object[] Columns(DataDebuggerPreview preview) => [.. ((System.Collections.IEnumerable)Rows.Get(preview, "ColumnView")!).Cast<object>()];

        static object[] Values(object column) => (object[])Rows.Get(column, "Values")!;
    }

    private void Cursors(Run run)
    {
        switch (run.Name)
        {
            case "cursor-inactive-column" or "cursor-inactive-column-text":
                IDataView source = run.Name.EndsWith("text", StringComparison.Ordinal) ? TextFile() : _view;
                using (DataViewRowCursor cursor = source.GetRowCursor([source.Schema["A"]]))
                {
                    run.Observe("IsColumnActive(A)", cursor.IsColumnActive(source.Schema["A"]));
                    run.Observe("IsColumnActive(B)", cursor.IsColumnActive(source.Schema["B"]));
                    run.Observe("getterB", Run.Try(() => cursor.GetGetter<float>(source.Schema["B"])));
                    run.Observe("getterAWrongType", Run.Try(() => cursor.GetGetter<double>(source.Schema["A"])));
                }

                break;
            case "cursor-inactive-column-transform":
                IDataView joined = Apply("Concatenate(F, A, B)");
                using (DataViewRowCursor cursor = joined.GetRowCursor([joined.Schema["F"]]))
                {
                    run.Observe("IsColumnActive(A)", cursor.IsColumnActive(joined.Schema["A"]));
                    run.Observe("getterA", Run.Try(() => cursor.GetGetter<float>(joined.Schema["A"])));
                    run.Observe("getterS", Run.Try(() => cursor.GetGetter<ReadOnlyMemory<char>>(joined.Schema["S"])));
                    run.Observe("getterFWrongType", Run.Try(() => cursor.GetGetter<float>(joined.Schema["F"])));
                    run.Observe("getterColumnOfOtherSchema", Run.Try(() => cursor.GetGetter<float>(_view.Schema["A"])));
                }

                break;
            case "cursor-no-columns":
                using (DataViewRowCursor cursor = _view.GetRowCursor([]))
                    run.Observe("output", Count(cursor));
                break;
            case "cursor-column-of-other-schema":
                run.Observe("output", Run.Try(() => _view.GetRowCursor([View(new AB()).Schema["A"]])) is Exception e ? e : "no exception");
                break;
            case string s when s.StartsWith("cursor-lifecycle-", StringComparison.Ordinal):
                Lifecycle(run, Kinds()[run.Name["cursor-lifecycle-".Length..]]());
                break;
            case "rowcount-and-shuffle-per-view":
                foreach ((string kind, Func<IDataView> make) in Kinds())
                    run.ObservePart(kind, () => make() is var v ? new Dictionary<string, object?> { ["GetRowCount"] = v.GetRowCount(), ["CanShuffle"] = v.CanShuffle } : null);
                break;
            case "rowcount-cache-after-read":
                IDataView cache = _ml.Data.Cache(_ml.Data.LoadFromEnumerable(new Counted<ABS>(_rows)));
                run.Observe("before", cache.GetRowCount());
                Rows.Read(cache);
                run.Observe("after", cache.GetRowCount());
                break;
            case "getrowcursorset":
                foreach (string kind in new[] { "enumerable-array", "text-file", "cache-unread", "concatenate" })
                {
                    IDataView set = Kinds()[kind]();
                    DataViewRowCursor[] cursors = set.GetRowCursorSet(set.Schema, 3);
                    Assert.Equal(3, cursors.Sum(Count));
                    Array.ForEach(cursors, c => c.Dispose());
                    run.Informative(kind);
                }

                break;
            case "getcolumn":
                Columns(run, Apply("Concatenate(F, A, B) then MapValueToKey(K, S)"));
                break;
            case "transform-is-lazy":
                Counted<ABS> counted = new(_rows);
                IDataView lazy = _ml.Data.LoadFromEnumerable(counted);
                ITransformer copy = E("CopyColumns(C, A)").Fit(lazy);
                run.Observe("afterFit", counted.Enumerations);
                IDataView transformed = copy.Transform(lazy);
                run.Observe("afterTransform", counted.Enumerations);
                _ = transformed.Schema["C"];
                run.Observe("afterSchema", counted.Enumerations);
                Rows.Read(transformed);
                run.Observe("afterRead", counted.Enumerations);
                break;
            default:
                throw Unknown(run);
        }
    }

    private Dictionary<string, Func<IDataView>> Kinds() => new()
    {
        ["enumerable-array"] = () => _view,
        ["enumerable-lazy"] = () => _ml.Data.LoadFromEnumerable(_rows.Where(_ => true)),
        ["text-file"] = TextFile,
        ["cache-unread"] = () => _ml.Data.Cache(_view),
        ["take"] = () => _ml.Data.TakeRows(_view, 2),
        ["take-more"] = () => _ml.Data.TakeRows(_view, 9),
        ["skip"] = () => _ml.Data.SkipRows(_view, 1),
        ["filter"] = () => _ml.Data.FilterRowsByColumn(_view, "A", 0),
        ["filter-missing"] = () => (IDataView)Api.Call(_ml, _ml.Data, "FilterRowsByMissingValues", _view, "A")!,
        ["shuffle"] = () => _ml.Data.ShuffleRows(_view, 1),
        ["train-set"] = () => _ml.Data.TrainTestSplit(_view).TrainSet,
        ["concatenate"] = () => Apply("Concatenate(F, A, B)"),
        ["copy"] = () => Apply("CopyColumns(C, A)"),
        ["select"] = () => Apply("SelectColumns(A, S)"),
        ["drop"] = () => Apply("DropColumns(B)"),
        ["custommapping"] = () => Map<AB, OnlyC>((i, o) => o.C = i.A + i.B).Fit(_view).Transform(_view),
        ["normalize"] = () => Apply("NormalizeMinMax(A)"),
        ["chain-of-two"] = () => Apply("Concatenate(F, A, B) then NormalizeMinMax(F)"),
    };

    private static void Lifecycle(Run run, IDataView view)
    {
        run.Informative("ids", "batchBeforeFirstMoveNext", "batchAfterEnd");
        DataViewRowCursor cursor = view.GetRowCursor(view.Schema);
        ValueGetter<float> getter = cursor.GetGetter<float>(view.Schema["A"]);
        ValueGetter<DataViewRowId> id = cursor.GetIdGetter();
        run.Observe("positionBeforeFirstMoveNext", cursor.Position);
        run.Observe("getterBeforeFirstMoveNext", Value());
        run.Observe("idBeforeFirstMoveNext", Run.Try(() =>
        {
            DataViewRowId row = default;
            id(ref row);
            return row;
        }));
        List<long> positions = [];
        while (cursor.MoveNext())
            positions.Add(cursor.Position);
        run.Observe("positions", positions);
        run.Observe("positionAfterEnd", cursor.Position);
        run.Observe("getterAfterEnd", Value());
        run.Observe("moveNextAfterEnd", cursor.MoveNext());
        cursor.Dispose();
        run.Observe("moveNextAfterDispose", cursor.MoveNext());
        run.Observe("positionAfterDispose", cursor.Position);

        object? Value() => Run.Try(() =>
        {
            float value = 0;
            getter(ref value);
            return value;
        });
    }

    private void Columns(Run run, IDataView view)
    {
        run.Observe("float", view.GetColumn<float>("A").ToArray());
        run.Observe("string", view.GetColumn<string>("S").ToArray());
        run.Observe("ReadOnlyMemory", view.GetColumn<ReadOnlyMemory<char>>("S").ToArray());
        run.Observe("float[]", view.GetColumn<float[]>("F").ToArray());
        run.Observe("VBuffer", view.GetColumn<VBuffer<float>>("F").ToArray());
        run.Observe("keyAsUint", view.GetColumn<uint>("K").ToArray());
        run.Observe("floatAsDouble", Run.Try(() => view.GetColumn<double>("A").ToArray()));
        run.Observe("stringAsFloat", Run.Try(() => view.GetColumn<float>("S").ToArray()));
        run.Observe("vectorAsFloat", Run.Try(() => view.GetColumn<float>("F").ToArray()));
        run.Observe("vectorAsDoubleArray", Run.Try(() => view.GetColumn<double[]>("F").ToArray()));
        run.Observe("keyAsInt", Run.Try(() => view.GetColumn<int>("K").ToArray()));
        run.Observe("missing", Run.Try(() => view.GetColumn<float>("Zzz").ToArray()));
        run.Observe("byColumn", view.GetColumn<float>(view.Schema["A"]).ToArray());
        run.Observe("columnOfOtherSchema", view.GetColumn<float>(_view.Schema["A"]).ToArray());
    }

    private void Buffers(Run run)
    {
        VBuffer<float> dense = new(3, [0, 5, 0]), sparse = new(3, 1, [5], [1]);
        run.Observe("denseIsDense", dense.IsDense);
        run.Observe("sparseIsDense", sparse.IsDense);
        run.Observe("sparseItems", Items(sparse, all: false));
        run.Observe("sparseItemsAll", Items(sparse, all: true));
        run.Observe("denseItems", Items(dense, all: false));
        run.Observe("DenseValues", sparse.DenseValues());
        foreach (int index in new[] { 1, 0, 3 })
            run.Observe($"GetItemOrDefault({index})", Run.Try(() => Api.Call(_ml, sparse, "GetItemOrDefault", (double)index)));
        run.Observe("countEqualsLengthIsDense", new VBuffer<float>(3, 3, [1, 2, 3], [0, 1, 2]).IsDense);
        run.Observe("lengthNegative", Run.Try(() => new VBuffer<float>(-1, [])));
        run.Observe("valuesTooShort", Run.Try(() => new VBuffer<float>(3, new float[2])));
        run.Observe("defaultLength", default(VBuffer<float>).Length);
        run.Observe("defaultIsDense", default(VBuffer<float>).IsDense);

        IEnumerable<object[]> Items(VBuffer<float> buffer, bool all) =>
            ((IEnumerable<KeyValuePair<int, float>>)Api.Call(_ml, buffer, "Items", all)!).Select(i => new object[] { i.Key, i.Value });
    }

    private IDataView TextFile()
    {
        File.WriteAllText(_path, "1\t10\tx\n2\t20\ty\n3\t30\tx\n");
        return _ml.Data.LoadFromTextFile(_path, [new("A", DataKind.Single, 0), new("B", DataKind.Single, 1), new("S", DataKind.String, 2)]);
    }

    private IEstimator<ITransformer> E(string text) => Api.Estimator(_ml, text);

    private IDataView Apply(string text) => E(text).Fit(_view).Transform(_view);

    private CustomMappingEstimator<TIn, TOut> Map<TIn, TOut>(Action<TIn, TOut> action)
        where TIn : class, new()
        where TOut : class, new() => _ml.Transforms.CustomMapping(action, contractName: null);

    private IDataView View<T>(params T[] rows)
        where T : class => _ml.Data.LoadFromEnumerable(rows);

    private static IEnumerable<string> Types(TransformerChain<ITransformer> chain) => chain.Select(t => t.GetType().Name);

    private static IEnumerable<object?> Flat(IDataView view) => Rows.Read(view).SelectMany(r => r).SelectMany(v => v is object?[] items ? items : [v]);

    private static int Count(DataViewRowCursor cursor)
    {
        int rows = 0;
        while (cursor.MoveNext())
            rows++;
        return rows;
    }

    private sealed class Empty;
    private sealed class ABS { public float A { get; set; } public float B { get; set; } public string? S { get; set; } }
    private sealed class AB { public float A { get; set; } public float B { get; set; } }
    private sealed class DoubleAB { public double A { get; set; } public float B { get; set; } }
    private sealed class OnlyA { public float A { get; set; } }
    private sealed class OnlyC { public float C { get; set; } }
    private sealed class DoubleC { public double C { get; set; } }
    private sealed class AAndC { public float A { get; set; } public float C { get; set; } }
    private sealed class CAndNope { public float C { get; set; } public float Nope { get; set; } = 5; }
    private sealed class OnlyF<T> { public T F { get; set; } = default!; }
    private sealed class Scored { public float Score { get; set; } }
    private sealed class Labelled<T> { public T? Label { get; set; } [VectorType(2)] public float[] Features { get; set; } = [1, 2]; }
    private sealed class TwoFeatures { [VectorType(2)] public float[] Features { get; set; } = [1, 2]; }
    private sealed class ThreeFeatures { [VectorType(3)] public float[] Features { get; set; } = [1, 2, 3]; }
    private sealed class VariableFeatures { public float Label { get; set; } public float[] Features { get; set; } = [1, 2]; }
}
