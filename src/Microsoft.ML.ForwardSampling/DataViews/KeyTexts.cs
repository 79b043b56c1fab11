using System.Globalization;
using System.Reflection;
using Microsoft.ML.Data;

namespace Microsoft.ML.ForwardSampling.DataViews;

/// <summary>What keys stand for, as text: two columns whose keys stand for different values must not be compared key by key.</summary>
/// <remarks>The usual way there: MapValueToKey fitted again on other rows, which numbers values in another order of occurrence.</remarks>
internal static class KeyTexts
{
    public const string Advice = "Fit MapValueToKey once and use that transformer for all data, or give it the values (keyData).";
    public const string KeyValuesKind = "KeyValues";

    /// <summary>Annotation of a multiclass score: the values of the label it was trained on.</summary>
    public const string TrainingLabelValuesKind = "TrainingLabelValues";

    private static readonly MethodInfo _read = typeof(KeyTexts).GetMethod(nameof(Read), BindingFlags.Static | BindingFlags.NonPublic)!;

    /// <summary>The values in key order; null when the annotation is not there.</summary>
    public static string[]? Of(DataViewSchema.Annotations annotations, string kind)
    {
        if (annotations.Schema.GetColumnOrNull(kind) is not { Type: VectorDataViewType vector })
            return null;
        return _read.MakeGenericMethod(vector.ItemType.RawType).CreateDelegate<Func<DataViewSchema.Annotations, string,
            string[]>>()(annotations, kind);
    }

    /// <summary>Name of a slot of a vector column; null when it has none.</summary>
    public static string? SlotName(DataViewSchema.Column column, int slot)
        => Of(column.Annotations, "SlotNames") is { } names && slot < names.Length && names[slot].Length > 0 ? names[slot] : null;

    public static string Of<T>(T value) => value is IFormattable formattable ? formattable.ToString(null, CultureInfo.InvariantCulture)
        : value?.ToString() ?? "";

    /// <summary>The first key, from 1, that stands for different values, and the two; null when all keys of both agree, or one has no
    /// values.</summary>
    public static (int Key, string First, string Second)? FirstDifference(string[]? first, string[]? second)
    {
        for (int i = 0; i < Math.Min(first?.Length ?? 0, second?.Length ?? 0); i++)
        {
            if (first![i] != second![i])
                return (i + 1, first[i], second[i]);
        }

        return null;
    }

    private static string[] Read<T>(DataViewSchema.Annotations annotations, string kind)
    {
        VBuffer<T> values = default;
        annotations.GetValue(kind, ref values);
        return [.. values.DenseValues().Select(Of)];
    }
}
