using Microsoft.ML.Data;
using Microsoft.ML.ForwardSampling.DataViews;
using Microsoft.ML.Runtime;

namespace Microsoft.ML.ForwardSampling.Selection;

/// <summary>The rows of a recorded data view that a policy selects when the whole view is one window, however long: what SelectRowsStreamed
/// returns.</summary>
/// <remarks>
/// <para>Memory does not grow with the rows: a few hundred kilobytes to two megabytes (LossStratified: some hundred bytes for each class
/// and 128th of a binade of the loss that occurs). In return the statistics are read several times: one to three passes before the first
/// selected row, once for the view and not for every cursor; then one cursor reads statistics, decides row by row, and shows the chosen
/// rows. The getters of other columns are never called for a skipped row.</para>
/// <para>The budget is exact and each row has the chance and the weight that the policy would give it in a window of all rows. What differs
/// is which rows come together, since a stream has no order by loss: GradientNorm and BalancedGradientNorm draw systematically in the order
/// of the stream (shuffle before a stream with a period), LossStratified takes a loss to its 128th of a binade (0.8 %), and draws evenly
/// within it.</para>
/// <para>MeanMatching, Cube and SelectiveBackprop choose a row by looking at the others, so they have no such form: use windows. A policy
/// of your own says how it streams by <see cref="IRowSelectionPolicy.NewStreamedPlan"/>.</para>
/// <para>Every pass selects the same rows. The input must be repeatable: the ids and the statistics of all rows are compared from pass to
/// pass, bit for bit, as one number, and a pass that differs ends with an error before it is reported. Where scores differ in their last
/// digits from time to time, as on some GPUs, keep the statistics (<c>mlContext.Data.Cache</c> with the columns' names).</para>
/// </remarks>
public sealed class StreamedRows : IDataView
{
    private readonly IHost _host;
    private readonly IDataView _source;
    private readonly Lazy<StreamedPlan> _plan;
    private volatile SelectionReport? _report;
    private int _saidRepaired;

    internal StreamedRows(IHost host, IDataView source, IRowSelectionPolicy policy, StreamedSelectionOptions options, int seed)
    {
        options.Validate();
        RecordStatistics needs = SelectionErrors.RequirePlan(policy).Needs;
        SelectionColumns.Check(name => ColumnFacts.Find(source.Schema, name), needs, options.Columns, options.LabelColumnName,
            new RecordLimits(), nameof(StreamedSelectionOptions), "input");
        SelectionColumns.CheckExampleWeight(name => ColumnFacts.Find(source.Schema, name), options.ExampleWeightColumnName,
            nameof(StreamedSelectionOptions), "input");
        Columns = SelectionColumns.Bind(source.Schema, needs, options.Columns, options.LabelColumnName, new RecordLimits());
        _host = host;
        _source = source;
        Policy = policy;
        Options = options;
        Seed = seed;
        _plan = new Lazy<StreamedPlan>(Scan);

        var builder = new DataViewSchema.Builder();
        builder.AddColumns(source.Schema);
        (RowWeights, DataViewSchema.Annotations weightOf) = Selection.RowWeights.Find(source.Schema, options.ExampleWeightColumnName,
            options.WeightColumnName);
        builder.AddColumn(options.WeightColumnName, NumberDataViewType.Single, weightOf);
        Schema = builder.ToSchema();
    }

    /// <summary>The rule that selects.</summary>
    public IRowSelectionPolicy Policy { get; }

    /// <summary>Budget and columns.</summary>
    public StreamedSelectionOptions Options { get; }

    /// <summary>The seed that every pass starts from: <see cref="StreamedSelectionOptions.Seed"/>, or one drawn from the MLContext when the
    /// view was made.</summary>
    public int Seed { get; }

    /// <summary>What the last completed pass counted, as one window; null until a cursor has been read to its end.</summary>
    public SelectionReport? Report => _report;

    /// <summary>The input's columns at their own indices, then the weight: scalar Single, > 0, as <see cref="SelectedRows"/> has it. It
    /// hides an older column of its name.</summary>
    public DataViewSchema Schema { get; }

    /// <summary>False: another order would be another selection.</summary>
    public bool CanShuffle => false;

    /// <summary>The exact number of selected rows where the input knows its own, else null.</summary>
    /// <returns>The budget of all rows.</returns>
    public long? GetRowCount() => _source.GetRowCount() is { } count ? count == 0 ? 0 : Options.Budget.ForAll(count) : null;

    /// <summary>Opens a pass over the selected rows. The first row takes the passes over the statistics, unless another cursor has made
    /// them.</summary>
    /// <param name="columnsNeeded">Columns to read; only these are active.</param>
    /// <param name="rand">Ignored: the order is the input's.</param>
    /// <returns>A cursor whose position counts selected rows; id and batch are the input's.</returns>
    public DataViewRowCursor GetRowCursor(IEnumerable<DataViewSchema.Column> columnsNeeded, Random? rand = null)
    {
        var active = new ActiveColumns(_source.Schema, Schema, columnsNeeded);
        bool[] needed = active.CopyPassedThrough();
        foreach (DataViewSchema.Column rowWeight in active.AnyAdded ? RowWeights : [])
            needed[rowWeight.Index] = true;
        foreach (DataViewSchema.Column column in Columns.All)
            needed[column.Index] = true;
        DataViewRowCursor cursor = SelectedRows.OpenLazily(_source, ActiveColumns.Choose(_source.Schema, needed));
        try
        {
            return new StreamedRowsCursor(this, active, cursor);
        }
        catch
        {
            cursor.Dispose();
            throw;
        }
    }

    /// <summary>One cursor, whatever <paramref name="n"/> is: the selection is one ordered pass.</summary>
    /// <param name="columnsNeeded">Columns to read; only these are active.</param>
    /// <param name="n">Ignored.</param>
    /// <param name="rand">Ignored: the order is the input's.</param>
    /// <returns>An array of length 1.</returns>
    public DataViewRowCursor[] GetRowCursorSet(IEnumerable<DataViewSchema.Column> columnsNeeded, int n, Random? rand = null)
        => [GetRowCursor(columnsNeeded, rand)];

    /// <summary>The input's columns by which a policy's weight is multiplied.</summary>
    internal DataViewSchema.Column[] RowWeights { get; }

    /// <summary>What the passes over the statistics read.</summary>
    internal SelectionColumns Columns { get; }

    /// <summary>What the passes over the statistics found; the first caller makes them.</summary>
    internal StreamedPlan Plan => _plan.Value;

    /// <summary>Takes the counts of a pass that reached the end.</summary>
    internal void Complete(SelectionReport report)
    {
        _report = report;
        if (report.RepairedRows > 0 && Interlocked.Exchange(ref _saidRepaired, 1) == 0)
        {
            using IChannel channel = _host.Start("Select");
            channel.Warning(
                MessageSensitivity.None,
                "{0} of {1} rows have a statistic that is NaN or infinite; it counted as the mean of the others. RecordForwardPass "
                    + "leaves NaN where the label or a usable score is missing.",
                report.RepairedRows,
                report.RowsSeen);
        }
    }

    private StreamedPlan Scan()
    {
        StreamedPlan plan = SelectionErrors.RequirePlan(Policy);
        using (DataViewRowCursor cursor = SelectedRows.OpenLazily(_source, Columns.All))
        {
            var statistics = new StreamedStatistics(cursor, Columns);
            while (cursor.MoveNext())
                plan.Count(statistics.Recorded());
            plan.EndCount(Options.Budget, statistics.Fingerprint);
        }

        for (int pass = 0; pass < plan.Passes && plan.Rows > 0; pass++)
        {
            using DataViewRowCursor cursor = SelectedRows.OpenLazily(_source, Columns.All);
            var statistics = new StreamedStatistics(cursor, Columns);
            long rows = 0;
            for (; cursor.MoveNext(); rows++)
                plan.Observe(pass, statistics.Repaired(plan));
            plan.CheckPass(rows, statistics.Fingerprint);
            plan.EndPass(pass);
        }

        return plan;
    }
}
