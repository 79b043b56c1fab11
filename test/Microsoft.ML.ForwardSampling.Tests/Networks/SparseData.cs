using Microsoft.ML.Data;

namespace Microsoft.ML.ForwardSampling.Tests.Networks;

/// <summary>A row of hashed slots.</summary>
internal sealed class SparseRow
{
    public VBuffer<float> Features { get; set; }

    public bool Label { get; set; }

    public float Number { get; set; }

    public string Origin { get; set; } = "";

    /// <summary>The origin's key among all six, counted from 1; 0: none.</summary>
    public float OriginNumber => Origin.Length == 0 ? 0 : Origin[1] - '0' + 1;

    /// <summary>The origin's key among the second and the third; 0: none of them.</summary>
    public float ColorNumber => Origin == "o1" ? 1 : Origin == "o2" ? 2 : 0;

    public float Load { get; set; }
}

/// <summary>Generated sparse rows; the same for the same seed.</summary>
internal static class SparseData
{
    /// <summary>Rows whose label follows from which slots they have and from their origin.</summary>
    /// <param name="count">Rows.</param>
    /// <param name="slots">Width.</param>
    /// <param name="values">Values of a row that are not zero.</param>
    /// <param name="seed">Of the rows.</param>
    public static SparseRow[] Rows(int count, int slots, int values, int seed = 1)
    {
        var random = new Random(seed);
        var rows = new SparseRow[count];
        for (int i = 0; i < count; i++)
        {
            var row = new SortedDictionary<int, float>();
            while (row.Count < values)
                row[random.Next(slots)] = 0.5f + random.NextSingle();
            int origin = random.Next(6);
            float number = row.Sum(value => value.Value * Effect(value.Key)) + (origin % 2 == 0 ? 1.5f : -1.5f);
            rows[i] = new SparseRow
            {
                Features = new VBuffer<float>(slots, values, [.. row.Values], [.. row.Keys]),
                Label = number > 0f,
                Number = number,
                Origin = $"o{origin}",
                Load = random.NextSingle(),
            };
        }

        return rows;
    }

    /// <summary>The rows as a view; their features dense where asked for.</summary>
    public static IDataView View(MLContext context, SparseRow[] rows, bool dense = false)
    {
        SchemaDefinition schema = SchemaDefinition.Create(typeof(SparseRow));
        schema[nameof(SparseRow.Features)].ColumnType = new VectorDataViewType(NumberDataViewType.Single, rows[0].Features.Length);
        return context.Data.LoadFromEnumerable(dense ? rows.Select(Dense) : rows, schema);
    }

    private static SparseRow Dense(SparseRow row) => new()
    {
        Features = new VBuffer<float>(row.Features.Length, [.. row.Features.DenseValues()]),
        Label = row.Label,
        Number = row.Number,
        Origin = row.Origin,
        Load = row.Load,
    };

    private static float Effect(int slot) => ((uint)slot * 2654435761u >> 30) switch { 0 => -1f, 1 => 1f, _ => 0f };
}
