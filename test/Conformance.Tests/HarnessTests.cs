using System.Text.Json;
using Microsoft.ML;
using Xunit.Sdk;

namespace Conformance.Tests;

/// <summary>The replay itself can fail: each kind of difference is reported.</summary>
public sealed class HarnessTests
{
    private readonly MLContext _ml = new(seed: 1);

    [Theory]
    [InlineData("[1, 2.5, \"NaN\"]", 0.0, "values[1]: 2 instead of 2.5")]
    [InlineData("[1, 2]", 0.0, "values: [1, 2, NaN] instead of [1, 2]")]
    [InlineData("[1, 2.000001, \"NaN\"]", 1e-7, "values[1]: 2 instead of 2.000001")]
    [InlineData("[1, 2.000001, \"NaN\"]", 1e-6, null)]
    [InlineData("[1, 2, \"NaN\"]", 0.0, null)]
    [InlineData("{\"length\": 3, \"indices\": [0, 2], \"values\": [1, \"NaN\"]}", 0.0, "values[1]: 2 instead of 0")]
    [InlineData("null", 0.0, "values: [1, 2, NaN] instead of ")]
    public void Check_Values_ReportsWhatDiffers(string expected, double relative, string? difference) =>
        AssertReports($$"""{"values": {{expected}}}""", run => run.Observe("values", new[] { 1f, 2f, float.NaN }), difference, relative);

    [Fact]
    public void Check_ObservationIsMissing_IsReported() =>
        AssertReports("""{"rows": []}""", _ => { }, "rows: not observed");

    [Fact]
    public void Check_ObservationIsInformative_IsNotRequired() =>
        AssertReports("""{"rows": []}""", run => run.Informative("rows"), null);

    [Theory]
    [InlineData("System.ArgumentException", "load", "Bad", null)]
    [InlineData("System.ArgumentException", "read", "Bad", "error: thrown by load instead of read: Bad 'x'")]
    [InlineData("System.FormatException", "load", "Bad", "error: System.ArgumentException: Bad 'x' instead of System.FormatException: Bad 'y'")]
    [InlineData("System.ArgumentException", "load", "Worse", "error: System.ArgumentException: Bad 'x' instead of System.ArgumentException: Worse 'y'")]
    [InlineData("System.NullReferenceException", "load", "Bad", null)]
    public void Check_Exception_RequiresTypePhaseAndBeginningOfTheMessage(string type, string phase, string message, string? difference) =>
        AssertReports($$$"""{"error": {"type": "{{{type}}}", "phase": "{{{phase}}}", "message": "{{{message}}} 'y'"}}""",
            run => run.In<int>("load", () => throw new ArgumentException("Bad 'x'")), difference);

    [Fact]
    public void Check_NothingIsThrown_IsReported() =>
        AssertReports("""{"error": {"type": "System.FormatException"}}""", _ => { }, """expected {"type": "System.FormatException"}, nothing was thrown""");

    [Theory]
    [InlineData(true, "boom", null)]
    [InlineData(false, "boom", null)]
    [InlineData(true, "bang", "error.inner: System.TimeoutException: boom instead of System.TimeoutException: bang")]
    public void Check_ExceptionOfAWorker_CountsWrappedOrBare(bool isWrapped, string message, string? difference)
    {
        TimeoutException inner = new("boom");
        AssertReports($$$$"""{"error": {"type": "System.InvalidOperationException", "message": "Splitter/consolidator", "inner": {"type": "System.TimeoutException", "message": "{{{{message}}}}"}}}""",
            _ => throw (isWrapped ? new InvalidOperationException("Splitter/consolidator worker", inner) : inner), difference);
    }

    [Theory]
    [InlineData("""[{"name": "A", "type": "Single"}]""", null)]
    [InlineData("""[{"name": "A", "type": "Double"}]""", "schema: [A: Single] instead of [A: Double]")]
    [InlineData("""[{"name": "A", "type": "Single", "hidden": true}]""", "schema: [A: Single] instead of [A: Single hidden]")]
    [InlineData("""[{"name": "A", "type": "Single", "annotations": {"IsNormalized": {"type": "Boolean", "value": true}}}]""", "schema.A: annotations [] instead of [IsNormalized: Boolean]")]
    public void Check_Schema_ReportsNamesTypesAndAnnotations(string expected, string? difference) =>
        AssertReports($$"""{"schema": {{expected}}}""", run => run.Observe("schema", _ml.Data.LoadFromEnumerable(new Row[] { new() }).Schema), difference);

    [Fact]
    public void Estimator_MethodIsAbsent_NamesTheCall() =>
        Assert.Contains("NoSuchTransform(B, A: 1)", Assert.Throws<MissingMemberException>(() => Api.Estimator(_ml, "NoSuchTransform(B, A: 1)")).Message, StringComparison.Ordinal);

    [Fact]
    public void Parse_EveryKindOfArgument_IsRead()
    {
        var call = CallText.Parse("Sub.Name(\"a b\", -1.5, [\"x\", \"y\"], flag: true, Options{Kind=Some.Word, Count=2})");

        Assert.Equal("Name", call.Name);
        Assert.Equal(["", "", "", "flag", ""], call.Arguments.Select(a => a.Name ?? ""));
        Assert.Equal(["a b", -1.5], call.Arguments.Take(2).Select(a => a.Value));
        Assert.Equal(["x", "y"], Assert.IsType<List<object?>>(call.Arguments[2].Value));
        Assert.Equal(new CallText.Word("true"), call.Arguments[3].Value);
        Assert.Equal([("Kind", new CallText.Word("Some.Word")), ("Count", 2.0)], Assert.IsType<CallText.Options>(call.Arguments[4].Value).Values);
    }

    private static void AssertReports(string @case, Action<Run> replay, string? difference, double relative = 0)
    {
        using JsonDocument document = JsonDocument.Parse(@case);
        Run run = new("area", "case", document.RootElement);
        Exception? thrown = Record.Exception(() => run.Check(replay, new HashSet<string>(), new Comparer(relative, allAnnotations: false)));

        if (difference is null)
            Assert.Null(thrown);
        else
            Assert.Equal($"area/case\n{difference}", Assert.IsType<XunitException>(thrown).Message);
    }

    private sealed class Row { public float A { get; set; } }
}
