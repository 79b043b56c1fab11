using FsCheck;
using FsCheck.Fluent;
using Microsoft.ML.ForwardSampling.GroupTesting;
using Microsoft.ML.ForwardSampling.Networks;
using Microsoft.ML.ForwardSampling.Tests.Networks;
using TorchSharp;
using static TorchSharp.torch;

namespace Microsoft.ML.ForwardSampling.Tests.GroupTesting;

[Collection(TorchCollection.Name)]
public class GroupTesterTests
{
    private static readonly GroupSchedule[] s_schedules = [GroupSchedule.Individual, GroupSchedule.TwoRounds(2), GroupSchedule.TwoRounds(5),
        GroupSchedule.TwoRounds(8), GroupSchedule.SeveralRounds(12, 4, 2), GroupSchedule.SeveralRounds(16, 4),
        GroupSchedule.TwoGroupings(3)];

    private readonly MLContext _context = new(seed: 1);

    [Fact]
    public void AnyNumberOfRows_EachIsTestedAsTheScheduleSays()
    {
        var networks = Enum.GetValues<GroupMerge>().ToDictionary(merge => merge, Build);
        var cases = from rows in Gen.Choose(0, 70)
                    from schedule in Gen.Elements(s_schedules)
                    from merge in Gen.Elements(Enum.GetValues<GroupMerge>())
                    from seed in Gen.Choose(0, 1000)
                    from broken in Gen.Choose(0, 3)
                    select (rows, schedule, merge, seed, broken);
        Properties.Hold(cases, c =>
        {
            RareRow[] rows = RareRows.Create(c.rows, c.seed);
            for (int i = 0; i < c.broken && c.rows > 0; i++)
                rows[(c.seed + (7 * i)) % c.rows].Features[i] = float.NaN;
            // About half of the tests are positive.
            float[] thresholds = [.. Enumerable.Range(0, c.schedule.Rounds).Select(_ => Middle(networks[c.merge], rows))];
            var tester = new GroupTester(networks[c.merge], c.schedule, thresholds, 0.1, Math.Max(1, c.rows));
            Fill(tester, rows);
            tester.Score(c.rows);
            (float[] scores, float[] shares, int tests) = Naive(networks[c.merge], c.schedule, thresholds, rows);

            Assert.Equal(scores, tester.Scores.Take(c.rows));
            Assert.Equal(tests, tester.Counts.Tests.Sum());
            Assert.Equal(tests, tester.Tests.Take(c.rows).Sum(t => (double)t), 1e-3);
            Assert.All(shares.Zip(tester.Tests), pair => Assert.Equal(pair.First, pair.Second, 1e-5f));
            Assert.Equal(rows.Count(row => row.Features.All(float.IsFinite)), tester.Counts.Rows);
            Assert.Equal(c.rows, tester.Counts.Rows + tester.Counts.Unscored);
        });
        foreach (GroupNetwork network in networks.Values)
            network.Dispose();
    }

    [Theory]
    [InlineData(GroupMerge.Inputs)]
    [InlineData(GroupMerge.Features)]
    public void OrderOfMembers_ChangesNoBit(GroupMerge merge)
    {
        using GroupNetwork network = Build(merge);
        RareRow[] rows = RareRows.Create(64, 4);
        float[] expected = Scores(network, rows);
        var random = new Random(2);
        for (int group = 0; group < 64; group += 8)
            random.Shuffle(rows.AsSpan(group, 8));
        Assert.Equal(expected, Scores(network, rows));
        rows[3].Features[0] += 10f;
        Assert.NotEqual(expected, Scores(network, rows));
    }

    [Fact]
    public void OrderOfMembers_InATree_CountsBeyondPairs()
    {
        using GroupNetwork network = Build(GroupMerge.Tree);
        RareRow[] rows = RareRows.Create(8, 4);
        float[] expected = Scores(network, rows);
        Assert.Equal(expected, Scores(network, [rows[1], rows[0], .. rows[2..]]));              // within a pair
        Assert.Equal(expected, Scores(network, [rows[2], rows[3], rows[0], rows[1], .. rows[4..]]));    // a pair with a pair
        Assert.NotEqual(expected, Scores(network, [rows[2], rows[1], rows[0], .. rows[3..]]));
    }

    [Theory]
    [InlineData(GroupMerge.Inputs, 3)]
    [InlineData(GroupMerge.Features, 4)]
    [InlineData(GroupMerge.Tree, 4)]
    [InlineData(GroupMerge.Tree, 5)]
    public void Scoring_WithoutTorch_EqualsTheForwardPassThatIsTrained(GroupMerge merge, int size)
    {
        using GroupNetwork network = Build(merge);
        RareRow[] rows = RareRows.Create(6 * size, 9);
        float[] scores = Scores(network, rows, GroupSchedule.OneRound(size));
        using DisposeScope scope = NewDisposeScope();
        using IDisposable noGrad = no_grad();
        float[] logits = network.Forward(tensor(rows.SelectMany(row => row.Features).ToArray()).reshape(rows.Length, -1), size)
            .data<float>().ToArray();
        for (int row = 0; row < rows.Length; row++)
            Assert.Equal(logits[row / size], scores[row], 1e-4f);
    }

    [Fact]
    public void StemOfFeatures_IsComputedOnceARow_WhateverTheRounds()
    {
        using GroupNetwork network = Build(GroupMerge.Features);
        RareRow[] rows = RareRows.Create(64, 4);
        var tester = new GroupTester(network, GroupSchedule.SeveralRounds(16, 4), [-1e9f, -1e9f, 0f], 0.1, 64);
        Fill(tester, rows);
        tester.Score(64);
        Assert.Equal(64, tester.Counts.StemPasses);
        Assert.Equal([4, 16, 64], tester.Counts.Tests);
    }

    [Fact]
    public void Probability_FollowsBayes()
    {
        // Four members, 10 % positive: the group's odds are e^logit times (1 - .9^4)/.9^4, a member's share .1/(1 - .9^4).
        double any = 1 - Math.Pow(0.9, 4), odds = Math.Exp(1.5) * any / (1 - any);
        Assert.Equal(odds / (1 + odds) * 0.1 / any, Of(1.5f, 4), 1e-6);
        Assert.Equal(0.5, Of(MathF.Log(9), 1), 1e-6);
        Assert.Equal((0, 1), (Of(-1e6f, 8), Of(1e6f, 1)));

        static float Of(float logit, int members) => GroupPosterior.Probability(GroupPosterior.LogRatio(logit, members, 0.1), 0.1);
    }

    private static GroupNetwork Build(GroupMerge merge)
    {
        var network = GroupNetwork.Build(merge, RareRows.FeatureCount,
            new GroupArchitecture([8], merge == GroupMerge.Tree ? [6] : [], [7], Activation.GELU), seed: 3);
        network.Freeze();
        return network;
    }

    private static void Fill(GroupTester tester, RareRow[] rows)
    {
        for (int row = 0; row < rows.Length; row++)
            rows[row].Features.CopyTo(tester.Features(row));
    }

    private static float[] Scores(GroupNetwork network, RareRow[] rows, GroupSchedule? schedule = null)
    {
        schedule ??= GroupSchedule.OneRound(8);
        var tester = new GroupTester(network, schedule, new float[schedule.Rounds], 0.1, rows.Length);
        Fill(tester, rows);
        tester.Score(rows.Length);
        return tester.Scores[..rows.Length];
    }

    private static float Middle(GroupNetwork network, RareRow[] rows)
    {
        RareRow[] usable = [.. rows.Where(row => row.Features.All(float.IsFinite))];
        return usable.Length == 0 ? 0f : Scores(network, usable, GroupSchedule.OneRound(2)).Order().ElementAt(usable.Length / 2);
    }

    /// <summary>Row by row and group by group, each group in a tester of its own.</summary>
    private static (float[] Scores, float[] Shares, int Tests) Naive(GroupNetwork network, GroupSchedule schedule, float[] thresholds,
        RareRow[] rows)
    {
        var scores = new float[rows.Length];
        var shares = new float[rows.Length];
        int tests = 0;
        var open = rows.Select(row => row.Features.All(float.IsFinite)).ToArray();
        Array.Fill(scores, float.NaN);
        float Test(int[] members)
        {
            tests++;
            foreach (int member in members)
                shares[member] += 1f / members.Length;
            return Scores(network, [.. members.Select(member => rows[member])], GroupSchedule.OneRound(members.Length))[0];
        }

        if (schedule.IsTwoGroupings)
        {
            int size = schedule.GroupSizes[0];
            IEnumerable<IGrouping<(int, string, int), int>> Groups(Func<int, string> kind, Func<int, int> of) => Enumerable.Range(0,
                rows.Length).Where(row => open[row]).GroupBy(row => (row / (size * size), kind(row), of(row % (size * size))));
            foreach (int[] members in Groups(_ => "line", place => place / size).Concat(Groups(_ => "column", place => place % size))
                .Select(group => group.ToArray()))
            {
                float score = Test(members) - thresholds[0];
                foreach (int member in members)
                    scores[member] = float.IsNaN(scores[member]) ? score : Math.Min(score, scores[member]);
            }

            return (scores, shares, tests);
        }

        for (int round = 0; round < schedule.Rounds; round++)
        {
            foreach (int[] members in Enumerable.Range(0, rows.Length).Where(row => open[row])
                .GroupBy(row => row / schedule.GroupSizes[round]).Select(group => group.ToArray()).ToArray())
            {
                float score = Test(members) - thresholds[round];
                foreach (int member in members)
                    (scores[member], open[member]) = (score, score > 0f);
            }
        }

        return (scores, shares, tests);
    }
}
