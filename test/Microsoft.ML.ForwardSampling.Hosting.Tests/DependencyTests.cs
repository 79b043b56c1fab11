namespace Microsoft.ML.ForwardSampling.Hosting.Tests;

public class DependencyTests
{
    /// <summary>A worker takes the package as well: it knows hosts, and no web server.</summary>
    [Fact]
    public void Hosting_KnowsModelsRecordsAndAbstractionsOfHostsOnly()
        => Assert.Equal(
            ["Microsoft.Extensions.DependencyInjection.Abstractions", "Microsoft.Extensions.Diagnostics.HealthChecks",
                "Microsoft.Extensions.Diagnostics.HealthChecks.Abstractions", "Microsoft.Extensions.Hosting.Abstractions",
                "Microsoft.Extensions.Logging.Abstractions", "Microsoft.ML.Core", "Microsoft.ML.Data", "Microsoft.ML.DataView",
                "Microsoft.ML.ForwardSampling", "Microsoft.ML.ForwardSampling.Records"],
            typeof(IServedModel).Assembly.GetReferencedAssemblies().Select(name => name.Name!)
                .Where(name => !name.StartsWith("System.", StringComparison.Ordinal)).Order(StringComparer.Ordinal));
}
