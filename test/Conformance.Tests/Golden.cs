using System.Text.Json;
using Xunit.Sdk;

namespace Conformance.Tests;

/// <summary>The golden files and the list of cases that this replay leaves out because a member is absent.</summary>
internal static class Golden
{
    private static readonly Dictionary<string, Dictionary<string, JsonElement>> Files = Directory
        .GetFiles(Path.Combine(AppContext.BaseDirectory, "mlnet-5.0.0"), "*.json")
        .ToDictionary(f => Path.GetFileNameWithoutExtension(f), Read, StringComparer.Ordinal);

    /// <summary>`area/case` or `area/case:observation` → the member it needs, as `Namespace.Type.Member`.</summary>
    public static IReadOnlyDictionary<string, string> LeftOut { get; } = File
        .ReadLines(Path.Combine(AppContext.BaseDirectory, "LeftOut.txt"))
        .Where(l => l.Length > 0 && l[0] != '#')
        .Select(l => l.Split('\t'))
        .ToDictionary(p => p[0], p => p[1], StringComparer.Ordinal);

    public static IEnumerable<string> Areas => Files.Keys.Order(StringComparer.Ordinal);

    public static IReadOnlyCollection<string> Names(string area) => Files[area].Keys;

    public static JsonElement Case(string area, string name) => Files[area][name];

    public static bool IsLeftOut(string name) => LeftOut.TryGetValue(name, out string? member) && !Api.IsPresent(member);

    /// <summary>A member written `Namespace.Type.Member(refused argument)` is there, but the stand-in must refuse the argument.</summary>
    public static bool IsRefusal(string name) => LeftOut.GetValueOrDefault(name)?.EndsWith(')') == true;

    private static Dictionary<string, JsonElement> Read(string file)
    {
        using JsonDocument document = JsonDocument.Parse(File.ReadAllText(file));
        return document.RootElement.GetProperty("cases").EnumerateArray().ToDictionary(c => c.GetProperty("name").GetString()!, c => c.Clone(), StringComparer.Ordinal);
    }
}

/// <summary>One case being replayed: its inputs, what was observed so far, and the call it is in.</summary>
internal sealed class Run(string area, string name, JsonElement @case)
{
    private readonly Dictionary<string, object?> _observed = new(StringComparer.Ordinal);
    private readonly HashSet<string> _informative = ["name", "note", "error"];

    public string Area => area;

    public string Name => name;

    public string Phase { get; private set; } = "run";

    public JsonElement this[string input] => @case.GetProperty(input);

    public bool Has(string input) => @case.TryGetProperty(input, out _);

    public string Text(string input) => this[input].GetString()!;

    public double Number(string input) => Json.Number(this[input]);

    /// <summary>Makes a call that the golden file names as a phase.</summary>
    public T In<T>(string phase, Func<T> call)
    {
        Phase = phase;
        return call();
    }

    public void Observe(string key, object? value) => _observed[key] = value;

    /// <summary>Observes part of a case unless its member is listed as left out and absent.</summary>
    public void ObservePart(string key, Func<object?> call)
    {
        if (Golden.IsLeftOut($"{area}/{name}:{key}"))
            Informative(key);
        else
            Observe(key, call());
    }

    /// <summary>Says that README.md or the case's note asks not to require an observation.</summary>
    public void Informative(params string[] keys) => _informative.UnionWith(keys);

    /// <summary>What a call gives, its exception included.</summary>
    public static object? Try(Func<object?> call)
    {
        try
        {
            return call();
        }
        catch (Exception e) when (e is not MissingMemberException)
        {
            return e;
        }
    }

    /// <summary>Schema and rows of a view, as most cases dump them.</summary>
    public void Observe(Microsoft.ML.IDataView view)
    {
        Observe("schema", view.Schema);
        if (Has("rows") || Has("error"))
            Observe("rows", In("read", () => Rows.Read(view)));
    }

    /// <summary>Replays the case and lists every difference.</summary>
    /// <param name="replay">Fills the observations; what it throws is an observation too.</param>
    /// <param name="inputs">Keys of the case that are not observations.</param>
    /// <param name="comparer">How close values must be.</param>
    public void Check(Action<Run> replay, IReadOnlySet<string> inputs, Comparer comparer)
    {
        try
        {
            replay(this);
            if (Has("error"))
                comparer.Differ($"expected {@case.GetProperty("error")}, nothing was thrown");
        }
        catch (Exception e) when (e is not MissingMemberException && Has("error"))
        {
            JsonElement error = @case.GetProperty("error");
            comparer.Exception("error", error, e);
            if (error.TryGetProperty("phase", out JsonElement phase) && phase.GetString() is not "run" and { } expected && expected != Phase)
                comparer.Differ($"error: thrown by {Phase} instead of {expected}: {e.Message}");
        }

        foreach (JsonProperty expected in @case.EnumerateObject().Where(p => !inputs.Contains(p.Name) && !_informative.Contains(p.Name)))
        {
            if (_observed.TryGetValue(expected.Name, out object? actual))
                comparer.Compare(expected.Name, expected.Value, actual);
            else
                comparer.Differ($"{expected.Name}: not observed");
        }

        if (comparer.Differences.Count > 0)
            throw new XunitException($"{area}/{name}\n{string.Join('\n', comparer.Differences)}");
    }
}

/// <summary>A golden file replayed: one theory row a case.</summary>
/// <param name="area">Name of the file.</param>
/// <param name="relative">Largest relative difference of floating-point values.</param>
public abstract class AreaReplay(string area, double relative = 0)
{
    /// <summary>Keys of the area's cases that are inputs or, by README.md, informative.</summary>
    protected abstract IReadOnlySet<string> Inputs { get; }

    /// <summary>Whether a column without annotations must have none.</summary>
    protected virtual bool AllAnnotations => false;

    public string Area => area;

    public static TheoryData<string> CasesOf(string area) => [.. Golden.Names(area)];

    private protected abstract void Replay(Run run);

    protected void Check(string name)
    {
        Run run = new(area, name, Golden.Case(area, name));
        if (Golden.IsLeftOut($"{area}/{name}") && Golden.IsRefusal($"{area}/{name}"))
            Assert.Throws<NotSupportedException>(() => Replay(run));
        if (Golden.IsLeftOut($"{area}/{name}"))
            Assert.Skip($"Left out: this Microsoft.ML has no {Golden.LeftOut[$"{area}/{name}"]}.");
        run.Check(Replay, Inputs, new Comparer(relative, AllAnnotations));
    }

    /// <summary>An interpreter meets a case it does not know.</summary>
    private protected static Exception Unknown(Run run) => new MissingMemberException($"No replay is written for {run.Area}/{run.Name}.");
}
