using Microsoft.ML.ForwardSampling.Selection;

namespace Microsoft.ML.ForwardSampling.Tests.Selection;

/// <summary>Arrays behind a window, with every statistic.</summary>
internal sealed record WindowData(float[] Loss, float[] GradientNorm, float[] Margin, float[] Entropy, int[] Label)
{
    public int Count => Loss.Length;

    /// <summary>Row-major, three of each row.</summary>
    public float[] Features => field ??= [
        .. Loss.SelectMany((loss, row) => new[] { 1f, row % 3 - 1f, float.IsFinite(loss) ? Math.Clamp(loss, -3f, 3f) : 0f })];

    public float[] ReferenceLoss { get; init; } = new float[Loss.Length];

    public float[] ActivationNorm { get; init; } = new float[Loss.Length];

    public int[] Group { get; init; } = Label;

    /// <summary>A classifier's window: skewed losses (some tied), norms in [0.05, 1.5], five classes and unknown labels; reference losses
    /// and four groups that have nothing to do with the rest.</summary>
    public static WindowData Classes(int count, int seed)
    {
        var random = new RepeatableRandom(seed);
        var data = new WindowData(new float[count], new float[count], new float[count], new float[count], new int[count])
        { Group = new int[count] };
        var unrelated = new RepeatableRandom(seed + 7000);
        for (int i = 0; i < count; i++)
        {
            double miss = Math.Pow(random.NextDouble(), 2);
            data.Loss[i] = (float)Math.Round(-Math.Log(1 - 0.99 * miss), 2);
            data.GradientNorm[i] = (float)(0.05 + 1.45 * miss * (0.7 + 0.3 * random.NextDouble()));
            data.Margin[i] = (float)(1 - miss);
            data.Entropy[i] = (float)(miss * 1.6);
            data.Label[i] = random.NextInt(6) - 1;
            data.ReferenceLoss[i] = (float)unrelated.NextDouble();
            data.Group[i] = Math.Max(0, unrelated.NextInt(7) - 3);
        }

        return data;
    }

    /// <summary>The same with all losses different.</summary>
    public static WindowData Distinct(int count, int seed)
    {
        WindowData data = Classes(count, seed);
        var random = new RepeatableRandom(seed + 1);
        for (int i = 0; i < count; i++)
            data.Loss[i] += (float)(0.009 * random.NextDouble());
        Assert.Equal(count, data.Loss.Distinct().Count());
        return data;
    }

    /// <summary>The same with losses rounded to whole numbers: every policy has rows among which it must draw.</summary>
    public static WindowData Tied(int count, int seed)
    {
        WindowData data = Classes(count, seed);
        return data with
        {
            Loss = [.. data.Loss.Select(loss => MathF.Round(loss))],
            ReferenceLoss = [.. data.ReferenceLoss.Select(loss => MathF.Round(loss))]
        };
    }

    /// <summary>Only the statistics that the mask names (no HasFlag: unoptimised, it allocates).</summary>
    public SelectionWindow Window(SelectionScratch scratch, RecordStatistics statistics = (RecordStatistics)~0) => new(Count, scratch)
    {
        Loss = (statistics & RecordStatistics.Loss) != 0 ? Loss : [],
        GradientNorm = (statistics & RecordStatistics.GradientNorm) != 0 ? GradientNorm : [],
        Margin = (statistics & RecordStatistics.Margin) != 0 ? Margin : [],
        Entropy = (statistics & RecordStatistics.Entropy) != 0 ? Entropy : [],
        Label = (statistics & RecordStatistics.Label) != 0 ? Label : [],
        ReferenceLoss = (statistics & RecordStatistics.ReferenceLoss) != 0 ? ReferenceLoss : [],
        ActivationNorm = (statistics & RecordStatistics.ActivationNorm) != 0 ? ActivationNorm : [],
        Group = (statistics & RecordStatistics.Group) != 0 ? Group : [],
        Features = (statistics & RecordStatistics.Features) != 0 ? Features : [],
    };

    /// <summary>Three features of a row; the last tells something of its loss.</summary>
    public float[] FeaturesOf(int row) => Features[(3 * row)..(3 * row + 3)];

    /// <summary>Row i of the result is row order[i] of this one.</summary>
    public WindowData Reordered(int[] order) => new(
        [.. order.Select(i => Loss[i])],
        [.. order.Select(i => GradientNorm[i])],
        [.. order.Select(i => Margin[i])],
        [.. order.Select(i => Entropy[i])],
        [.. order.Select(i => Label[i])])
    {
        ReferenceLoss = [.. order.Select(i => ReferenceLoss[i])],
        Group = [.. order.Select(i => Group[i])],
    };

    public float[] Values(RecordStatistics statistic) => statistic switch
    {
        RecordStatistics.Loss => Loss,
        RecordStatistics.GradientNorm => GradientNorm,
        RecordStatistics.Margin => Margin,
        RecordStatistics.Entropy => Entropy,
        RecordStatistics.ReferenceLoss => ReferenceLoss,
        _ => throw new ArgumentOutOfRangeException(nameof(statistic), statistic, "Not a numeric statistic."),
    };
}

/// <summary>One selection's result.</summary>
internal sealed record Choice(int[] Rows, float[] Weights)
{
    public static Choice Of(RowSelector selector, WindowData data, int budget, RecordStatistics statistics = (RecordStatistics)~0)
    {
        var rows = new int[budget];
        var weights = new float[budget];
        selector.Select(data.Window(selector.Scratch, statistics), rows, weights);
        return new Choice(rows, weights);
    }

    public static Choice Of(IRowSelectionPolicy policy, WindowData data, int budget, int seed = 1)
        => Of(new RowSelector(policy, seed), data, budget);

    public bool Equals(Choice? other) => other is not null && Rows.AsSpan().SequenceEqual(other.Rows)
        && Weights.AsSpan().SequenceEqual(other.Weights);

    public override int GetHashCode() => HashCode.Combine(Rows.Length, Rows[0]);

    public override string ToString() => string.Join(", ", Rows.Zip(Weights, (row, weight) => $"{row}:{weight}"));
}
