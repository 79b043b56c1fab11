using System.Text.Json;
using Microsoft.ML;
using Microsoft.ML.Data;

namespace Conformance.Tests;

/// <summary>A class and objects → schema and rows; or objects in, objects out.</summary>
public sealed class EnumerableReplay() : AreaReplay(Name)
{
    private const string Name = "enumerable";
    private readonly MLContext _ml = new(seed: 1);

    private static readonly Dictionary<string, Type> Classes = new(StringComparer.Ordinal)
    {
        ["fields: float F; double D; int I; uint U; bool B; string S; sbyte SB; byte BY; short SH; ushort US; long L; ulong UL; DateTime DT; TimeSpan TS; DateTimeOffset DO; ReadOnlyMemory<char> M"] = typeof(AllScalars),
        ["properties {get;set;}: float F, double D, int I, uint U, bool B, string S"] = typeof(Properties),
        ["declared: float Field2; float Prop1{get;set;}; float Field1; float Prop2{get;set;}"] = typeof(FieldsAndProperties),
        ["class B { float Base{get;set;} float BaseF; } class D : B { float Derived{get;set;} float DerivedF; }"] = typeof(DerivedRow),
        ["float A; [NoColumn] float B; [ColumnName(\"Renamed\")] float C{get;set;} static float; const float; private float; internal float Intern; float ReadOnlyProp{get;} float GetOnly=>4; float WriteOnly{set;} readonly float RO=7"] = typeof(Accessibility),
        ["the class of attributes-and-accessibility"] = typeof(Accessibility),
        ["float[] V; VBuffer<float> VB; [VectorType(3)] float[] V3; [VectorType(3)] VBuffer<float> VB3; [VectorType(2,2)] float[] M; string[] S; int[] I; double[] D; bool[] B"] = typeof(Vectors),
        ["float[] V"] = typeof(OfV<float[]>),
        ["VBuffer<float> V"] = typeof(OfV<VBuffer<float>>),
        ["[VectorType(3)] float[] V"] = typeof(OfV3<float[]>),
        ["[VectorType(3)] VBuffer<float> V"] = typeof(OfV3<VBuffer<float>>),
        ["float F"] = typeof(OfF<float>),
        ["double F"] = typeof(OfF<double>),
        ["string F"] = typeof(OfF<string>),
        ["int F"] = typeof(OfF<int>),
        ["uint F"] = typeof(OfF<uint>),
        ["float[] F"] = typeof(OfF<float[]>),
        ["float F; float G"] = typeof(FAndG),
        ["float F; float G = 42"] = typeof(FAndDefaultG),
        ["[KeyType(5)] uint K5; [KeyType(3)] byte KB; [KeyType(3),VectorType(2)] uint[] KV; [KeyType(3)] ulong KL"] = typeof(Keys),
        ["as keys"] = typeof(Keys),
        ["[KeyType(5)] uint K"] = typeof(K5<uint>),
        ["[KeyType(5)] int K"] = typeof(K5<int>),
        ["[KeyType(4)] uint K"] = typeof(K4),
        ["[KeyType] uint K"] = typeof(KUnbounded),
        ["uint K"] = typeof(KPlain),
        ["[ColumnName(\"X\")] float A; [ColumnName(\"X\")] float B"] = typeof(DuplicateNames),
        ["[ColumnName(\"f\")] float X"] = typeof(LowerCase),
        ["decimal A"] = typeof(OfA<decimal>),
        ["float? A"] = typeof(OfA<float?>),
        ["class member"] = typeof(OfP<FAndG>),
        ["char C"] = typeof(OfC<char>),
        ["DayOfWeek D"] = typeof(OfD<DayOfWeek>),
        ["object O"] = typeof(OfO<object>),
        ["List<float> L"] = typeof(OfL<List<float>>),
        ["(no members)"] = typeof(Empty),
        ["string S"] = typeof(OfS<string>),
        ["ReadOnlyMemory<char> S"] = typeof(OfS<ReadOnlyMemory<char>>),
    };

    public static TheoryData<string> Cases => CasesOf(Name);

    protected override IReadOnlySet<string> Inputs { get; } = new HashSet<string> { "class", "input", "inClass", "outClass", "arguments" };

    [Theory, MemberData(nameof(Cases))]
    public void LoadFromEnumerable_GoldenCase_GivesTheSameRows(string name) => Check(name);

    private protected override void Replay(Run run)
    {
        if (run.Has("inClass"))
            RoundTrip(run);
        else if (run.Has("class"))
            run.Observe(run.In("LoadFromEnumerable", () => Rows.Load(_ml, Rows.Objects(run["input"], Classes[run.Text("class")]))));
        else
            Special(run);
    }

    private void RoundTrip(Run run)
    {
        Type type = Classes[run.Text("inClass")];
        IDataView view = run.In("LoadFromEnumerable", () => Rows.Load(_ml, Rows.Objects(run["input"], type)));
        bool reuse = run["arguments"].GetProperty("reuseRowObject").GetBoolean(), ignore = run["arguments"].GetProperty("ignoreMissingColumns").GetBoolean();
        Type outType = run.Text("outClass") == "same" ? type : Classes[run.Text("outClass")];

        // A reused object must be looked at before the next row is read.
        run.Observe("output", run.In("CreateEnumerable", () => Rows.Create(_ml, view, outType, reuse, ignore).Select(Rows.Members).ToList()));
    }

    private void Special(Run run)
    {
        switch (run.Name)
        {
            case "null-sequence":
                _ml.Data.LoadFromEnumerable<FAndG>(null!);
                break;
            case "reuseRowObject-identity":
                IDataView three = _ml.Data.LoadFromEnumerable(Enumerable.Range(0, 3).Select(i => new OfF<float> { F = i }));
                var reused = _ml.Data.CreateEnumerable<OfF<float>>(three, reuseRowObject: true).ToList();
                var fresh = _ml.Data.CreateEnumerable<OfF<float>>(three, reuseRowObject: false).ToList();
                run.Observe("reuseTrue_allSameObject", reused.Distinct().Count() == 1);
                run.Observe("reuseTrue_valuesAfterToList", reused.Select(r => r.F));
                run.Observe("reuseFalse_distinctObjects", fresh.Distinct().Count());
                run.Observe("reuseFalse_values", fresh.Select(r => r.F));
                break;
            case "reuseRowObject-array-identity":
                IDataView two = _ml.Data.LoadFromEnumerable(new OfV3<float[]>[] { new() { V = [1, 2, 3] }, new() { V = [4, 5, 6] } });
                run.Observe("reuseTrue_sameArray", _ml.Data.CreateEnumerable<OfV3<float[]>>(two, reuseRowObject: true).Select(r => r.V).ToList() is var a && ReferenceEquals(a[0], a[1]));
                var arrays = _ml.Data.CreateEnumerable<OfV3<float[]>>(two, reuseRowObject: false).Select(r => r.V).ToList();
                run.Observe("reuseFalse_sameArray", ReferenceEquals(arrays[0], arrays[1]));
                run.Observe("reuseFalse_values", arrays);
                break;
            case "view-properties-array" or "view-properties-list":
                FAndG[] rows = [new(), new()];
                IDataView view = run.Name.EndsWith("array", StringComparison.Ordinal) ? _ml.Data.LoadFromEnumerable(rows) : _ml.Data.LoadFromEnumerable(rows.ToList());
                run.Observe("GetRowCount", view.GetRowCount());
                run.Observe("CanShuffle", view.CanShuffle);
                break;
            case "view-properties-lazy-sequence":
                Counted<FAndG> source = new(new(), new());
                IDataView lazy = _ml.Data.LoadFromEnumerable(source);
                run.Observe("GetRowCount", lazy.GetRowCount());
                run.Observe("CanShuffle", lazy.CanShuffle);
                run.Observe("enumerationsBeforeRead", source.Enumerations);
                run.Observe("rows", new[] { Rows.Read(lazy).Count, Rows.Read(lazy).Count });
                run.Observe("enumerationsAfterTwoReads", source.Enumerations);
                break;
            case "view-is-lazy-objects-changed":
                FAndG[] changed = [new()];
                IDataView late = _ml.Data.LoadFromEnumerable(changed.Select(r => new OfF<float> { F = r.F }));
                changed[0].F = 9;
                run.Observe("output", Rows.Read(late));
                break;
            case "create-enumerable-twice":
                IEnumerable<FAndG> again = _ml.Data.CreateEnumerable<FAndG>(_ml.Data.LoadFromEnumerable(new FAndG[] { new(), new() }), reuseRowObject: false);
                run.Observe("output", new[] { again.Count(), again.Count() });
                break;
            case "schema-definition-rename-and-vector-size":
                var renamed = SchemaDefinition.Create(typeof(OfV<float[]>));
                renamed["V"].ColumnType = new VectorDataViewType(NumberDataViewType.Single, 2);
                renamed["V"].ColumnName = "Features";
                run.Observe(_ml.Data.LoadFromEnumerable(new OfV<float[]>[] { new() { V = [1, 2] } }, renamed));
                break;
            case "schema-definition-type-mismatch":
                var mismatch = SchemaDefinition.Create(typeof(FAndG));
                mismatch["F"].ColumnType = NumberDataViewType.Double;
                _ml.Data.LoadFromEnumerable(new FAndG[] { new() }, mismatch);
                break;
            case "dataviewtype-tostring":
                run.Observe("output", Types().Select(t => new[] { t.ToString(), t.RawType.Name }));
                break;
            default:
                throw Unknown(run);
        }
    }

    private static DataViewType[] Types() =>
    [
        NumberDataViewType.Single, NumberDataViewType.Double, NumberDataViewType.SByte, NumberDataViewType.Byte, NumberDataViewType.Int16, NumberDataViewType.UInt16,
        NumberDataViewType.Int32, NumberDataViewType.UInt32, NumberDataViewType.Int64, NumberDataViewType.UInt64, BooleanDataViewType.Instance, TextDataViewType.Instance,
        .. new[] { "DateTime", "DateTimeOffset", "TimeSpan", "RowId" }.Select(Instance),
        new KeyDataViewType(typeof(uint), 5), new KeyDataViewType(typeof(ulong), ulong.MaxValue),
        new VectorDataViewType(NumberDataViewType.Single), new VectorDataViewType(NumberDataViewType.Single, 3), new VectorDataViewType(NumberDataViewType.Single, 2, 3),
        new VectorDataViewType(new KeyDataViewType(typeof(uint), 5), 2), new VectorDataViewType(NumberDataViewType.Single, 0, 2),
    ];

    private static DataViewType Instance(string name) =>
        (DataViewType)typeof(NumberDataViewType).Assembly.GetType($"Microsoft.ML.Data.{name}DataViewType")!.GetProperty("Instance")!.GetValue(null)!;

    private sealed class AllScalars
    {
        public float F = 0; public double D = 0; public int I = 0; public uint U = 0; public bool B = false; public string? S = null; public sbyte SB = 0;
        public byte BY = 0; public short SH = 0; public ushort US = 0; public long L = 0; public ulong UL = 0; public DateTime DT = default;
        public TimeSpan TS = default; public DateTimeOffset DO = default; public ReadOnlyMemory<char> M = default;
    }

    private sealed class Properties
    {
        public float F { get; set; }
        public double D { get; set; }
        public int I { get; set; }
        public uint U { get; set; }
        public bool B { get; set; }
        public string? S { get; set; }
    }

    private sealed class FieldsAndProperties { public float Field2 = 0; public float Prop1 { get; set; } public float Field1 = 0; public float Prop2 { get; set; } }
    private class BaseRow { public float Base { get; set; } public float BaseF = 0; }
    private sealed class DerivedRow : BaseRow { public float Derived { get; set; } public float DerivedF = 0; }

    private sealed class Accessibility
    {
        public const float Constant = 1; public static float Static = 1; public float A = 0; [NoColumn] public float B = 0;
        [ColumnName("Renamed")] public float C { get; set; }
        private float _private = 1; internal float Intern = 1; public float ReadOnlyProp { get; }
        public float GetOnly => 4; public float WriteOnly { set => _private = value; }
        public readonly float RO = 7;
    }

    private sealed class Vectors
    {
        public float[]? V = null; public VBuffer<float> VB = default; [VectorType(3)] public float[]? V3 = null;
        [VectorType(3)] public VBuffer<float> VB3 = default; [VectorType(2, 2)] public float[]? M = null; public string?[]? S = null; public int[]? I = null;
        public double[]? D = null; public bool[]? B = null;
    }

    private sealed class Keys
    {
        [KeyType(5)] public uint K5 = 0; [KeyType(3)] public byte KB = 0; [KeyType(3), VectorType(2)] public uint[]? KV = null;
        [KeyType(3)] public ulong KL = 0;
    }

    private sealed class DuplicateNames { [ColumnName("X")] public float A = 0; [ColumnName("X")] public float B = 0; }
    private sealed class FAndG { public float F = 0; public float G = 0; }
    private sealed class FAndDefaultG { public float F = 0; public float G = 42; }
    private sealed class OfA<T> { public T A = default!; }
    private sealed class OfC<T> { public T C = default!; }
    private sealed class OfD<T> { public T D = default!; }
    private sealed class OfF<T> { public T F = default!; }
    private sealed class OfL<T> { public T L = default!; }
    private sealed class OfO<T> { public T O = default!; }
    private sealed class OfP<T> { public T P = default!; }
    private sealed class OfS<T> { public T S = default!; }
    private sealed class OfV<T> { public T V = default!; }
    private sealed class OfV3<T> { [VectorType(3)] public T V = default!; }
    private sealed class KPlain { public uint K = 0; }
    private sealed class KUnbounded { [KeyType] public uint K = 0; }
    private sealed class K4 { [KeyType(4)] public uint K = 0; }
    private sealed class K5<T> { [KeyType(5)] public T K = default!; }
    private sealed class LowerCase { [ColumnName("f")] public float X = 0; }
    private sealed class Empty;
}
