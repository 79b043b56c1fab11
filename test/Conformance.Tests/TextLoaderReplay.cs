using System.Text.Json;
using System.Text.RegularExpressions;
using Microsoft.ML;
using Microsoft.ML.Data;

namespace Conformance.Tests;

/// <summary>Text, column specifications or a class, and options → schema and rows, or an exception.</summary>
public sealed partial class TextLoaderReplay() : AreaReplay(Name), IDisposable
{
    private const string Name = "text-loader";
    private readonly MLContext _ml = new(seed: 1);
    private readonly string _path = Path.Combine(Path.GetTempPath(), $"conformance-{Guid.NewGuid():N}.txt");

    private static readonly Dictionary<string, Type> Classes = new(StringComparer.Ordinal)
    {
        ["[LoadColumn(0)] float A{get;set;} [LoadColumn(1)] string S{get;set;} [LoadColumn(2)] bool B{get;set;} [LoadColumn(3)] int I{get;set;} [LoadColumn(4)] double D{get;set;} [LoadColumn(5)] uint U"] = typeof(AllKinds),
        ["[LoadColumn(0), ColumnName(\"Label\")] bool Y; [LoadColumn(1,3)] float[] Features"] = typeof(RangeArray),
        ["[LoadColumn(0), ColumnName(\"Label\")] float Y; [LoadColumn(1,3), VectorType(3)] float[] Features"] = typeof(RangeVectorType),
        ["[LoadColumn(0,2)] VBuffer<float> V; [LoadColumn(3)] float S"] = typeof(RangeVBuffer),
        ["[LoadColumn(2)] float Third; [LoadColumn(0)] float First; [LoadColumn(1)] float Second"] = typeof(Ordered),
        ["float A (no attribute); [LoadColumn(1)] float B"] = typeof(OneWithout),
        ["float A; float B (no attributes)"] = typeof(AllWithout),
        ["[LoadColumn(0)] decimal A"] = typeof(Of<decimal>),
        ["[LoadColumn(0)] float? A"] = typeof(Of<float?>),
        ["[LoadColumn(0)] char A"] = typeof(Of<char>),
        ["[LoadColumn(new[]{0,2})] float[] V; [LoadColumn(1)] float M"] = typeof(IndexArray),
        ["[LoadColumn(0)] DateTime A; [LoadColumn(1)] long L"] = typeof(DateAndLong),
        ["[LoadColumn(0), KeyType(5)] uint K; [LoadColumn(1)] float F"] = typeof(Key),
        ["[LoadColumn(0)] ReadOnlyMemory<char> M; [LoadColumn(1)] float F; [NoColumn] float N"] = typeof(NoColumn),
        ["[LoadColumn(0,1), VectorType(3)] float[] V"] = typeof(VectorTypeDisagrees),
        ["class Base { [LoadColumn(0)] float A{get;set;} } class Row : Base { [LoadColumn(1)] float B{get;set;} }"] = typeof(Derived),
        ["[LoadColumn(0)] public float A{get; private set;} [LoadColumn(1)] public float B{get;} [LoadColumn(2)] internal float C{get;set;} [LoadColumn(3)] public float D{get;set;}"] = typeof(Accessibility),
    };

    public static TheoryData<string> Cases => CasesOf(Name);

    protected override IReadOnlySet<string> Inputs { get; } = new HashSet<string> { "text", "columns", "class", "options", "arguments", "path", "textPerToken", "type", "warnings", "rowsBeforeError" };

    protected override bool AllAnnotations => true;

    [Theory, MemberData(nameof(Cases))]
    public void LoadFromTextFile_GoldenCase_GivesTheSameView(string name) => Check(name);

    public void Dispose() => File.Delete(_path);

    private protected override void Replay(Run run)
    {
        if (run.Has("tokens"))
            ParseTokens(run);
        else if (run.Name is "file-not-found" or "path-null" or "path-empty")
            run.In("load", () => _ml.Data.LoadFromTextFile(run.Has("path") ? run.Text("path") : run.Name == "path-null" ? null! : "", new TextLoader.Options { Columns = [Column("A:Single:0")] }));
        else if (run.Name is "createTextLoader-many-files")
            run.Observe("output", ManyFiles());
        else if (run.Name is "lazy-file-changed-after-load")
            run.Observe("output", FileChanged());
        else
            LoadText(run);
    }

    private void LoadText(Run run)
    {
        File.WriteAllText(_path, run.Text("text"));
        if (run.Name is "view-properties")
        {
            IDataView pairs = _ml.Data.LoadFromTextFile(_path, new TextLoader.Options { Columns = [Column("A:Single:0"), Column("B:Single:1")], Separators = [','] });
            run.Observe("CanShuffle", pairs.CanShuffle);
            run.Observe("GetRowCount", pairs.GetRowCount());
            run.Observe("readTwice", new[] { Rows.Read(pairs).Count, Rows.Read(pairs).Count });
        }
        else
        {
            run.Observe(run.In("load", () => Load(run)));
        }
    }

    private IDataView Load(Run run)
    {
        if (run.Has("class"))
        {
            JsonElement arguments = run["arguments"];
            return (IDataView)Api.Invoke(((Func<string, char, bool, bool, bool, bool, IDataView>)_ml.Data.LoadFromTextFile<AllKinds>).Method.GetGenericMethodDefinition().MakeGenericMethod(Classes[run.Text("class")]), null,
                [_ml.Data, _path, arguments.GetProperty("separatorChar").GetString()![0], .. new[] { "hasHeader", "allowQuoting", "trimWhitespace", "allowSparse" }.Select(a => (object)arguments.GetProperty(a).GetBoolean())])!;
        }

        if (!run.Has("options"))
            return _ml.Data.LoadFromTextFile(_path, [Column("A:Single:0"), Column("B:Single:1")]);
        return _ml.Data.LoadFromTextFile(_path, Options(run["columns"], run["options"]));
    }

    private static TextLoader.Options Options(JsonElement columns, JsonElement given)
    {
        TextLoader.Options options = new();
        if (columns.ValueKind == JsonValueKind.Array)
            options.Columns = [.. columns.EnumerateArray().Select(c => Column(c.GetString()!))];
        foreach (JsonProperty option in given.EnumerateObject())
        {
            string name = char.ToUpperInvariant(option.Name[0]) + option.Name[1..];
            Type type = Rows.MemberType(typeof(TextLoader.Options), name);
            Rows.Set(options, name,
                type == typeof(char[]) ? option.Value.GetString()!.ToCharArray()
                : type == typeof(char) ? option.Value.GetString()![0]
                : Json.Value(option.Value, Nullable.GetUnderlyingType(type) ?? type));
        }

        return options;
    }

    // name:DataKind:source[:key|:keyN], see the notes of the file.
    private static TextLoader.Column Column(string text)
    {
        string[] parts = text.Split(':');
        TextLoader.Range[] source = [.. parts[2].Split(',', StringSplitOptions.RemoveEmptyEntries).Select(Range)];
        string? key = parts.ElementAtOrDefault(3)?[3..];
        return new(parts[0], Enum.Parse<DataKind>(parts[1]), source, key is null ? null : key.Length == 0 ? new KeyCount() : new KeyCount(ulong.Parse(key)));
    }

    private static TextLoader.Range Range(string text)
    {
        Match match = RangePattern.Match(text);
        int min = int.Parse(match.Groups[1].Value);
        return match.Groups[2].Value switch
        {
            "" => new(min),
            "*" => new(min, null),
            "**" => Set(new(min, null), ("VariableEnd", true), ("AutoEnd", false)),
            "~" => Set(new(min, null), ("AllOther", true)),
            string max => new(min, int.Parse(max)),
        };
    }

    private static TextLoader.Range Set(TextLoader.Range range, params (string Name, bool Value)[] members)
    {
        foreach ((string name, bool value) in members)
            Rows.Set(range, name, value);
        return range;
    }

    [GeneratedRegex(@"^(-?\d+)(?:-(.+))?$")]
    private static partial Regex RangePattern { get; }

    private void ParseTokens(Run run)
    {
        Exception? first = null;
        List<object?[]> tokens = [];
        foreach (string token in run["tokens"].EnumerateArray().Select(t => t[0].GetString()!))
        {
            File.WriteAllText(_path, token + "\tz\n");
            IDataView view = _ml.Data.LoadFromTextFile(_path, Options(run["columns"], run["options"]));
            object? value = Run.Try(() => Rows.Column(view, "A"));
            if (value is Exception e)
                first ??= e;
            tokens.Add([token, value switch
            {
                Exception error => new Dictionary<string, object?> { ["error"] = error.GetType().FullName },
                List<object?> { Count: 1 } values => values[0],
                List<object?> values => new Dictionary<string, object?> { ["rows"] = values.Count },
                _ => value,
            }]);
            Assert.Equal(run.Text("type"), view.Schema["A"].Type.ToString());
        }

        run.Observe("tokens", tokens);
        run.Observe("firstError", first);
    }

    private List<object?[]> ManyFiles()
    {
        string second = _path + "2";
        try
        {
            File.WriteAllText(_path, "h\n1\n2\n");
            File.WriteAllText(second, "h\n3\n");
            object source = Activator.CreateInstance(typeof(TextLoader).Assembly.GetType("Microsoft.ML.Data.MultiFileSource")!, [new[] { _path, second }])!;
            object loader = Api.Static(_ml, "Microsoft.ML.TextLoaderSaverCatalog", "CreateTextLoader", null, _ml.Data, new[] { Column("A:Single:0") }, '\t', true)!;
            return Rows.Read((IDataView)Api.Call(_ml, loader, "Load", source)!);
        }
        finally
        {
            File.Delete(second);
        }
    }

    private List<object?[]> FileChanged()
    {
        File.WriteAllText(_path, "1\n");
        IDataView view = _ml.Data.LoadFromTextFile(_path, [Column("A:Single:0")]);
        File.WriteAllText(_path, "7\n8\n");
        return Rows.Read(view);
    }

    private sealed class AllKinds
    {
        [LoadColumn(0)] public float A { get; set; }
        [LoadColumn(1)] public string? S { get; set; }
        [LoadColumn(2)] public bool B { get; set; }
        [LoadColumn(3)] public int I { get; set; }
        [LoadColumn(4)] public double D { get; set; }
        [LoadColumn(5)] public uint U = 0;
    }

    private sealed class RangeArray { [LoadColumn(0), ColumnName("Label")] public bool Y = false; [LoadColumn(1, 3)] public float[]? Features = null; }
    private sealed class RangeVectorType { [LoadColumn(0), ColumnName("Label")] public float Y = 0; [LoadColumn(1, 3), VectorType(3)] public float[]? Features = null; }
    private sealed class RangeVBuffer { [LoadColumn(0, 2)] public VBuffer<float> V = default; [LoadColumn(3)] public float S = 0; }
    private sealed class Ordered { [LoadColumn(2)] public float Third = 0; [LoadColumn(0)] public float First = 0; [LoadColumn(1)] public float Second = 0; }
    private sealed class OneWithout { public float A = 0; [LoadColumn(1)] public float B = 0; }
    private sealed class AllWithout { public float A = 0; public float B = 0; }
    private sealed class Of<T> { [LoadColumn(0)] public T A = default!; }
    private sealed class IndexArray { [LoadColumn([0, 2])] public float[]? V = null; [LoadColumn(1)] public float M = 0; }
    private sealed class DateAndLong { [LoadColumn(0)] public DateTime A = default; [LoadColumn(1)] public long L = 0; }
    private sealed class Key { [LoadColumn(0), KeyType(5)] public uint K = 0; [LoadColumn(1)] public float F = 0; }
    private sealed class NoColumn { [LoadColumn(0)] public ReadOnlyMemory<char> M = default; [LoadColumn(1)] public float F = 0; [NoColumn] public float N = 0; }
    private sealed class VectorTypeDisagrees { [LoadColumn(0, 1), VectorType(3)] public float[]? V = null; }
    private class Base { [LoadColumn(0)] public float A { get; set; } }
    private sealed class Derived : Base { [LoadColumn(1)] public float B { get; set; } }

    private sealed class Accessibility
    {
        [LoadColumn(0)] public float A { get; private set; }
        [LoadColumn(1)] public float B { get; }
        [LoadColumn(2)] internal float C { get; set; }
        [LoadColumn(3)] public float D { get; set; }
    }
}
