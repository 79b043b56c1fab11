namespace Microsoft.ML.ForwardSampling.Records.Tests;

public class RecordDrawsTests
{
    [Fact]
    public void Draws_AnyTwoPurposesSeedsOrStreams_AreUnlike()
    {
        var starts = new Dictionary<string, string>();
        foreach (int seed in (int[])[0, 1, 2, -1, int.MinValue])
        {
            var selection = new RepeatableRandom((ulong)(uint)seed);
            starts.Add(Start(ref selection), $"selection, seed {seed}");
            foreach (DrawPurpose purpose in Enum.GetValues<DrawPurpose>())
            {
                for (int stream = 0; stream < 4; stream++)
                {
                    RepeatableRandom random = RecordDraws.Start(purpose, seed, stream);
                    starts.Add(Start(ref random), $"{purpose}, seed {seed}, stream {stream}"); // throws on two alike
                }
            }
        }

        RepeatableRandom one = RecordDraws.Start(DrawPurpose.Keeping, null), two = RecordDraws.Start(DrawPurpose.Keeping, null);
        Assert.NotEqual(one.NextUInt64(), two.NextUInt64());

        static string Start(ref RepeatableRandom random) => $"{random.NextUInt64()} {random.NextUInt64()}";
    }
}
