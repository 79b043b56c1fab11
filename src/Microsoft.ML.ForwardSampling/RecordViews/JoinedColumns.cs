using System.Globalization;
using Microsoft.ML.Data;
using Microsoft.ML.ForwardSampling.DataViews;
using Microsoft.ML.ForwardSampling.Records;

namespace Microsoft.ML.ForwardSampling.RecordViews;

/// <summary>The columns of joined records, and how each is read from one.</summary>
internal sealed class JoinedColumns
{
    private readonly DateTime _now;
    private readonly List<(DataViewSchema.DetachedColumn Column, Func<Func<JoinedRecord>, Delegate> Open)> _columns = [];

    private JoinedColumns(DateTime? now) => _now = now ?? TimeProvider.System.GetUtcNow().UtcDateTime;

    public IEnumerable<DataViewSchema.DetachedColumn> Detached => _columns.Select(c => c.Column);

    /// <summary>Key, statistics, label, record weight, age and model version.</summary>
    public static JoinedColumns WithLabel(JoinedRowsOptions options)
    {
        var columns = new JoinedColumns(options.Now);
        columns.Add<ulong>(ForwardColumns.Key, NumberDataViewType.UInt64, current => (ref ulong value) => value = current().Key);
        columns.AddStatistics(options.Task);
        columns.AddLabel(options);
        columns.AddProvenance();
        return columns;
    }

    /// <summary>Statistics, record weight, age and model version.</summary>
    public static JoinedColumns WithoutLabel(AttachRecordsOptions options)
    {
        var columns = new JoinedColumns(options.Now);
        columns.AddStatistics(options.Task);
        columns.AddProvenance();
        return columns;
    }

    /// <summary>Getters of all columns over the record that stands for the current row.</summary>
    public Delegate[] Open(Func<JoinedRecord> current) => [.. _columns.Select(c => c.Open(current))];

    private void AddStatistics(PredictionTask task)
    {
        AddSingle(ForwardColumns.Loss, r => r.Loss);
        AddSingle(ForwardColumns.GradientNorm, r => r.GradientNorm);
        if (task == PredictionTask.Regression)
        {
            AddSingle(ForwardColumns.Residual, r => r.Residual);
            return;
        }

        AddSingle(ForwardColumns.Margin, r => r.Margin);
        AddSingle(ForwardColumns.Entropy, r => r.Entropy);
    }

    private void AddProvenance()
    {
        AddSingle(ForwardColumns.RecordWeight, r => r.RecordWeight);
        AddSingle(ForwardColumns.Age, r => float.IsNaN(r.KeepingProbability) ? float.NaN
            : (float)Math.Max(0, (_now - r.ScoredAt).TotalSeconds));
        Add<ulong>(ForwardColumns.ModelVersion, NumberDataViewType.UInt64, current => (ref ulong value) => value = current().ModelVersion);
    }

    private void AddLabel(JoinedRowsOptions options)
    {
        string name = options.LabelColumnName;
        if (options.Task == PredictionTask.Regression)
        {
            AddSingle(name, r => r.Label);
            return;
        }

        if (options.Task == PredictionTask.Binary)
        {
            Add<bool>(name, BooleanDataViewType.Instance, current => (ref bool value) => value = ClassOf(current(), 2, name) == 1);
            return;
        }

        int classes = options.ClassCount;
        DataViewSchema.Annotations? annotations = null;
        if (options.ClassNames is { } names)
        {
            ReadOnlyMemory<char>[] texts = [.. names.Select(n => n.AsMemory())];
            var builder = new DataViewSchema.Annotations.Builder();
            builder.Add(KeyTexts.KeyValuesKind, new VectorDataViewType(TextDataViewType.Instance, classes),
                (ref VBuffer<ReadOnlyMemory<char>> destination) =>
            {
                VBufferEditor<ReadOnlyMemory<char>> editor = VBufferEditor.Create(ref destination, texts.Length);
                texts.CopyTo(editor.Values);
                destination = editor.Commit();
            });
            annotations = builder.ToAnnotations();
        }

        Add<uint>(name, new KeyDataViewType(typeof(uint), classes),
            current => (ref uint value) => value = (uint)ClassOf(current(), classes, name) + 1, annotations);
    }

    private void AddSingle(string name, Func<JoinedRecord, float> read)
        => Add<float>(name, NumberDataViewType.Single, current => (ref float value) => value = read(current()));

    private void Add<T>(string name, DataViewType type,
        Func<Func<JoinedRecord>, ValueGetter<T>> open, DataViewSchema.Annotations? annotations = null)
        => _columns.Add((new DataViewSchema.DetachedColumn(name, type, annotations), open));

    /// <summary>A label of a class that is not there means that rows of another model are read: no row of it could be right.</summary>
    private static int ClassOf(in JoinedRecord record, int classes, string column)
        => RecordLabel.IsClass(record.Label, classes)
            ? (int)record.Label
            : throw new InvalidOperationException(
                string.Create(CultureInfo.InvariantCulture,
                    $"Column '{column}': the joined record of key {record.Key} has label {record.Label}, and "
                + $"labels must be classes in [0, {classes}). Give the task and the number of classes of the model that made the records "
                + $"in {nameof(JoinedRowsOptions)}."));
}
