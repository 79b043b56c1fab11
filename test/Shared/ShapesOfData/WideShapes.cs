using Microsoft.ML.Data;
using static Microsoft.ML.ForwardSampling.ShapesOfData.ShapeRows;

namespace Microsoft.ML.ForwardSampling.ShapesOfData;

/// <summary>Rows of thirty slots in use among many: texts and categories. Labels have noise that no model can know.</summary>
internal static class WideShapes
{
    private const int Used = 30, TestRows = 2000, Classes = 4;

    private enum Slots
    {
        /// <summary>Each is as frequent as any other, and says a little.</summary>
        Even,

        /// <summary>As frequent as words are: the k-th by 1/k.</summary>
        Words,

        /// <summary>A hundredth of them says all, and a third of a row's are of these.</summary>
        Few,
    }

    public static IEnumerable<DataShape> All()
    {
        // What trees make of thousands of slots with thirty in use is no test of a network.
        foreach (PredictionTask task in Enum.GetValues<PredictionTask>())
        {
            yield return Shape(task, 20_000, 200, Slots.Words);
            yield return Shape(task, 20_000, 2000, Slots.Even);
            yield return Shape(task, 20_000, 2000, Slots.Words);
            yield return Shape(task, 20_000, 2000, Slots.Few);
            yield return Shape(task, 20_000, 20_000, Slots.Words);
            yield return Shape(task, 500, 2000, Slots.Words);
        }
    }

    private static DataShape Shape(PredictionTask task, int width, int rows, Slots slots)
        => new(task, $"{rows:N0} rows, {Used} of {width:N0} slots, {slots.ToString().ToLowerInvariant()}",
            ml => Make(ml, task, width, rows, slots))
        { TreeMargin = null };

    private static (IDataView, IDataView) Make(MLContext ml, PredictionTask task, int width, int rows, Slots slots)
    {
        var random = new Random(7);
        int outputs = task == PredictionTask.Multiclass ? Classes : 1, telling = slots == Slots.Few ? Math.Min(200, width / 4) : width;
        float[][] weights = [.. Enumerable.Range(0, width).Select(slot => Enumerable.Range(0, outputs)
            .Select(_ => slot < telling ? Normal(random) * (slots == Slots.Few ? 3.4f : 2) / MathF.Sqrt(Used) : 0).ToArray())];
        return task switch
        {
            PredictionTask.Regression => Split((x, scores) => new NumberRow { Features = x, Label = scores[0] + (Normal(random) / 2) }),
            PredictionTask.Binary => Split((x, scores) => new BinaryRow { Features = x, Label = Draw(random, [0, scores[0]]) == 1 }),
            _ => Split((x, scores) => new ClassRow { Features = x, Label = (uint)Draw(random, scores) }, Classes),
        };

        (IDataView, IDataView) Split<TRow>(Func<VBuffer<float>, float[], TRow> row, int classes = 0)
            where TRow : class
        {
            TRow[] all = [.. Enumerable.Range(0, rows + TestRows).Select(_ =>
            {
                var used = new SortedSet<int>();
                while (used.Count < Used)
                    used.Add(Slot());
                var scores = new float[outputs];
                foreach (int slot in used)
                {
                    for (int output = 0; output < outputs; output++)
                        scores[output] += weights[slot][output];
                }

                return row(new VBuffer<float>(width, Used, [.. Enumerable.Repeat(1f, Used)], [.. used]), scores);
            })];
            return (View(ml, all[..rows], width, classes), View(ml, all[rows..], width, classes));
        }

        int Slot() => slots == Slots.Words ? Math.Min(width - 1, (int)Math.Exp(random.NextDouble() * Math.Log(width)))
            : slots == Slots.Few && random.Next(3) == 0 ? random.Next(telling) : random.Next(width);
    }
}
