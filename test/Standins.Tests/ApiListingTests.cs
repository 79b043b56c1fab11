using System.Reflection;

namespace Standins.Tests;

/// <summary>Whatever a stand-in offers, the real library offers too, with the same signature.</summary>
public sealed class ApiListingTests
{
    private static readonly string Folder = Path.Combine(AppContext.BaseDirectory, "ApiListings");

    [Fact]
    public void MicrosoftML_EveryPublicMember_IsInTheListing() =>
        AssertListed(typeof(Microsoft.ML.MLContext).Assembly, "Microsoft.ML.*.txt");

    [Fact]
    public void TorchSharp_EveryPublicMember_IsInTheListing() =>
        AssertListed(typeof(TorchSharp.torch).Assembly, "TorchSharp-*.txt");

    [Fact]
    public void Differences_MembersThatTheListingLacks_AreReported()
    {
        ILookup<string, ApiEntry> listing = Surface.Listing(
        [
            "T:Standins.Tests.Control\tbase System.Object\tpublic class\t-",
            "M:Standins.Tests.Control.#ctor\t-\tpublic\t()",
            "M:Standins.Tests.Control.Same(System.Int32,System.String)\tSystem.Void\tpublic\t(int count, string name = \"x, y\")",
            "M:Standins.Tests.Control.Renamed(System.Int32)\tSystem.Void\tpublic\t(int count)",
            "M:Standins.Tests.Control.Defaulted(System.Nullable{System.Int32})\tSystem.Void\tpublic\t(int? seed = null)",
            "M:Standins.Tests.Control.Returns\tSystem.Int64\tpublic\t()",
            "M:Standins.Tests.Control.Static\tSystem.Void\tpublic static\t()",
            "P:Standins.Tests.Control.Writable\tSystem.Int32\tpublic\t{ get; }",
            "F:Standins.Tests.Control.Constant\tSystem.Int32\tpublic const\t= 4",
        ]);

        Assert.Equal(
        [
            "F:Standins.Tests.Control.Constant: = 5 instead of = 4",
            "M:Standins.Tests.Control.Defaulted(System.Nullable{System.Int32}): (seed = 3) instead of (seed = null)",
            "M:Standins.Tests.Control.Extra is not in the listing",
            "M:Standins.Tests.Control.Renamed(System.Int32): (number) instead of (count)",
            "M:Standins.Tests.Control.Returns: System.Int32 instead of System.Int64",
            "M:Standins.Tests.Control.Static: '' instead of 'static'",
            "P:Standins.Tests.Control.Writable: { get; set; } instead of { get; }",
            "T:Standins.Tests.Control: implements System.IDisposable, which the listing does not say",
        ], Surface.Differences([typeof(Control)], listing).Where(d => !d.Contains("Dispose ", StringComparison.Ordinal)));
    }

    [Fact]
    public void Differences_ArrowListing_ComparesReturnTypeAndAccessors()
    {
        ILookup<string, ApiEntry> listing = Surface.Listing(
        [
            "T:Standins.Tests.Arrow -> sealed class : System.Object", "M:Standins.Tests.Arrow.#ctor -> System.Void",
            "P:Standins.Tests.Arrow.Value -> System.Int32 {get;}", "M:Standins.Tests.Arrow.op_Implicit(Standins.Tests.Arrow) -> System.Int64",
        ]);

        Assert.Equal(
        [
            "M:Standins.Tests.Arrow.op_Implicit(Standins.Tests.Arrow): System.Int32 instead of System.Int64",
            "P:Standins.Tests.Arrow.Value: { get; set; } instead of { get; }",
        ], Surface.Differences([typeof(Arrow)], listing));
    }

    [Fact]
    public void Differences_TypeWithoutALineOfItsOwn_IsKnownByItsMembers()
    {
        ILookup<string, ApiEntry> listing = Surface.Listing(["M:Standins.Tests.Arrow.#ctor -> System.Void", "M:Standins.Tests.Arrow.op_Implicit(Standins.Tests.Arrow) -> System.Int32"]);

        Assert.Equal(["P:Standins.Tests.Arrow.Value is not in the listing"], Surface.Differences([typeof(Arrow)], listing));
    }

    private static void AssertListed(Assembly assembly, string files)
    {
        ILookup<string, ApiEntry> listing = Surface.Listing(Directory.GetFiles(Folder, files).SelectMany(File.ReadLines));
        List<string> differences = Surface.Differences(assembly.GetTypes(), listing);

        Assert.True(listing.Count > 1000, $"Only {listing.Count} members were read from {files}.");
        Assert.True(differences.Count == 0, $"{differences.Count} members of {assembly.GetName().Name} are not as in {files}:\n{string.Join('\n', differences)}");
    }
}

#pragma warning disable CA1822, CA1051, CA1711 // members that only reflection looks at

public class Control : IDisposable
{
    public const int Constant = 5;

    public int Writable { get; set; }

    public void Same(int count, string name = "x, y") => _ = (count, name);

    public void Renamed(int number) => _ = number;

    public void Defaulted(int? seed = 3) => _ = seed;

    public int Returns() => 0;

    public void Static()
    {
    }

    public void Extra()
    {
    }

    public void Dispose() => GC.SuppressFinalize(this);

    public override string ToString() => "overriding what object offers is no difference";

    internal void Hidden()
    {
    }
}

public sealed class Arrow
{
    public int Value { get; set; }

    public static implicit operator int(Arrow arrow) => arrow.Value;
}
