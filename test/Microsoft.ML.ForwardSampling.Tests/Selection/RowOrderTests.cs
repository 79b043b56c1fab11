using FsCheck;
using FsCheck.Fluent;
using Microsoft.ML.ForwardSampling.Selection;

namespace Microsoft.ML.ForwardSampling.Tests.Selection;

public sealed class RowOrderTests
{
    private static readonly float[] s_special = [0f, -0f, 1f, -1f, float.MaxValue, float.MinValue, float.Epsilon, -float.Epsilon, 1e-38f,
        0.1f, 0.1f, 255f, 256f];

    [Fact]
    public void ByValue_AnyFiniteValues_IsTheStableOrder_Meets_Specification()
    {
        Properties.Hold(Values(400), values => Assert.Equal(Expected(values, null),
            RowOrder.ByValue(values, new SelectionScratch()).Span.ToArray()));
    }

    [Fact]
    public void ByLabelThenValue_AnyLabels_IsTheStableOrder_Meets_Specification()
    {
        Gen<(float[] Values, int[] Labels)> inputs =
            from values in Values(300)
            from classes in Gen.Elements(1, 2, 10, 255, 256, 257, 70_000, int.MaxValue)
            from unknown in Gen.Elements(0, 1)
            from seed in Gen.Choose(0, int.MaxValue)
            let random = new Random(seed)
            select (values, values.Select(_ => random.Next(classes) - unknown).ToArray());

        Properties.Hold(
            inputs,
            input => Assert.Equal(Expected(input.Values, input.Labels),
                RowOrder.ByLabelThenValue(input.Labels, input.Values, new SelectionScratch()).Span.ToArray()));
    }

    [Fact]
    public void ByLabelThenValue_LabelsFromEndToEndOfTheirType_IsTheStableOrder()
    {
        float[] values = [3, 2, 1, 0, 5, 4];
        int[] labels = [int.MaxValue, int.MinValue, 0, -1, int.MinValue, int.MaxValue];

        Assert.Equal([1, 4, 3, 2, 0, 5], RowOrder.ByLabelThenValue(labels, values, new SelectionScratch()).Span.ToArray());
    }

    [Fact]
    public void ByLabelThenValue_LabelsAndValuesThatDoNotFitOneWord_IsTheStableOrder()
    {
        // 17 bits of rows, 32 of values and 32 of labels.
        const int n = 70_000;
        var random = new Random(4);
        float[] values = [.. Enumerable.Range(0, n).Select(row => row < 2 ? (2 * row - 1) * float.MaxValue : random.NextSingle())];
        int[] labels = [.. Enumerable.Range(0, n).Select(row => row < 2 ? row == 0 ? int.MinValue : int.MaxValue : random.Next(100))];

        Assert.Equal(Expected(values, labels), RowOrder.ByLabelThenValue(labels, values, new SelectionScratch()).Span.ToArray());
    }

    [Fact]
    public void ByLabel_AnyLabels_IsTheStableOrder_Meets_Specification()
    {
        Gen<int[]> inputs =
            from count in Gen.Choose(1, 300)
            from labels in Gen.OneOf(Gen.Choose(0, 3), Gen.Choose(int.MinValue, int.MaxValue)).ArrayOf(count)
            select labels;

        Properties.Hold(inputs, labels => Assert.Equal(Enumerable.Range(0, labels.Length).OrderBy(row => labels[row]),
            RowOrder.ByLabel(labels, new SelectionScratch()).Span.ToArray()));
    }

    [Fact]
    public void ByValue_ZerosOfEitherSign_KeepTheirRowOrder()
    {
        Assert.Equal([4, 0, 1, 2, 3], RowOrder.ByValue([0f, -0f, 0f, -0f, -1f], new SelectionScratch()).Span.ToArray());
    }

    private static Gen<float[]> Values(int longest)
        => from count in Gen.Choose(1, longest)
           from kind in Gen.Choose(0, 3)
           from special in Gen.Elements(s_special).ArrayOf(count)
           from bits in Gen.Choose(int.MinValue, int.MaxValue).ArrayOf(count)
           select kind switch
           {
               0 => special,
               1 => bits.Select(value => BitConverter.Int32BitsToSingle(value) is float any && float.IsFinite(any) ? any : 1f).ToArray(),
               2 => bits.Select(value => (value & 0xFF) * 0.01f).ToArray(), // many ties, few exponents
               // all alike but for one: in the uppermost bits they do not differ
               _ => bits.Select((value, row) => row == 0 ? 1e30f : 0.6931f + (value & 0xFFF) * 1e-7f).ToArray(),
           };

    private static int[] Expected(float[] values, int[]? labels)
        => [.. Enumerable.Range(0, values.Length).OrderBy(row => labels?[row] ?? 0).ThenBy(row => values[row])];
}
