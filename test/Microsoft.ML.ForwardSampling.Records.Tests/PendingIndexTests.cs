using FsCheck.Fluent;
using Microsoft.ML.ForwardSampling.Tests;

namespace Microsoft.ML.ForwardSampling.Records.Tests;

public class PendingIndexTests
{
    /// <summary>All keys in one table and most of them in few buckets, some in the last one, so that buckets overflow, also round the end:
    /// what is there is found, and nothing else.</summary>
    [Theory]
    [InlineData(0xFFFF_FFFFu, 3u)]
    [InlineData(0xFFFF_FFFFu, 1u)]
    [InlineData(0x8000_0000u, 0x0100_0000u)]
    [InlineData(0xFFFF_FFFFu, 0x3000_0000u)]
    public void Find_AfterAnyAddsReplacementsAndRemovals_GivesWhatIsThere(uint latestTag, uint spread)
        => Properties.Hold(Gen.Choose(0, int.MaxValue), seed =>
        {
            var random = new Random(seed);
            var index = new PendingIndex();
            var entries = new PendingEntries<RegressionRecord>();
            var there = new Dictionary<ulong, long>();
            int most = random.Next(1, 120);
            for (int step = 0; step < 400; step++)
            {
                ulong key = (ulong)random.Next(150);
                if (there.TryGetValue(key, out long n))
                {
                    if (random.Next(3) == 0)
                        index.Replace(Hash(key), n, there[key] = entries.AddLabel(key, 0));
                    else
                        index.Remove(Hash(key), n);
                    if (there[key] == n)
                        there.Remove(key);
                }
                else if (there.Count < most)
                {
                    index.Add(Hash(key), there[key] = entries.AddLabel(key, 0));
                }
            }

            for (ulong key = 0; key < 150; key++)
                Assert.Equal(there.GetValueOrDefault(key, -1), index.Find(Hash(key), key, entries));

            ulong Hash(ulong key) => latestTag - (uint)((key * key % 7) * spread);
        });

    [Fact]
    public void Bytes_ManyEntries_AtMostAQuarterMoreThanFull()
    {
        var index = new PendingIndex();
        var entries = new PendingEntries<RegressionRecord>();
        const int Count = 500_000;
        for (int i = 0; i < Count; i++)
            index.Add(PendingIndex.Hash((ulong)i), entries.AddLabel((ulong)i, 0));
        Assert.InRange((double)index.Bytes / Count, 8 / 0.85, 8 / 0.67);
        for (long n = 0; n < Count; n++)
            index.Remove(PendingIndex.Hash((ulong)n), n);
        Assert.All(Enumerable.Range(0, 1000), i => Assert.Equal(-1, index.Find(PendingIndex.Hash((ulong)i), (ulong)i, entries)));
    }
}
