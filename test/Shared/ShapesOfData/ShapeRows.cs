using Microsoft.ML.Data;

namespace Microsoft.ML.ForwardSampling.ShapesOfData;

/// <summary>Rows of a shape as a data view.</summary>
internal static class ShapeRows
{
    public static IDataView View<TRow>(MLContext ml, TRow[] rows, int features, int classes = 0)
        where TRow : class
    {
        var schema = SchemaDefinition.Create(typeof(TRow));
        schema["Features"].ColumnType = new VectorDataViewType(NumberDataViewType.Single, features);
        if (classes > 0)
            schema["Label"].ColumnType = new KeyDataViewType(typeof(uint), classes);
        return ml.Data.LoadFromEnumerable(rows, schema);
    }

    public static float Normal(Random random) =>
        (float)(Math.Sqrt(-2 * Math.Log(1 - random.NextDouble())) * Math.Cos(2 * Math.PI * random.NextDouble()));

    /// <summary>A class drawn by the softmax of scores.</summary>
    public static int Draw(Random random, float[] scores)
    {
        float largest = scores.Max();
        double[] chances = Array.ConvertAll(scores, score => Math.Exp(score - largest));
        double left = random.NextDouble() * chances.Sum();
        int label = 0;
        while (label < scores.Length - 1 && (left -= chances[label]) > 0)
            label++;
        return label;
    }

    /// <summary>A row of numbers and its number.</summary>
    internal sealed class NumberRow
    {
        public VBuffer<float> Features { get; set; }

        public float Label { get; set; }
    }

    /// <summary>A row of numbers and whether it is positive.</summary>
    internal sealed class BinaryRow
    {
        public VBuffer<float> Features { get; set; }

        public bool Label { get; set; }
    }

    /// <summary>A row of numbers and its class.</summary>
    internal sealed class ClassRow
    {
        public VBuffer<float> Features { get; set; }

        /// <summary>From 0, as LoadFromEnumerable takes the values of a key.</summary>
        public uint Label { get; set; }
    }
}
