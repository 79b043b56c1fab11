namespace Microsoft.ML.ForwardSampling.Records;

/// <summary>Checks of labels that records and their views share.</summary>
internal static class RecordLabel
{
    public static bool IsClass(float label, int classes) => label >= 0 && label < classes && label == MathF.Floor(label);

    public static ArgumentOutOfRangeException Refused(float label, string allowed) =>
        new(nameof(label), label, $"The label must be {allowed}.");
}
