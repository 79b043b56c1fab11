using System.Numerics;

namespace Microsoft.ML.ForwardSampling.Selection;

/// <summary>One item after the other, each in proportion to its weight among the items still there.</summary>
/// <remarks>
/// Successive sampling: the distribution of NumPy's <c>choice(replace=False, p=…)</c> and of Efraimidis and Spirakis' random keys
/// (Inf. Process. Lett. 97, 2006), drawn here through a tree of sums: b random numbers and O(n + b·log n), instead of a logarithm an item.
/// An item's chance to be among the b is not proportional to its weight.
/// </remarks>
internal static class WithoutReplacementDraw
{
    /// <summary>Draws items.Length of weights.Length items, in the order drawn.</summary>
    /// <param name="weights">Length n, each finite and ≥ 0. When the positive ones run out, the rest is drawn evenly among the
    /// others.</param>
    /// <param name="random">One number an item.</param>
    /// <param name="items">Out, length b ≤ n: distinct positions.</param>
    /// <param name="scratch">Gives the memory for the sums.</param>
    public static void Choose(ReadOnlySpan<double> weights, ref RepeatableRandom random, Span<int> items, SelectionScratch scratch)
    {
        // A complete binary tree in an array: node i has children 2i and 2i + 1, item j is leaf leaves + j, every node is the sum of its
        // children.
        int leaves = (int)BitOperations.RoundUpToPowerOf2((uint)weights.Length);
        using RentedSpan<double> memory = scratch.Rent<double>(2 * leaves);
        Span<double> tree = memory;
        weights.CopyTo(tree[leaves..]);
        tree[(leaves + weights.Length)..].Clear();
        SumUp(tree, leaves);

        for (int drawn = 0; drawn < items.Length; drawn++)
        {
            if (tree[1] == 0)
                WeighRemainingEvenly(tree, leaves, weights.Length, items[..drawn]);

            int node = 1;
            double target = random.NextDouble() * tree[1];
            while (node < leaves)
            {
                node *= 2;
                double left = tree[node];
                // Rounding can push the target past the end: never into a subtree in which nothing is left.
                if (target >= left && tree[node + 1] > 0)
                {
                    target -= left;
                    node++;
                }
            }

            items[drawn] = node - leaves;
            tree[node] = 0;
            while (node > 1)
            {
                // Sums are made anew, not reduced by subtraction, so they hold no trace of what is gone.
                node /= 2;
                tree[node] = tree[2 * node] + tree[2 * node + 1];
            }
        }
    }

    private static void WeighRemainingEvenly(Span<double> tree, int leaves, int count, ReadOnlySpan<int> drawn)
    {
        tree.Slice(leaves, count).Fill(1);
        foreach (int item in drawn)
            tree[leaves + item] = 0;
        SumUp(tree, leaves);
    }

    private static void SumUp(Span<double> tree, int leaves)
    {
        for (int node = leaves - 1; node > 0; node--)
            tree[node] = tree[2 * node] + tree[2 * node + 1];
    }
}
