using Microsoft.ML.ForwardSampling.Records;
using Microsoft.ML.ForwardSampling.Tests;
using Microsoft.ML.ForwardSampling.Tests.Selection;

namespace Microsoft.ML.ForwardSampling.PostgreSql.Tests;

public class PublicApiTests
{
    [Fact]
    public void PublicSurface_EqualsPublicApiTxt()
        => PublicSurface.Check(typeof(PostgreSqlRecordStore<RegressionRecord>).Assembly, Path.Combine(RepositoryFolder.Root, "test", "Microsoft.ML.ForwardSampling.PostgreSql.Tests", "PublicApi.txt"));
}
