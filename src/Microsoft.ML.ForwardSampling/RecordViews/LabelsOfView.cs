using System.Collections;
using System.Globalization;
using Microsoft.ML.Data;
using Microsoft.ML.ForwardSampling.DataViews;
using Microsoft.ML.ForwardSampling.Records;

namespace Microsoft.ML.ForwardSampling.RecordViews;

/// <summary>The labels in a data view, read anew by each enumeration.</summary>
internal sealed class LabelsOfView : IEnumerable<LabelEvent>
{
    private readonly IDataView _view;
    private readonly DataViewSchema.Column _key;
    private readonly DataViewSchema.Column _label;
    private readonly DataViewSchema.Column? _timeColumn;
    private readonly DateTime _time;
    private readonly ReadOnlyMemory<byte> _keySecret;

    /// <summary>Labels of one time.</summary>
    public LabelsOfView(IDataView view, string keyColumn, string labelColumn, DateTime time, ReadOnlyMemory<byte> keySecret)
        : this(view, keyColumn, labelColumn, keySecret)
        => _time = RecordTime.Checked(time);

    /// <summary>Labels each with its own time.</summary>
    public LabelsOfView(IDataView view, string keyColumn, string labelColumn, string timeColumn, ReadOnlyMemory<byte> keySecret)
        : this(view, keyColumn, labelColumn, keySecret)
    {
        new ColumnNeed("time", "DateTime or DateTimeOffset",
            "It holds when the row's label became known; leave it out, or give one time, if all became known at once.", nameof(view))
            .Require(ColumnFacts.Find(view.Schema, timeColumn), timeColumn,
                found => found.IsScalar && (found.ItemRawType == typeof(DateTime) || found.ItemRawType == typeof(DateTimeOffset)));
        _timeColumn = view.Schema[timeColumn];
    }

    private LabelsOfView(IDataView view, string keyColumn, string labelColumn, ReadOnlyMemory<byte> keySecret)
    {
        _keySecret = RowKeyColumn.CheckedSecret(keySecret, "", nameof(keySecret));
        _view = view;
        _key = RowKeyColumn.Check(view.Schema, keyColumn, nameof(view), keySecret);
        new ColumnNeed("label", "Boolean, Key or Single",
            "MapValueToKey makes a key of any label; a key's raw value less 1 is the class.", nameof(view))
            .Require(ColumnFacts.Find(view.Schema, labelColumn), labelColumn, found => ClassLabel.IsReadable(found));
        _label = view.Schema[labelColumn];
    }

    public IEnumerator<LabelEvent> GetEnumerator()
    {
        using DataViewRowCursor cursor = _view.GetRowCursor(_timeColumn is { } column ? [_key, _label, column] : [_key, _label]);
        Func<ulong?> key = RowKeyColumn.Open(cursor, _key, _keySecret);
        Func<float> label = OpenLabel(cursor);
        Func<DateTime>? time = _timeColumn is { } times ? OpenTime(cursor, times) : null;
        while (cursor.MoveNext())
        {
            ulong current = key() ?? RecordKey.FromString(""); // of no record: the join counts the label as one
            yield return new LabelEvent(current, label(), time is null ? _time : Known(time(), cursor.Position, current));
        }
    }

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();

    /// <summary>ML.NET reads a missing time as the year 1.</summary>
    private DateTime Known(DateTime time, long row, ulong key) => time.Ticks > 0
        ? time
        : throw new InvalidOperationException(
            string.Create(CultureInfo.InvariantCulture,
                $"Time column '{_timeColumn!.Value.Name}' has no value in row {row} (key {key}): each label must "
            + $"have the time at which it became known. Leave such rows out, or give one time for all labels."));

    private static Func<DateTime> OpenTime(DataViewRow row, DataViewSchema.Column column)
    {
        if (column.Type.RawType == typeof(DateTimeOffset))
        {
            ValueGetter<DateTimeOffset> offset = row.GetGetter<DateTimeOffset>(column);
            DateTimeOffset moment = default;
            return () =>
            {
                offset(ref moment);
                return moment.UtcDateTime;
            };
        }

        ValueGetter<DateTime> getter = row.GetGetter<DateTime>(column);
        DateTime time = default;
        return () =>
        {
            getter(ref time);
            return time.Kind == DateTimeKind.Unspecified ? DateTime.SpecifyKind(time, DateTimeKind.Utc) : time;
        };
    }

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
