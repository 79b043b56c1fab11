namespace Conformance.Tests;

/// <summary>No golden case is ignored without a word.</summary>
public sealed class CoverageTests(ITestOutputHelper output)
{
    [Fact]
    public void GoldenFiles_EveryArea_HasAReplay()
    {
        string[] areas = [.. typeof(AreaReplay).Assembly.GetTypes().Where(t => t.IsSubclassOf(typeof(AreaReplay)))
            .Select(t => ((AreaReplay)Activator.CreateInstance(t)!).Area).Order(StringComparer.Ordinal)];

        Assert.Equal(Golden.Areas, areas);
    }

    [Fact]
    public void GoldenFiles_EveryCase_IsReplayedOrListedAsLeftOut()
    {
        int total = 0, absent = 0;
        foreach (string area in Golden.Areas)
        {
            int cases = Golden.Names(area).Count, leftOut = Golden.Names(area).Count(n => Golden.IsLeftOut($"{area}/{n}"));
            output.WriteLine($"{area}: {cases} cases, {cases - leftOut} replayed, {leftOut} left out");
            total += cases;
            absent += leftOut;
        }

        string[] parts = [.. Golden.LeftOut.Keys.Where(k => k.Contains(':', StringComparison.Ordinal) && Golden.IsLeftOut(k))];
        output.WriteLine($"all: {total} cases, {total - absent} replayed ({parts.Length} of their observations not), {absent} left out, on {(Api.IsStandin ? "the stand-in" : "the real library")}");
        foreach (IGrouping<string, string> member in Golden.LeftOut.Where(l => Golden.IsLeftOut(l.Key)).GroupBy(l => l.Value, l => l.Key))
            output.WriteLine($"absent: {member.Key}: {string.Join(", ", member)}");

        Assert.Equal(687, total);
        Assert.Equal(Api.IsStandin ? Golden.LeftOut.Count : 0, absent + parts.Length);
    }

    [Fact]
    public void LeftOut_EveryLine_NamesACaseAndAMemberThatOnlyTheRealLibraryHas()
    {
        string[] cases = [.. Golden.Areas.SelectMany(a => Golden.Names(a).Select(n => $"{a}/{n}"))];

        Assert.Empty(Golden.LeftOut.Keys.Select(k => k.Split(':')[0]).Except(cases));
        Assert.DoesNotContain(Golden.LeftOut, l => Api.IsPresent(l.Value) == Api.IsStandin);
    }
}
