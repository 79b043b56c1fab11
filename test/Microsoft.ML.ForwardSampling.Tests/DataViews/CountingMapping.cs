namespace Microsoft.ML.ForwardSampling.Tests.DataViews;

/// <summary>A CustomMapping column "Expensive" = 2·X that counts how often it is computed.</summary>
internal sealed class CountingMapping
{
    private int _calls;

    public int Calls => Volatile.Read(ref _calls);

    public IDataView Over(MLContext ml, IDataView input)
        => ml.Transforms.CustomMapping<In, Out>((source, target) =>
        {
            Interlocked.Increment(ref _calls);
            target.Expensive = 2 * source.X;
        }, contractName: null).Fit(input).Transform(input);

    public sealed class In
    {
        public float X { get; set; }
    }

    public sealed class Out
    {
        public float Expensive { get; set; }
    }
}
