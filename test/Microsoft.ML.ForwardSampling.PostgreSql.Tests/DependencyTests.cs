using Microsoft.ML.ForwardSampling.Records;
using Microsoft.ML.ForwardSampling.Tests;

namespace Microsoft.ML.ForwardSampling.PostgreSql.Tests;

public class DependencyTests
{
    /// <summary>A process that writes records to PostgreSQL brings no ML.NET and no torch.</summary>
    [Fact]
    public void Program_BringsNpgsqlAndRecordsOnly()
        => Assert.Equal(
            ["Microsoft.Extensions.DependencyInjection.Abstractions", "Microsoft.Extensions.Logging.Abstractions",
                "Microsoft.ML.ForwardSampling.PostgreSql", "Microsoft.ML.ForwardSampling.Records", "Npgsql", "StoreProcess",
                "System.Numerics.Tensors"],
            DependencyClosure.Of("StoreProcess"));

    [Fact]
    public void PostgreSql_SeesNothingInternalOfRecords()
        => Assert.DoesNotContain(
            typeof(Records.LabelEvent).Assembly.GetCustomAttributes(typeof(System.Runtime.CompilerServices.InternalsVisibleToAttribute),
                false).Cast<System.Runtime.CompilerServices.InternalsVisibleToAttribute>(),
            friend => friend.AssemblyName is "Microsoft.ML.ForwardSampling" or "Microsoft.ML.ForwardSampling.PostgreSql");
}
