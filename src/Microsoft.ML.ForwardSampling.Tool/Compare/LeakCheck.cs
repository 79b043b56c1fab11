using System.Globalization;

namespace Microsoft.ML.ForwardSampling.Tool.Compare;

/// <summary>Columns that alone predict nearly everything: copies of the label, or known only after it.</summary>
internal static class LeakCheck
{
    private const int Bins = 64;
    private const double NearlyAll = 0.98;
    private const double ShareOfErrors = 0.25; // of those that are made without the column

    /// <summary>Looks at each column by itself: even parts of the training rows by its value, each predicting what most of its rows
    /// are.</summary>
    /// <param name="data">The rows.</param>
    /// <param name="columns">Each column's place, first feature and number of features.</param>
    /// <returns>A column's place and the share of the test rows' classes, or variance, that it predicts.</returns>
    public static IEnumerable<(int Index, double Share)> Find(TabularData data, IReadOnlyList<(int Index, int From, int Size)> columns)
    {
        double without = Share(data, _ => 0, 1);
        foreach ((int index, int from, int size) in columns)
        {
            Func<TabularRow, int> part = size <= 2 ? ByValue(data, from, size) : row => IndexOfSlot(row.Features.AsSpan(from, size));
            double share = Share(data, part, size <= 2 ? Bins + 1 : size + 1);
            if (data.Task == PredictionTask.Regression && size <= 2)
                share = Math.Max(share, ShareOfLine(data, from));
            if (share >= NearlyAll && 1 - share <= ShareOfErrors * (1 - without))
                yield return (index, share);
        }
    }

    /// <summary>What a note says.</summary>
    public static string Note(string name, string quoted, double share, PredictionTask task) => string.Create(CultureInfo.InvariantCulture,
        $"Column {name} alone predicts {100 * share:0.0} % of the test rows' "
        + $"{(task == PredictionTask.Regression ? "variance" : "labels")}: ")
        + $"is it a copy of the label, or known only after it? --ignore {quoted} leaves it out.";

    /// <summary>What a straight line through the training rows predicts: few rows in a part say little about a copy in another
    /// unit.</summary>
    private static double ShareOfLine(TabularData data, int feature)
    {
        double x = data.Training.Average(row => (double)row.Features[feature]), y = data.Training.Average(row => (double)row.Number);
        double squares = data.Training.Sum(row => Math.Pow(row.Features[feature] - x, 2));
        double slope = squares > 0 ? data.Training.Sum(row => (row.Features[feature] - x) * (row.Number - y)) / squares : 0;
        double mean = data.Test.Average(row => (double)row.Number), all = data.Test.Sum(row => Math.Pow(row.Number - mean, 2));
        double left = data.Test.Sum(row => Math.Pow(row.Number - y - (slope * (row.Features[feature] - x)), 2));
        return all > 0 ? 1 - (left / all) : 0;
    }

    private static int IndexOfSlot(ReadOnlySpan<float> slots) => slots.IndexOf(1f) + 1;

    private static Func<TabularRow, int> ByValue(TabularData data, int from, int size)
    {
        float[] sorted = [.. data.Training.Select(row => row.Features[from]).Order()];
        float[] ends = [.. Enumerable.Range(1, Bins - 1).Select(i => sorted[(int)((long)i * sorted.Length / Bins)]).Distinct()];
        return row =>
        {
            if (size == 2 && row.Features[from + 1] == 1)
                return Bins;
            int at = Array.BinarySearch(ends, row.Features[from]);
            return at < 0 ? ~at : at + 1;
        };
    }

    private static double Share(TabularData data, Func<TabularRow, int> part, int parts)
    {
        if (data.Task == PredictionTask.Regression)
        {
            double[] sums = new double[parts], counts = new double[parts];
            foreach (TabularRow row in data.Training)
                (sums[part(row)], counts[part(row)]) = (sums[part(row)] + row.Number, counts[part(row)] + 1);
            double mean = data.Test.Average(row => (double)row.Number);
            double all = data.Test.Sum(row => (row.Number - mean) * (row.Number - mean));
            double left = data.Test.Sum(row => Math.Pow(row.Number - (counts[part(row)] > 0 ? sums[part(row)] / counts[part(row)] : 0), 2));
            return all > 0 ? 1 - left / all : 0;
        }

        var seen = new int[parts, Math.Max(2, data.Classes.Count)];
        foreach (TabularRow row in data.Training)
            seen[part(row), row.ClassIndex]++;
        int[] best = [.. Enumerable.Range(0, parts)
            .Select(i => Enumerable.Range(0, seen.GetLength(1)).MaxBy(c => seen[i, c]))];
        return data.Test.Count(row => best[part(row)] == row.ClassIndex) / (double)data.Test.Count;
    }
}
