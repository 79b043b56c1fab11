using System.Runtime.InteropServices;
using System.Security.Cryptography;
using Microsoft.ML.Data;

namespace Microsoft.ML.ForwardSampling.Tool.Compare;

/// <summary>A data set, split and featurised, as the comparison reads it.</summary>
internal sealed record TabularData
{
    /// <summary>What tables call it.</summary>
    public required string Name { get; init; }

    /// <summary>What is predicted.</summary>
    public required PredictionTask Task { get; init; }

    /// <summary>Rows to train on, in the order of the source.</summary>
    public required IReadOnlyList<TabularRow> Training { get; init; }

    /// <summary>Rows to test on: never trained on, never used to fit the featurisation.</summary>
    public required IReadOnlyList<TabularRow> Test { get; init; }

    /// <summary>Names of the classes, in the order of their indices; empty for a regression.</summary>
    public IReadOnlyList<string> Classes { get; init; } = [];

    /// <summary>Units of the label in one unit of <see cref="TabularRow.Number"/>.</summary>
    public double LabelScale { get; init; } = 1;

    /// <summary>Names of <see cref="TabularRow.Cells"/>.</summary>
    public IReadOnlyList<string> CellNames { get; init; } = [];

    /// <summary>Pixels of a line, where the features of a row are a grey picture; else 0.</summary>
    public int PictureWidth { get; init; }

    /// <summary>What happened to rows and columns on the way, one sentence each.</summary>
    public IReadOnlyList<string> Notes { get; init; } = [];

    /// <summary>Those of the notes that name columns which give the label away.</summary>
    public IReadOnlyList<string> Leaks { get; init; } = [];

    /// <summary>What suits this data set where the options leave it open; null: by its size.</summary>
    public CompareDefaults? Defaults { get; init; }

    /// <summary>Features of a row.</summary>
    public int FeatureCount => Training[0].Features.Length;

    /// <summary>Rows as a data view with the columns Features and Label.</summary>
    /// <param name="mlContext">Makes it.</param>
    /// <param name="rows">The rows.</param>
    /// <param name="more">Further columns: Forward.Weight, Forward.ReferenceLoss, Forward.Loss, Forward.Residual.</param>
    public IDataView ToView(MLContext mlContext, IEnumerable<TabularRow> rows, params string[] more)
    {
        var schema = SchemaDefinition.Create(typeof(TabularRow));
        string label = Task switch
        {
            PredictionTask.Regression => nameof(TabularRow.Number),
            PredictionTask.Binary => nameof(TabularRow.Flag),
            _ => nameof(TabularRow.Class),
        };
        schema[nameof(TabularRow.Features)].ColumnType = new VectorDataViewType(NumberDataViewType.Single, FeatureCount);
        schema[nameof(TabularRow.Class)].ColumnType = new KeyDataViewType(typeof(uint), Math.Max(2, Classes.Count));
        schema.RemoveAll(column => column.MemberName != nameof(TabularRow.Features) && column.MemberName != label
            && !more.Contains(column.ColumnName));
        schema[label].ColumnName = "Label";
        return mlContext.Data.LoadFromEnumerable(rows, schema);
    }

    /// <summary>A number that changes with any value of any row: results of other data are not mixed with these.</summary>
    public string Fingerprint()
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        Span<byte> label = stackalloc byte[8];
        foreach (TabularRow row in Training.Concat(Test))
        {
            hash.AppendData(MemoryMarshal.AsBytes(row.Features.AsSpan()));
            BitConverter.TryWriteBytes(label, row.Number);
            BitConverter.TryWriteBytes(label[4..], row.ClassIndex);
            hash.AppendData(label);
        }

        hash.AppendData(BitConverter.GetBytes(LabelScale)); // the figures of a regression are in the label's own unit
        return Convert.ToHexString(hash.GetHashAndReset().AsSpan(0, 8));
    }
}

/// <summary>What the options leave open.</summary>
/// <param name="HiddenLayers">Units of each hidden layer.</param>
/// <param name="LearningRate">Adam's step size at the start.</param>
/// <param name="Passes">Times the stream brings every row.</param>
internal sealed record CompareDefaults(IReadOnlyList<int> HiddenLayers, double LearningRate, int Passes);
