using Microsoft.ML.Data;
using Microsoft.ML.ForwardSampling.Selection;

namespace Microsoft.ML.ForwardSampling.Benchmarks;

/// <summary>What SelectRows costs around the selection: a skipped row, and a tenth of 1,000,000 rows of 784 features against all of
/// them.</summary>
/// <remarks>Rows are made on the fly (<see cref="GeneratedRows"/>): a source cheaper than any file, so that the filter's own cost shows at
/// its worst. Called by <c>./build.sh bench filter</c>.</remarks>
internal static class FilterBench
{
    private const int Rows = 1_000_000, Width = 784, Rounds = 15;

    /// <summary>Prints one table; figures are the best CPU time of fifteen rounds in which all cases take turns, which other work on the
    /// machine hardly touches.</summary>
    /// <returns>0 when a skipped row costs at most 20 ns with every policy, else 1.</returns>
    public static int Run(string[] _)
    {
        var ml = new MLContext(1);
        var data = new GeneratedRows(Rows, Width);
        string[] statistics = ["Label", ForwardColumns.Loss, ForwardColumns.GradientNorm];
        (string Name, IRowSelectionPolicy Policy)[] policies =
        [
            ("Uniform", new UniformPolicy()),
            ("TopLoss", new TopLossPolicy()),
            ("LossStratified", new LossStratifiedPolicy()),
            ("GradientNorm", new GradientNormPolicy()),
            ("BalancedGradientNorm", new BalancedGradientNormPolicy()),
        ];
        var cases = new List<Way>
        {
            Way.OfProcessor("Label, loss and norm of all rows", () => Read(data, statistics)),
            Way.OfProcessor("features of all rows", () => Read(data, ["Features"])),
        };
        foreach ((string name, IRowSelectionPolicy policy) in policies)
        {
            SelectedRows selected = ml.ForwardSampling().SelectRows(data, policy, new SelectionOptions { Seed = 1 });
            string[] read = [.. new[] { (RecordStatistics.Label, 0), (RecordStatistics.Loss, 1), (RecordStatistics.GradientNorm, 2) }.Where(
                pair => (policy.Needs & pair.Item1) != 0).Select(pair => statistics[pair.Item2])];
            var window = new SelectionWindows(policy, data);
            cases.Add(Way.OfProcessor($"{name}: its statistics of all rows", () => Read(data, read)));
            cases.Add(Way.OfProcessor($"{name}: selection alone, from arrays", () => window.SelectAll()));
            cases.Add(Way.OfProcessor($"{name}: SelectRows, nothing read of the chosen", () => Read(selected, [])));
            cases.Add(Way.OfProcessor($"{name}: SelectRows, features of the chosen",
                () => Read(selected, ["Features", ForwardColumns.Weight])));
        }

        double[] best = [.. Turns.Run(Rounds, cases).Select(taken => 1e3 * taken.Best)];
        Console.WriteLine($"{Rows:N0} rows of {Width} features made on the fly, windows of 640, one row in ten; "
            + $"{typeof(MLContext).Assembly.GetName().Name}.dll; CPU time, best of {Rounds} rounds.");
        var passes = new Table("Pass", "ms", "ns/row");
        for (int i = 0; i < cases.Count; i++)
            passes.Add(cases[i].Name, $"{best[i]:F0}", $"{best[i] * 1e6 / Rows:F1}");
        passes.Print();

        bool isGood = true;
        var table = new Table("Policy", "a skipped row, ns over reading its statistics", "of these, the selection",
            "features of a tenth / of all");
        for (int p = 0; p < policies.Length; p++)
        {
            int first = 2 + 4 * p;
            double skipped = (best[first + 2] - best[first]) * 1e6 / (0.9 * Rows), selection = best[first + 1] * 1e6 / (0.9 * Rows);
            isGood &= skipped <= 20;
            table.Add(policies[p].Name, $"{skipped:F1}", $"{selection:F1}", $"{best[first + 3] / best[1]:F2}");
        }

        table.Print();
        Console.WriteLine(isGood ? "A skipped row costs at most 20 ns." : "ABOVE THE AIM: a skipped row costs more than 20 ns.");
        return isGood ? 0 : 1;
    }

    private static long Read(IDataView view, string[] columns)
    {
        using DataViewRowCursor cursor = view.GetRowCursor([.. columns.Select(name => view.Schema[name])]);
        ValueGetter<float>[] singles = [.. columns.Where(name => name.StartsWith("Forward.", StringComparison.Ordinal))
            .Select(name => cursor.GetGetter<float>(view.Schema[name]))];
        ValueGetter<uint>? label = columns.Contains("Label") ? cursor.GetGetter<uint>(view.Schema["Label"]) : null;
        ValueGetter<VBuffer<float>>? features = columns.Contains("Features")
            ? cursor.GetGetter<VBuffer<float>>(view.Schema["Features"]) : null;
        float single = 0;
        uint key = 0;
        VBuffer<float> vector = default;
        long rows = 0;
        while (cursor.MoveNext())
        {
            foreach (ValueGetter<float> getter in singles)
                getter(ref single);
            label?.Invoke(ref key);
            features?.Invoke(ref vector);
            rows++;
        }

        return rows;
    }

    /// <summary>The same windows from arrays: what the policy itself takes of a pass.</summary>
    private sealed class SelectionWindows
    {
        private const int Size = 640;
        private readonly RowSelector _selector;
        private readonly float[] _loss = new float[Rows];
        private readonly float[] _norm = new float[Rows];
        private readonly int[] _label = new int[Rows];
        private readonly int[] _rows = new int[Size / 10];
        private readonly float[] _weights = new float[Size / 10];

        public SelectionWindows(IRowSelectionPolicy policy, IDataView data)
        {
            _selector = new RowSelector(policy, 1);
            using DataViewRowCursor cursor = data.GetRowCursor(data.Schema);
            ValueGetter<float> loss = cursor.GetGetter<float>(data.Schema[ForwardColumns.Loss]),
                norm = cursor.GetGetter<float>(data.Schema[ForwardColumns.GradientNorm]);
            ValueGetter<uint> label = cursor.GetGetter<uint>(data.Schema["Label"]);
            uint key = 0;
            for (int row = 0; cursor.MoveNext(); row++)
            {
                loss(ref _loss[row]);
                norm(ref _norm[row]);
                label(ref key);
                _label[row] = (int)key - 1;
            }
        }

        public long SelectAll()
        {
            long sum = 0;
            for (int start = 0; start + Size <= Rows; start += Size)
            {
                var window = new SelectionWindow(Size, _selector.Scratch)
                { Loss = _loss.AsSpan(start, Size), GradientNorm = _norm.AsSpan(start, Size), Label = _label.AsSpan(start, Size) };
                _selector.Select(in window, _rows, _weights);
                sum += _rows[0];
            }

            return sum;
        }
    }
}
