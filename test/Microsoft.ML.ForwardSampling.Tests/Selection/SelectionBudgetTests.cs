using FsCheck;
using FsCheck.Fluent;
using Microsoft.ML.ForwardSampling.Selection;

namespace Microsoft.ML.ForwardSampling.Tests.Selection;

public sealed class SelectionBudgetTests
{
    [Theory]
    [InlineData(0.1, 640, 64)]
    [InlineData(0.1, 4096, 410)]
    [InlineData(0.1, 64, 6)]
    [InlineData(0.1, 65, 7)] // 6.5 rounds up
    [InlineData(0.1, 1, 1)]
    [InlineData(0.001, 640, 1)]
    [InlineData(1.0, 640, 640)]
    [InlineData(0.9999, 3, 3)]
    public void For_Share_IsRoundedToTheNearestRow(double share, int windowRows, int expected)
    {
        Assert.Equal(expected, SelectionBudget.Share(share).For(windowRows, 640));
    }

    [Theory]
    [InlineData(64, 640, 640, 64)]
    [InlineData(640, 640, 640, 640)]
    [InlineData(64, 320, 640, 32)]
    [InlineData(64, 5, 640, 1)] // 0.5 rounds up
    [InlineData(64, 1, 640, 1)]
    [InlineData(3, 639, 640, 3)]
    [InlineData(1000, 640, 640, 640)]
    public void For_Rows_IsThatManyOfAFullWindowAndTheSameShareOfAShortOne(int rows, int windowRows, int full, int expected)
    {
        Assert.Equal(expected, SelectionBudget.Rows(rows).For(windowRows, full));
    }

    [Fact]
    public void For_AnyBudgetAndWindow_Meets_Specification()
    {
        Gen<(SelectionBudget Budget, int Rows, int Full)> inputs =
            from isShare in Gen.Elements(true, false)
            from thousandths in Gen.Choose(1, 1000)
            from full in Gen.Choose(1, SelectionOptions.MaxWindowSize)
            from rows in Gen.Choose(1, full)
            select (isShare ? SelectionBudget.Share(thousandths / 1000.0) : SelectionBudget.Rows(thousandths), rows, full);

        Properties.Hold(inputs, input =>
        {
            double exact = input.Budget.AsShare is double share ? share * input.Rows
                : input.Rows == input.Full ? input.Budget.AsRows!.Value : (double)input.Budget.AsRows!.Value * input.Rows / input.Full;
            int kept = input.Budget.For(input.Rows, input.Full);

            Assert.InRange(kept, 1, input.Rows);
            Assert.True(kept == 1 || kept == input.Rows || Math.Abs(kept - exact) <= 0.5, $"{kept} of {input.Rows}, exactly {exact}");
        });
    }

    [Fact]
    public void Default_IsTheDefaultShare()
    {
        SelectionBudget budget = default;

        Assert.Equal(SelectionBudget.Share(0.1), budget);
        Assert.Equal(0.1, budget.AsShare);
        Assert.Null(budget.AsRows);
        Assert.Equal(64, budget.For(640, 640));
    }

    [Fact]
    public void Implicit_Double_IsAShare()
    {
        SelectionBudget budget = 0.25;

        Assert.Equal(SelectionBudget.Share(0.25), budget);
        Assert.Equal("25 %", budget.ToString());
        Assert.Equal("64 rows", SelectionBudget.Rows(64).ToString());
    }

    [Theory]
    [InlineData(0.0, "0")]
    [InlineData(-0.5, "-0.5")]
    [InlineData(1.5, "1.5")]
    [InlineData(double.NaN, "NaN")]
    public void Share_OutOfRange_NamesRangeAndValue(double share, string value)
    {
        Assert.Equal(
            $"SelectionBudget.Share must be in (0, 1]. (Parameter 'Share'){Environment.NewLine}Actual value was {value}.",
            Assert.Throws<ArgumentOutOfRangeException>(() => SelectionBudget.Share(share)).Message);
    }

    [Fact]
    public void Rows_BelowOne_NamesBoundAndValue()
    {
        Assert.Equal(
            $"SelectionBudget.Rows must be at least 1. (Parameter 'Rows'){Environment.NewLine}Actual value was 0.",
            Assert.Throws<ArgumentOutOfRangeException>(() => SelectionBudget.Rows(0)).Message);
    }
}
