using Microsoft.ML.ForwardSampling.Tests.Selection;

namespace Microsoft.ML.ForwardSampling.Tests;

public class PublicApiTests
{
    [Fact]
    public void PublicSurface_EqualsPublicApiTxt()
        => PublicSurface.Check(typeof(ForwardSamplingCatalog).Assembly, Path.Combine(RepositoryFolder.Root, "test", "Microsoft.ML.ForwardSampling.Tests", "PublicApi.txt"));
}
