using System.Text.Json;
using Microsoft.ML;
using Microsoft.ML.Data;
using Microsoft.ML.Transforms;

namespace Conformance.Tests;

/// <summary>An estimator, fitted on some objects and applied to the same or others → schema with annotations, and rows.</summary>
public sealed class TransformsReplay() : AreaReplay(Name, relative: 1e-6)
{
    private const string Name = "transforms";
    private readonly MLContext _ml = new(seed: 1);

    public static TheoryData<string> Cases => CasesOf(Name);

    protected override IReadOnlySet<string> Inputs { get; } = new HashSet<string> { "estimator", "fitOn", "transformOn" };

    protected override bool AllAnnotations => true;

    [Theory, MemberData(nameof(Cases))]
    public void FitTransform_GoldenCase_GivesTheSameView(string name) => Check(name);

    private protected override void Replay(Run run)
    {
        if (run.Name is "custommapping-laziness")
            Laziness(run);
        else if (run.Name is "custommapping-save-null-contract")
            SaveWithoutContract();
        else
            FitAndTransform(run);
    }

    private void FitAndTransform(Run run)
    {
        Type type = RowType(run);
        IDataView fitOn = Rows.Load(_ml, Rows.Objects(run["fitOn"], type));
        IDataView transformOn = run.Has("transformOn") ? Rows.Load(_ml, Rows.Objects(run["transformOn"], type)) : fitOn;
        IEstimator<ITransformer> estimator = run.In("create", () => Estimator(run));
        ITransformer transformer = run.In("fit", () => estimator.Fit(fitOn));
        run.Observe(run.In("transform", () => transformer.Transform(transformOn)));
    }

    private IEstimator<ITransformer> Estimator(Run run) => run.Name switch
    {
        "custommapping-new-columns" => Map<AB, SumAndText>((i, o) => (o.Sum, o.T) = (i.A + i.B, FormattableString.Invariant($"t{i.A}"))),
        "custommapping-overwrite" => Map<AB, OnlyA<float>>((i, o) => o.A = i.A * 10),
        "custommapping-vector" => Map<AB, FixedW>((i, o) => o.W = [i.A, i.B]),
        "custommapping-vector-wrong-length" => Map<AB, FixedW>((i, o) => o.W = [i.A, i.B, i.B]),
        "custommapping-variable-vector" => Map<AB, VariableW>((i, o) => o.W = [i.A, i.B]),
        "custommapping-null-vector" => Map<AB, VariableW>((_, o) => o.W = null),
        "custommapping-output-object-reused" => Map<AB, SumAndText>((i, o) => o.Sum = i.A == 1 ? 99 : o.Sum),
        "custommapping-missing-input-column" => Map<Zzz, SumAndText>((_, _) => { }),
        "custommapping-input-type-mismatch" => Map<OnlyA<double>, SumAndText>((_, _) => { }),
        "custommapping-throws" => Map<AB, SumAndText>((_, _) => throw new InvalidTimeZoneException("boom")),
        "dropcolumns-all" => Api.Estimator(_ml, "DropColumns(A, B, V, I, S)"),
        _ => Api.Estimator(_ml, run.Text("estimator")),
    };

    private CustomMappingEstimator<TIn, TOut> Map<TIn, TOut>(Action<TIn, TOut> action)
        where TIn : class, new()
        where TOut : class, new() => _ml.Transforms.CustomMapping(action, contractName: null);

    // The class whose members are those of the case's objects, see README.md.
    private static Type RowType(Run run)
    {
        JsonElement row = run[run["fitOn"].GetArrayLength() > 0 ? "fitOn" : "transformOn"][0];
        string members = string.Concat(row.EnumerateObject().Select(m => m.Name));
        JsonElement value = row.EnumerateObject().First().Value;
        return members switch
        {
            "ABVIS" => typeof(FiveColumns),
            "A" when run.Name.EndsWith("-double", StringComparison.Ordinal) || run.Name == "converttype-double-to-float" => typeof(OnlyA<double>),
            "A" => typeof(OnlyA<float>),
            "B" => typeof(OnlyB),
            "I" => typeof(OnlyI),
            "K" => typeof(OnlyK),
            "S" => value.ValueKind == JsonValueKind.Array ? typeof(VectorS) : typeof(OnlyS),
            "V" when run.Name.Contains("variable", StringComparison.Ordinal) => typeof(VariableV),
            "V" => Json.IsSparse(value) ? typeof(SparseV) : typeof(FixedV),
            _ => throw Unknown(run),
        };
    }

    private void Laziness(Run run)
    {
        int calls = 0;
        IDataView view = _ml.Data.LoadFromEnumerable(new AB[] { new() { A = 1, B = 2 }, new() { A = 3, B = 4 } });
        ITransformer transformer = Map<AB, SumAndText>((i, o) => o.Sum = i.A + Interlocked.Increment(ref calls)).Fit(view);
        run.Observe("callsAfterFit", calls);
        IDataView mapped = transformer.Transform(view);
        run.Observe("callsAfterTransform", calls);
        Rows.Column(mapped, "A");
        run.Observe("callsAfterReadingOtherColumn", calls);
        int rows = 0;
        using (DataViewRowCursor cursor = mapped.GetRowCursor([mapped.Schema["Sum"], mapped.Schema["T"]]))
        {
            Func<object?> sum = Rows.Getter(cursor, mapped.Schema["Sum"]), text = Rows.Getter(cursor, mapped.Schema["T"]);
            for (; cursor.MoveNext(); rows++)
                (_, _, _) = (sum(), sum(), text());
        }

        run.Observe("callsAfterReadingBothOutputs", calls);
        run.Observe("rows", rows);
    }

    private void SaveWithoutContract()
    {
        IDataView view = _ml.Data.LoadFromEnumerable(new AB[] { new() });
        _ml.Model.Save(Map<AB, SumAndText>((_, _) => { }).Fit(view), view.Schema, Stream.Null);
    }

    private sealed class FiveColumns
    {
        public float A { get; set; }
        public float B { get; set; }
        [VectorType(2)] public float[]? V { get; set; }
        public int I { get; set; }
        public string? S { get; set; }
    }

    private sealed class OnlyA<T> { public T A { get; set; } = default!; }
    private sealed class OnlyB { public bool B { get; set; } }
    private sealed class OnlyI { public int I { get; set; } }
    private sealed class OnlyK { [KeyType(4)] public uint K { get; set; } }
    private sealed class OnlyS { public string? S { get; set; } }
    private sealed class VectorS { [VectorType(2)] public string[]? S { get; set; } }
    private sealed class VariableV { public float[]? V { get; set; } }
    private sealed class FixedV { [VectorType(3)] public float[]? V { get; set; } }
    private sealed class SparseV { [VectorType(3)] public VBuffer<float> V { get; set; } }
    private sealed class AB { public float A { get; set; } public float B { get; set; } }
    private sealed class Zzz { public float A { get; set; } [ColumnName("Zzz")] public float Missing { get; set; } }
    private sealed class SumAndText { public float Sum { get; set; } public string? T { get; set; } }
    private sealed class FixedW { [VectorType(2)] public float[]? W { get; set; } }
    private sealed class VariableW { public float[]? W { get; set; } }
}
