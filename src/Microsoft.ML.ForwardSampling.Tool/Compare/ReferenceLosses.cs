using Microsoft.ML.ForwardSampling.Networks;

namespace Microsoft.ML.ForwardSampling.Tool.Compare;

/// <summary>Each row's loss under a network that has not learnt from it: what ReducibleLoss compares with.</summary>
/// <remarks>
/// Two networks each learn from one half of the rows and score the other half, as RHO-LOSS does where no rows can be spared (arXiv
/// 2206.07137). A service has such losses for nothing: those of the model that served the rows.
/// </remarks>
internal static class ReferenceLosses
{
    /// <summary>Replaces each row by one with its reference loss.</summary>
    /// <param name="rows">At least two rows, in any order.</param>
    /// <param name="networks">Trains and scores.</param>
    /// <param name="backwardRows">Backward rows of both networks together; each has at least one.</param>
    /// <param name="seed">Of the halves, the weights and the order.</param>
    public static void AddTo(TabularRow[] rows, CompareNetworks networks, long backwardRows, int seed)
    {
        int[] order = [.. Enumerable.Range(0, rows.Length)];
        new Random(~seed).Shuffle(order);
        int[] first = order[..(rows.Length / 2)], second = order[(rows.Length / 2)..];
        float[] byFirst = LearnAndScore(first, second, (backwardRows + 1) / 2),
            bySecond = LearnAndScore(second, first, Math.Max(1, backwardRows / 2));
        Put(second, byFirst);
        Put(first, bySecond);

        float[] LearnAndScore(int[] learnt, int[] scored, long count)
        {
            IEnumerable<TabularRow> evenly = Enumerable.Range(0, (int)count).Select(i => rows[learnt[i % learnt.Length]]);
            using NetworkPredictionTransformer network = networks.Fit(evenly, options => options with { Epochs = 1, Seed = ~seed }, 0,
                1, null, null);
            float[] losses = new float[scored.Length];
            networks.Read(network, scored.Select(i => rows[i]), [(ForwardColumns.Loss, losses)]);
            return losses;
        }

        void Put(int[] scored, float[] losses)
        {
            foreach ((int i, int row) in scored.Index())
                rows[row] = rows[row].WithReferenceLoss(losses[i]);
        }
    }
}
