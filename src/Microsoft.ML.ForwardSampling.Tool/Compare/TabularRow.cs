using Microsoft.ML.Data;

namespace Microsoft.ML.ForwardSampling.Tool.Compare;

/// <summary>One row of any data set; which of the three labels counts, the task says.</summary>
internal sealed class TabularRow
{
    /// <summary>The features, ready for a network.</summary>
    public float[] Features { get; set; } = [];

    /// <summary>Label of a regression, with mean 0 and standard deviation 1 over the training rows.</summary>
    public float Number { get; set; }

    /// <summary>Label of a binary problem.</summary>
    public bool Flag { get; set; }

    /// <summary>Label of a multiclass problem, counted from 0.</summary>
    [KeyType(2)]
    public uint Class { get; set; }

    /// <summary>Factor of the row's loss: 1, unless a policy gave another.</summary>
    [ColumnName(ForwardColumns.Weight)]
    public float Weight { get; set; } = 1;

    /// <summary>Loss under a network that has not learnt from the row; not a number where none is asked for.</summary>
    [ColumnName(ForwardColumns.ReferenceLoss)]
    public float ReferenceLoss { get; set; } = float.NaN;

    /// <summary>Loss under the network that recorded the row; not a number where none did.</summary>
    [ColumnName(ForwardColumns.Loss)]
    public float Loss { get; set; } = float.NaN;

    /// <summary>What that network missed a regression's label by, with its sign; not a number where none recorded the row.</summary>
    [ColumnName(ForwardColumns.Residual)]
    public float Residual { get; set; } = float.NaN;

    /// <summary>The row's texts as a page shows them; null for most rows of a large file.</summary>
    [NoColumn]
    public string[]? Cells { get; set; }

    /// <summary>Class of the row, counted from 0: false is 0 and true is 1; a regression has none, and says 0.</summary>
    public int ClassIndex => Flag ? 1 : (int)Class;

    /// <summary>The same row as a policy chose it; the features are shared.</summary>
    /// <param name="weight">Factor of its loss.</param>
    /// <param name="stratum">What batches are stratified by: the recorded residual of a regression, the recorded loss else.</param>
    public TabularRow AsChosen(float weight, float stratum) => new()
    {
        Features = Features,
        Number = Number,
        Flag = Flag,
        Class = Class,
        Weight = weight,
        Loss = stratum,
        Residual = stratum,
        Cells = Cells
    };

    /// <summary>The same row with its loss under another network; the features are shared.</summary>
    public TabularRow WithReferenceLoss(float loss) => new()
    { Features = Features, Number = Number, Flag = Flag, Class = Class, ReferenceLoss = loss, Cells = Cells };

    /// <summary>The same features with another row's label.</summary>
    public TabularRow WithLabelOf(TabularRow other) => new()
    { Features = Features, Number = other.Number, Flag = other.Flag, Class = other.Class, Cells = Cells };
}
