namespace Microsoft.ML.ForwardSampling.Tests.Selection;

public sealed class RequireTests
{
    [Fact]
    public void InRange_EachKindOfBound_IsWrittenAndChecked()
    {
        Assert.Equal(0.5, Require.InRange(0.5, 0, 1, "Owner", "Option"));
        Assert.Equal(1, Require.InRange(1, 1, 3, "Owner", "Option"));
        AssertMessage("Owner.Option must be in [1, 3].", "4", () => Require.InRange(4, 1, 3, "Owner", "Option"));
        AssertMessage("Owner.Option must be in (0, 1].", "0", () => Require.InRange(0f, 0f, 1f, "Owner", "Option", minInclusive: false));
        AssertMessage("Owner.Option must be in [0, 1).", "1", () => Require.InRange(1.0, 0, 1, "Owner", "Option", maxInclusive: false));
        AssertMessage("Owner.Option must be in (0, 1).", "NaN",
            () => Require.InRange(double.NaN, 0, 1, "Owner", "Option", minInclusive: false, maxInclusive: false));
    }

    [Fact]
    public void PositiveAndAtLeast_FloatingPoint_MustBeFiniteToo()
    {
        Assert.Equal(1e-9, Require.Positive(1e-9, "Owner", "Option"));
        Assert.Equal(3L, Require.AtLeast(3L, 3L, "Owner", "Option"));
        AssertMessage("Owner.Option must be greater than 0 and finite.", "0", () => Require.Positive(0f, "Owner", "Option"));
        AssertMessage("Owner.Option must be greater than 0.", "-2", () => Require.Positive(-2, "Owner", "Option"));
        AssertMessage("Owner.Option must be at least 0 and finite.", "NaN", () => Require.AtLeast(double.NaN, 0, "Owner", "Option"));
        Assert.Throws<ArgumentOutOfRangeException>(() => Require.Positive(double.PositiveInfinity, "Owner", "Option"));
    }

    [Fact]
    public void Defined_OtherValue_ListsTheMembers()
    {
        Assert.Equal(DayOfWeek.Friday, Require.Defined(DayOfWeek.Friday, "Owner", "Option"));
        AssertMessage(
            "Owner.Option must be one of Sunday, Monday, Tuesday, Wednesday, Thursday, Friday, Saturday.", "9",
                () => Require.Defined((DayOfWeek)9, "Owner", "Option"));
    }

    [Fact]
    public void Names_NullEmptyOrGiven()
    {
        Assert.Equal("a", Require.NotEmpty("a", "Owner", "Option"));
        Assert.Null(Require.NullOrNotEmpty(null, "Owner", "Option"));
        Assert.Equal(
            "Owner.Option must be a name that is not empty. Got ''. (Parameter 'Option')",
            Assert.Throws<ArgumentException>(() => Require.NullOrNotEmpty("", "Owner", "Option")).Message);
        Assert.Equal(
            "Owner.Option must not be null. (Parameter 'Option')",
            Assert.Throws<ArgumentNullException>(() => Require.NotNull<string>(null, "Owner", "Option")).Message);
    }

    private static void AssertMessage(string message, string value, Action action)
        => Assert.Equal($"{message} (Parameter 'Option'){Environment.NewLine}Actual value was {value}.",
            Assert.Throws<ArgumentOutOfRangeException>(action).Message);
}
