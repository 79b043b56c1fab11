using Microsoft.ML.ForwardSampling.Records;
using Microsoft.ML.ForwardSampling.RecordViews;

namespace Microsoft.ML.ForwardSampling;

public sealed partial class ForwardSamplingCatalog
{
    // Records

    /// <summary>Joined records as a data view: key, statistics, label, record weight, age and model version, for SelectRows, trainers that
    /// need no features, or a look at the data.</summary>
    /// <param name="rows">The joined records, from <see cref="LabelJoin.Run"/>, a <see cref="ForwardRecordJoin{TRecord}"/> or a database.
    /// Read anew by each cursor: give a sequence that gives the same rows each time, such as an array.</param>
    /// <param name="options">Task, label and moment; null: a regression.</param>
    /// <returns>A lazy view with the columns Forward.Key, Forward.Loss, Forward.GradientNorm, Forward.Margin and Forward.Entropy
    /// (regression: Forward.Residual), Label, Forward.RecordWeight, Forward.Age, Forward.ModelVersion. Row ids are positions.</returns>
    /// <exception cref="ArgumentNullException"><paramref name="rows"/> is null.</exception>
    /// <exception cref="ArgumentException">Options contradict each other.</exception>
    public IDataView LoadJoined(IEnumerable<JoinedRecord> rows, JoinedRowsOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(rows);
        options ??= new JoinedRowsOptions();
        options.Validate();
        return new JoinedRowsView(rows, options);
    }

    /// <summary>Joins the statistics of recorded rows onto a data view of the rows themselves, by key, so that SelectRows works on
    /// it.</summary>
    /// <param name="rows">The rows, with their features and labels.</param>
    /// <param name="keyColumn">Column of <paramref name="rows"/> that holds the key: any integer type (its 64 bits), Key, or text that
    /// <see cref="RecordKey.FromString(ReadOnlySpan{char})"/> turns into one.</param>
    /// <param name="joined">The joined records. Read once, now, and held: 76 bytes each, up to twice that when the sequence does not know
    /// its length.</param>
    /// <param name="options">Task, and what happens to rows without a record; null: a regression, and they are left out.</param>
    /// <returns>A lazy view of the rows' columns and the record's: statistics, record weight, age and model version.</returns>
    /// <exception cref="ArgumentNullException">An argument is null.</exception>
    /// <exception cref="ArgumentOutOfRangeException">The key column is missing or has a wrong type.</exception>
    /// <example><code>
    /// AttachedRows recorded = fs.AttachForwardRecords(rows, "VisitId", joined, new AttachRecordsOptions { Task = PredictionTask.Binary });
    /// SelectedRows chosen = fs.SelectRows(recorded, new BalancedGradientNormPolicy());
    /// </code></example>
    public AttachedRows AttachForwardRecords(IDataView rows, string keyColumn,
        IEnumerable<JoinedRecord> joined, AttachRecordsOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(rows);
        ArgumentNullException.ThrowIfNull(keyColumn);
        ArgumentNullException.ThrowIfNull(joined);
        return new AttachedRows(rows, keyColumn, joined, options ?? new AttachRecordsOptions());
    }

    /// <summary>The labels in a data view, for <see cref="LabelJoin.Run"/> or a <see cref="LabelJoiner{TRecord}"/>.</summary>
    /// <param name="view">Rows with a key and a label.</param>
    /// <param name="keyColumn">Column of the key: any integer type (its 64 bits), Key, or text that
    /// <see cref="RecordKey.FromString(ReadOnlySpan{char})"/> turns into one.</param>
    /// <param name="labelColumn">Column of the label: Single (as it is), Boolean (true is 1), or Key of any width (the class from 0; a
    /// missing key is NaN, a malformed label).</param>
    /// <param name="time">When these labels became known; left out, they count as of the first record.</param>
    /// <param name="keySecret">Secret with which keys that are texts are hashed, 16 bytes or more; left out, none.</param>
    /// <returns>A lazy sequence: each enumeration reads the view once.</returns>
    /// <exception cref="ArgumentNullException">An argument is null.</exception>
    /// <exception cref="ArgumentOutOfRangeException">A column is missing or has a wrong type.</exception>
    /// <exception cref="ArgumentException"><paramref name="time"/> is neither UTC nor local.</exception>
    public IEnumerable<LabelEvent> LabelsOf(IDataView view, string keyColumn, string labelColumn, DateTime time = default,
        ReadOnlyMemory<byte> keySecret = default)
    {
        ArgumentNullException.ThrowIfNull(view);
        ArgumentNullException.ThrowIfNull(keyColumn);
        ArgumentNullException.ThrowIfNull(labelColumn);
        return new LabelsOfView(view, keyColumn, labelColumn, time, keySecret);
    }

    /// <summary>The labels in a data view, each with the time at which it became known, for <see cref="LabelJoin.Run"/> or a
    /// <see cref="LabelJoiner{TRecord}"/>.</summary>
    /// <param name="view">Rows with a key, a label and a time, in order of time within <see cref="LabelJoinOptions.Lateness"/>.</param>
    /// <param name="keyColumn">Column of the key: any integer type (its 64 bits), Key, or text that
    /// <see cref="RecordKey.FromString(ReadOnlySpan{char})"/> turns into one.</param>
    /// <param name="labelColumn">Column of the label: Single (as it is), Boolean (true is 1), or Key of any width (the class from 0; a
    /// missing key is NaN, a malformed label).</param>
    /// <param name="timeColumn">Column of the time: DateTimeOffset, or DateTime, local or UTC; one of neither kind counts as UTC, because
    /// ML.NET's files and text loaders keep no kind.</param>
    /// <param name="keySecret">Secret with which keys that are texts are hashed, 16 bytes or more; left out, none.</param>
    /// <returns>A lazy sequence: each enumeration reads the view once, and throws <see cref="InvalidOperationException"/> at a row without
    /// a time.</returns>
    /// <exception cref="ArgumentNullException">An argument is null.</exception>
    /// <exception cref="ArgumentOutOfRangeException">A column is missing or has a wrong type.</exception>
    public IEnumerable<LabelEvent> LabelsOf(IDataView view, string keyColumn, string labelColumn, string timeColumn,
        ReadOnlyMemory<byte> keySecret = default)
    {
        ArgumentNullException.ThrowIfNull(view);
        ArgumentNullException.ThrowIfNull(keyColumn);
        ArgumentNullException.ThrowIfNull(labelColumn);
        ArgumentNullException.ThrowIfNull(timeColumn);
        return new LabelsOfView(view, keyColumn, labelColumn, timeColumn, keySecret);
    }

    /// <summary>The keys and weights of selected rows, for who stores the selection. Reads the view once, now, and only these two
    /// columns.</summary>
    /// <param name="selected">Selected rows, as <see cref="SelectRows"/> gives them.</param>
    /// <param name="keyColumn">Column of the rows' keys: any integer type (its 64 bits), Key, or text that
    /// <see cref="RecordKey.FromString(ReadOnlySpan{char})"/> turns into one. Left out, that of <see cref="LoadJoined"/>.</param>
    /// <param name="weightColumn">Column of their weights, Single. Left out, that of SelectRows.</param>
    /// <param name="keySecret">Secret with which keys that are texts are hashed, 16 bytes or more; left out, none.</param>
    /// <param name="cancellationToken">Ends the reading.</param>
    /// <returns>One a row, in order.</returns>
    /// <exception cref="ArgumentNullException">An argument is null.</exception>
    /// <exception cref="ArgumentOutOfRangeException">The key or weight column is missing or has a wrong type.</exception>
    /// <exception cref="InvalidOperationException">A row has no key.</exception>
    /// <exception cref="OperationCanceledException">Cancelled.</exception>
    /// <example><code>
    /// IDataView rows = fs.LoadJoined(window.Records, new JoinedRowsOptions { Task = PredictionTask.Binary });
    /// await window.CompleteAsync(fs.SelectedKeys(fs.SelectRows(rows, new BalancedGradientNormPolicy())));
    /// </code></example>
    public IReadOnlyList<SelectedKey> SelectedKeys(IDataView selected, string keyColumn = ForwardColumns.Key,
        string weightColumn = ForwardColumns.Weight, ReadOnlyMemory<byte> keySecret = default,
            CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(selected);
        ArgumentNullException.ThrowIfNull(keyColumn);
        ArgumentNullException.ThrowIfNull(weightColumn);
        return SelectedKeysOfView.Read(selected, keyColumn, weightColumn, keySecret, cancellationToken);
    }

    /// <summary>Appends a record for each row of a scored data view, while somebody reads it: serving and recording in one pass.</summary>
    /// <remarks>Every pass over the returned view appends again: read it once. For single predictions, append after <c>Predict</c>:
    /// <c>log.Append(BinaryRecord.FromScore(key, prediction.Score, modelVersion))</c>.</remarks>
    /// <typeparam name="TRecord">What the model predicts: <see cref="RegressionRecord"/>, <see cref="BinaryRecord"/> or
    /// <see cref="MulticlassRecord"/>.</typeparam>
    /// <param name="scored">Rows with a key and a model's score; a label is not needed.</param>
    /// <param name="writer">Where the records go, a <see cref="ForwardRecordLog{TRecord}"/> or another; it stays yours to dispose.</param>
    /// <param name="options">Columns, model version and share of the rows; left out, the defaults.</param>
    /// <returns>A lazy view of the same rows and columns.</returns>
    /// <exception cref="ArgumentNullException"><paramref name="scored"/> or <paramref name="writer"/> is null.</exception>
    /// <exception cref="ArgumentOutOfRangeException">Key or score is missing, or key, score or probability has a wrong type.</exception>
    /// <example><code>
    /// using var log = new ForwardRecordLog&lt;BinaryRecord&gt;("records/clicks");
    /// IDataView served = mlContext.ForwardSampling().RecordTo(model.Transform(visits), log, new RecordToOptions { KeyColumnName =
    /// "VisitId", ModelVersion = 12 }); foreach (Answer answer in mlContext.Data.CreateEnumerable&lt;Answer&gt;(served, reuseRowObject:
    /// true)) Send(answer);                                    // each row is recorded as it is read
    /// </code></example>
    public LoggedRows<TRecord> RecordTo<TRecord>(IDataView scored, IRecordWriter<TRecord> writer, RecordToOptions? options = null)
        where TRecord : struct, IForwardRecord<TRecord>
    {
        ArgumentNullException.ThrowIfNull(scored);
        ArgumentNullException.ThrowIfNull(writer);
        return new LoggedRows<TRecord>(scored, writer, options ?? new RecordToOptions(), nameof(scored));
    }

    /// <summary>Appends a record for each row of a scored data view, in one pass, and waits until they are safe.</summary>
    /// <typeparam name="TRecord">What the model predicts: <see cref="RegressionRecord"/>, <see cref="BinaryRecord"/> or
    /// <see cref="MulticlassRecord"/>.</typeparam>
    /// <param name="scored">Rows with a key and a model's score; a label is not needed.</param>
    /// <param name="writer">Where the records go, a <see cref="ForwardRecordLog{TRecord}"/> or another; it stays yours to dispose.</param>
    /// <param name="options">Columns, model version and share of the rows; left out, the defaults.</param>
    /// <param name="cancellationToken">Stops between two rows. What was appended before stays.</param>
    /// <returns>What was counted.</returns>
    /// <exception cref="ArgumentNullException"><paramref name="scored"/> or <paramref name="writer"/> is null.</exception>
    /// <exception cref="ArgumentOutOfRangeException">Key or score is missing, or key, score or probability has a wrong type.</exception>
    /// <exception cref="IOException">What the records go to refuses.</exception>
    /// <exception cref="OperationCanceledException">Cancelled.</exception>
    public LoggedRowsReport AppendRecords<TRecord>(IDataView scored, IRecordWriter<TRecord> writer, RecordToOptions? options = null,
        CancellationToken cancellationToken = default)
        where TRecord : struct, IForwardRecord<TRecord>
    {
        LoggedRows<TRecord> rows = RecordTo(scored, writer, options);
        using (DataViewRowCursor cursor = rows.GetRowCursor([]))
        {
            while (cursor.MoveNext())
                cancellationToken.ThrowIfCancellationRequested();
        }

        writer.Flush(cancellationToken);
        return rows.Report;
    }
}
