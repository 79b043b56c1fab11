using System.Collections;
using Microsoft.ML.Data;
using Microsoft.ML.ForwardSampling.DataViews;

namespace Microsoft.ML.ForwardSampling.Records;

/// <summary>The labels in a data view, read anew by each enumeration.</summary>
internal sealed class LabelsOfView : IEnumerable<LabelEvent>
{
    private readonly IDataView _view;
    private readonly DataViewSchema.Column _key;
    private readonly DataViewSchema.Column _label;
    private readonly DateTime _time;

    public LabelsOfView(IDataView view, string keyColumn, string labelColumn, DateTime time)
    {
        const string Expected = "Boolean, Key or Single", Advice = "MapValueToKey makes a key of any label; a key's raw value less 1 is the class.";
        _view = view;
        _key = RowKeyColumn.Check(view.Schema, keyColumn, nameof(view));
        if (ColumnFacts.Find(view.Schema, labelColumn) is not { } label)
            throw SchemaErrors.Missing("label", labelColumn, Expected, Advice, nameof(view));
        if (!ClassLabel.IsReadable(label))
            throw SchemaErrors.Mismatch("label", label, Expected, Advice, nameof(view));
        _label = view.Schema[labelColumn];
        _time = RecordTime.Checked(time);
    }

    public IEnumerator<LabelEvent> GetEnumerator()
    {
        using DataViewRowCursor cursor = _view.GetRowCursor([_key, _label]);
        Func<ulong> key = RowKeyColumn.Open(cursor, _key);
        Func<float> label = OpenLabel(cursor);
        while (cursor.MoveNext())
            yield return new LabelEvent(key(), label(), _time);
    }

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();

    private Func<float> OpenLabel(DataViewRow row)
    {
        if (_label.Type is NumberDataViewType)
        {
            ValueGetter<float> getter = row.GetGetter<float>(_label);
            float value = 0;
            return () =>
            {
                getter(ref value);
                return value;
            };
        }

        Func<int> label = ClassLabel.Open(row, _label);
        return () => label() is var y && y >= 0 ? y : float.NaN;   // a missing key is no label: the joiner voids its row
    }
}
