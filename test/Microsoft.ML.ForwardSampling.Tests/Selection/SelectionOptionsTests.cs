using Microsoft.ML.ForwardSampling.Selection;

namespace Microsoft.ML.ForwardSampling.Tests.Selection;

public sealed class SelectionOptionsTests
{
    [Fact]
    public void Defaults_ArePinnedAndValid()
    {
        var options = new SelectionOptions();

        Assert.Equal(
            "SelectionOptions { WindowSize = 640, Budget = 10 %, Seed = , StartState = , LossColumnName = Forward.Loss, GradientNormColumnName = Forward.GradientNorm, "
            + "MarginColumnName = Forward.Margin, EntropyColumnName = Forward.Entropy, ReferenceLossColumnName = Forward.ReferenceLoss, ActivationNormColumnName = Forward.ActivationNorm, GroupColumnName = , LabelColumnName = Label, "
            + "WeightColumnName = Forward.Weight, ExampleWeightColumnName = , MaximumRecordAge = , MinimumModelVersion = , OldRecords = Exclude, RecordHalfLife = , "
            + "AgeColumnName = Forward.Age, ModelVersionColumnName = Forward.ModelVersion }",
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
    [InlineData(nameof(SelectionOptions.LossColumnName))]
    [InlineData(nameof(SelectionOptions.GradientNormColumnName))]
    [InlineData(nameof(SelectionOptions.MarginColumnName))]
    [InlineData(nameof(SelectionOptions.EntropyColumnName))]
    [InlineData(nameof(SelectionOptions.ReferenceLossColumnName))]
    [InlineData(nameof(SelectionOptions.GroupColumnName))]
    [InlineData(nameof(SelectionOptions.AgeColumnName))]
    [InlineData(nameof(SelectionOptions.ModelVersionColumnName))]
    [InlineData(nameof(SelectionOptions.LabelColumnName))]
    [InlineData(nameof(SelectionOptions.WeightColumnName))]
    [InlineData(nameof(SelectionOptions.ExampleWeightColumnName))]
    public void ColumnName_Empty_NamesTheOption(string option)
    {
        var property = typeof(SelectionOptions).GetProperty(option)!;
        var thrown = Assert.Throws<System.Reflection.TargetInvocationException>(() => property.SetValue(new SelectionOptions(), " "));

        Assert.Equal($"SelectionOptions.{option} must be a name that is not empty. Got ' '. (Parameter '{option}')", Assert.IsType<ArgumentException>(thrown.InnerException).Message);
    }

    [Fact]
    public void ColumnName_Null_NamesTheOption()
    {
        Assert.Equal(
            "SelectionOptions.LossColumnName must be a name that is not empty. Got null. (Parameter 'LossColumnName')",
            Assert.Throws<ArgumentException>(() => new SelectionOptions { LossColumnName = null! }).Message);
    }

    [Fact]
    public void Validate_MoreRowsThanTheWindowHas_NamesBothNumbers()
    {
        Assert.Equal(
            "SelectionOptions.Budget keeps 1000 rows of each window, and SelectionOptions.WindowSize is 640: make the window at least as large as the budget. (Parameter 'Budget')",
            Assert.Throws<ArgumentException>(() => new SelectionOptions { Budget = SelectionBudget.Rows(1000) }.Validate()).Message);
        new SelectionOptions { Budget = SelectionBudget.Rows(640) }.Validate();
    }

    [Fact]
    public void Validate_OneColumnInTwoRoles_NamesBothOptionsAndTheColumn()
    {
        Assert.Equal(
            "SelectionOptions.LabelColumnName and SelectionOptions.ExampleWeightColumnName are both 'Label': each needs a column of its own. (Parameter 'ExampleWeightColumnName')",
            Assert.Throws<ArgumentException>(() => new SelectionOptions { ExampleWeightColumnName = "Label" }.Validate()).Message);
        new SelectionOptions { ExampleWeightColumnName = "Weight" }.Validate();
    }

    [Fact]
    public void Validate_GroupsOfTheLabel_AreFine_ALossAsItsOwnReferenceIsNot()
    {
        new SelectionOptions { GroupColumnName = "Label" }.Validate();
        Assert.Equal(
            "SelectionOptions.LossColumnName and SelectionOptions.ReferenceLossColumnName are both 'Forward.Loss': each needs a column of its own. (Parameter 'ReferenceLossColumnName')",
            Assert.Throws<ArgumentException>(() => new SelectionOptions { ReferenceLossColumnName = ForwardColumns.Loss }.Validate()).Message);
    }

    [Fact]
    public void RecordAge_ZeroOrNegative_NamesTheOptionAndTheValue()
    {
        Assert.Equal(
            $"SelectionOptions.MaximumRecordAge must be greater than 0. (Parameter 'MaximumRecordAge'){Environment.NewLine}Actual value was 00:00:00.",
            Assert.Throws<ArgumentOutOfRangeException>(() => new SelectionOptions { MaximumRecordAge = TimeSpan.Zero }).Message);
        Assert.Equal(
            $"SelectionOptions.RecordHalfLife must be greater than 0. (Parameter 'RecordHalfLife'){Environment.NewLine}Actual value was -00:00:01.",
            Assert.Throws<ArgumentOutOfRangeException>(() => new SelectionOptions { RecordHalfLife = TimeSpan.FromSeconds(-1) }).Message);
    }

    [Fact]
    public void ForwardColumns_AreAFormat()
    {
        // Names stand in users' pipelines and saved models: they do not change.
        Assert.Equal(
            ["Forward.Loss", "Forward.GradientNorm", "Forward.Margin", "Forward.Entropy", "Forward.Residual", "Forward.Weight"],
            [ForwardColumns.Loss, ForwardColumns.GradientNorm, ForwardColumns.Margin, ForwardColumns.Entropy, ForwardColumns.Residual, ForwardColumns.Weight]);
        Assert.Equal(["Forward.ReferenceLoss", "Forward.Age", "Forward.ModelVersion"], [ForwardColumns.ReferenceLoss, ForwardColumns.Age, ForwardColumns.ModelVersion]);
    }
}
