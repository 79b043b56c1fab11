using Microsoft.ML.Data;

namespace Microsoft.ML.ForwardSampling.Tests.DataViews;

/// <summary>A row as it stands after recording: number, features, label, statistics.</summary>
internal class RecordedRow
{
    public int Number { get; set; }

    public float X { get; set; }

    [VectorType(3)]
    public float[] Features { get; set; } = [0, 0, 0];

    public float Label { get; set; }

    [KeyType(3)]
    public uint Class { get; set; }

    public bool Flag { get; set; }

    [ColumnName(ForwardColumns.Loss)]
    public float Loss { get; set; }

    [ColumnName(ForwardColumns.GradientNorm)]
    public float GradientNorm { get; set; }

    [ColumnName(ForwardColumns.Margin)]
    public float Margin { get; set; }

    [ColumnName(ForwardColumns.Entropy)]
    public float Entropy { get; set; }

    public float OwnWeight { get; set; } = 1;

    /// <summary>n rows of y = 3·x0 − 2·x1 + x2 + 1, with statistics that differ from row to row.</summary>
    public static RecordedRow[] Make(int n, int seed = 7)
    {
        var random = new Random(seed);
        var rows = new RecordedRow[n];
        for (int i = 0; i < n; i++)
        {
            float a = (float)random.NextDouble(), b = (float)random.NextDouble(), c = (float)random.NextDouble();
            float loss = (float)-Math.Log(1 - (0.99 * random.NextDouble()));
            float label = (3 * a) - (2 * b) + c + 1;
            rows[i] = new RecordedRow
            {
                Number = i,
                X = a,
                Features = [a, b, c],
                Label = label,
                Class = (uint)(i % 3),
                Flag = label > 2,
                Loss = loss,
                GradientNorm = 1 - MathF.Exp(-loss),
                Margin = (float)random.NextDouble(),
                Entropy = (float)random.NextDouble(),
                OwnWeight = 1 + (i % 4),
            };
        }

        return rows;
    }
}
