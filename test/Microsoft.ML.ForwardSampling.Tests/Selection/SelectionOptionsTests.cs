using Microsoft.ML.ForwardSampling.Selection;

namespace Microsoft.ML.ForwardSampling.Tests.Selection;

public sealed class SelectionOptionsTests
{
    [Fact]
    public void Defaults_ArePinnedAndValid()
    {
        var options = new SelectionOptions();

        Assert.Equal(
            "SelectionOptions { WindowSize = 640, Budget = 10 %, Seed = , StartState = , Columns = StatisticColumns { Loss = "
                + "Forward.Loss, GradientNorm = Forward.GradientNorm, "
            + "Margin = Forward.Margin, Entropy = Forward.Entropy, ReferenceLoss = Forward.ReferenceLoss, ActivationNorm = "
                + "Forward.ActivationNorm, Group =  }, "
            + "Limits = RecordLimits { MaximumAge = , MinimumModelVersion = , OldRecords = Exclude, HalfLife = , AgeColumnName = "
                + "Forward.Age, ModelVersionColumnName = Forward.ModelVersion }, "
            + "LabelColumnName = Label, WeightColumnName = Forward.Weight, ExampleWeightColumnName =  }",
            options.ToString());
        options.Validate();
    }

    [Theory]
    [InlineData(0)]
    [InlineData(-1)]
    [InlineData(16777217)]
    public void WindowSize_OutOfRange_NamesRangeAndValue(int size)
    {
        Assert.Equal(
            $"SelectionOptions.WindowSize must be in [1, 16777216]. (Parameter 'WindowSize'){Environment.NewLine}Actual value was {size}.",
            Assert.Throws<ArgumentOutOfRangeException>(() => new SelectionOptions { WindowSize = size }).Message);
    }

    [Theory]
    [InlineData(typeof(SelectionOptions))]
    [InlineData(typeof(StreamedSelectionOptions))]
    [InlineData(typeof(StatisticColumns))]
    [InlineData(typeof(RecordLimits))]
    public void ColumnNames_Empty_NameTheOption(Type owner)
    {
        System.Reflection.PropertyInfo[] names = [.. owner.GetProperties().Where(property => property.PropertyType == typeof(string))];
        Assert.InRange(names.Length, 2, 10);
        foreach (System.Reflection.PropertyInfo property in names)
        {
            var thrown = Assert.Throws<System.Reflection.TargetInvocationException>(
                () => property.SetValue(Activator.CreateInstance(owner), " "));
            Assert.Equal($"{owner.Name}.{property.Name} must be a name that is not empty. Got ' '. (Parameter '{property.Name}')",
                Assert.IsType<ArgumentException>(thrown.InnerException).Message);
        }
    }

    [Fact]
    public void ColumnName_Null_NamesTheOption()
    {
        Assert.Equal(
            "StatisticColumns.Loss must be a name that is not empty. Got null. (Parameter 'Loss')",
            Assert.Throws<ArgumentException>(() => new StatisticColumns { Loss = null! }).Message);
    }

    [Fact]
    public void Validate_MoreRowsThanTheWindowHas_NamesBothNumbers()
    {
        Assert.Equal(
            "SelectionOptions.Budget keeps 1000 rows of each window, and SelectionOptions.WindowSize is 640: make the window at least as "
                + "large as the budget. (Parameter 'Budget')",
            Assert.Throws<ArgumentException>(() => new SelectionOptions { Budget = SelectionBudget.Rows(1000) }.Validate()).Message);
        new SelectionOptions { Budget = SelectionBudget.Rows(640) }.Validate();
    }

    [Fact]
    public void Validate_OneColumnInTwoRoles_NamesBothOptionsAndTheColumn()
    {
        Assert.Equal(
            "SelectionOptions.LabelColumnName and SelectionOptions.ExampleWeightColumnName are both 'Label': each needs a column of its "
                + "own. (Parameter 'ExampleWeightColumnName')",
            Assert.Throws<ArgumentException>(() => new SelectionOptions { ExampleWeightColumnName = "Label" }.Validate()).Message);
        new SelectionOptions { ExampleWeightColumnName = "Weight" }.Validate();
    }

    [Fact]
    public void Validate_GroupsOfTheLabel_AreFine_ALossAsItsOwnReferenceIsNot()
    {
        new SelectionOptions { Columns = new() { Group = "Label" } }.Validate();
        Assert.Equal(
            "StatisticColumns.Loss and StatisticColumns.ReferenceLoss are both 'Forward.Loss': each needs a column of its own. "
                + "(Parameter 'ReferenceLoss')",
            Assert.Throws<ArgumentException>(
                () => new SelectionOptions { Columns = new() { ReferenceLoss = ForwardColumns.Loss } }.Validate()).Message);
    }

    [Fact]
    public void RecordAge_ZeroOrNegative_NamesTheOptionAndTheValue()
    {
        Assert.Equal(
            $"RecordLimits.MaximumAge must be greater than 0. (Parameter 'MaximumAge'){Environment.NewLine}Actual value was 00:00:00.",
            Assert.Throws<ArgumentOutOfRangeException>(() => new RecordLimits { MaximumAge = TimeSpan.Zero }).Message);
        Assert.Equal(
            $"RecordLimits.HalfLife must be greater than 0. (Parameter 'HalfLife'){Environment.NewLine}Actual value was -00:00:01.",
            Assert.Throws<ArgumentOutOfRangeException>(() => new RecordLimits { HalfLife = TimeSpan.FromSeconds(-1) }).Message);
    }

    [Fact]
    public void ForwardColumns_AreAFormat()
    {
        // Names stand in users' pipelines and saved models: they do not change.
        Assert.Equal(
            ["Forward.Loss", "Forward.GradientNorm", "Forward.Margin", "Forward.Entropy", "Forward.Residual", "Forward.Weight"],
            [ForwardColumns.Loss, ForwardColumns.GradientNorm, ForwardColumns.Margin, ForwardColumns.Entropy, ForwardColumns.Residual,
                ForwardColumns.Weight]);
        Assert.Equal(["Forward.ReferenceLoss", "Forward.Age", "Forward.ModelVersion"],
            [ForwardColumns.ReferenceLoss, ForwardColumns.Age, ForwardColumns.ModelVersion]);
    }
}
