using Microsoft.ML.Data;
using Microsoft.ML.ForwardSampling.DataViews;
using Microsoft.ML.Runtime;

namespace Microsoft.ML.ForwardSampling.Selection;

/// <summary>The rows of a recorded data view that a policy selects, in their order, with their weights: what SelectRows returns.</summary>
/// <remarks>
/// <para>Lazy. Each pass opens two cursors: one reads the statistics of a window, the policy decides, the other moves over the same window
/// and shows the chosen rows. The getters of a skipped row are never called; what its source does while moving over it (parsing a line of
/// text, decoding a block) is still paid. The input is therefore read twice: statistics that were recorded are cheap to read, statistics
/// that a model would have to compute anew belong behind <c>mlContext.Data.Cache</c>.</para>
/// <para>Every pass selects the same rows: same seed, same order. The input must be repeatable; a row that differs between the two cursors
/// stops the pass with an error. Shuffling is refused (<see cref="CanShuffle"/> is false, a generator is ignored), since another order
/// would be another selection: shuffle before or behind. A trainer that reads many times reads the whole input each time: put
/// <c>mlContext.Data.Cache</c> behind, or use SelectThen, which does.</para>
/// <para>The weight is the policy's, times the row's own where <see cref="SelectionOptions.ExampleWeightColumnName"/> names one, times
/// <see cref="ForwardColumns.RecordWeight"/> where the input has it (its records were thinned), times the weight of an earlier selection
/// where the input has that; each once. So a second selection of selected rows, or one of thinned records, stays unbiased.</para>
/// <para>One cursor at a time is served by one thread, and cursors are independent of each other; the view may be used by several
/// threads.</para>
/// </remarks>
public sealed class SelectedRows : IDataView
{
    private readonly IHost _host;
    private readonly IDataView _source;
    private readonly SelectionColumns _columns;
    private volatile RowSelectorState? _state;
    private int _saidRepaired;
    private int _saidOld;

    internal SelectedRows(IHost host, IDataView source, IRowSelectionPolicy policy, SelectionOptions options, int seed)
    {
        options.Validate();
        SelectionErrors.CheckFilterCanRun(policy);
        SelectionColumns.Check(name => ColumnFacts.Find(source.Schema, name), policy.Needs, options.Columns, options.LabelColumnName,
            options.Limits, nameof(SelectionOptions), "input");
        SelectionColumns.CheckExampleWeight(name => ColumnFacts.Find(source.Schema, name), options.ExampleWeightColumnName,
            nameof(SelectionOptions), "input");
        _columns = SelectionColumns.Bind(source.Schema, policy.Needs, options.Columns, options.LabelColumnName, options.Limits);
        _host = host;
        _source = source;
        Policy = policy;
        Options = options;
        Seed = seed;
        StartSelector(); // a start state of another policy is refused here, not at the first pass

        var builder = new DataViewSchema.Builder();
        builder.AddColumns(source.Schema);
        (RowWeights, DataViewSchema.Annotations weightOf) = Selection.RowWeights.Find(source.Schema, options.ExampleWeightColumnName,
            options.WeightColumnName);
        builder.AddColumn(options.WeightColumnName, NumberDataViewType.Single, weightOf);
        Schema = builder.ToSchema();
    }

    /// <summary>The rule that selects.</summary>
    public IRowSelectionPolicy Policy { get; }

    /// <summary>Window, budget and columns.</summary>
    public SelectionOptions Options { get; }

    /// <summary>The seed that every pass starts from: <see cref="SelectionOptions.Seed"/>, or one drawn from the MLContext when the view
    /// was made. Not used with a <see cref="SelectionOptions.StartState"/>.</summary>
    public int Seed { get; }

    /// <summary>What the last completed pass counted; null until a cursor has been read to its end.</summary>
    public SelectionReport? Report => _state?.Report;

    /// <summary>The selector at the end of the last completed pass; null until a cursor has been read to its end. The
    /// <see cref="SelectionOptions.StartState"/> of the next chunk.</summary>
    /// <remarks>To tell the policy a validation loss in between: <c>var selector = new RowSelector(policy, rows.State);
    /// selector.ReportValidation(loss);</c> and go on from <c>selector.State</c>.</remarks>
    public RowSelectorState? State => _state;

    /// <summary>The input's columns at their own indices, then the weight: scalar Single, > 0. It hides an older column of its
    /// name, which is in it where that was an earlier selection's.</summary>
    public DataViewSchema Schema { get; }

    /// <summary>The input's columns by which a policy's weight is multiplied.</summary>
    internal DataViewSchema.Column[] RowWeights { get; }

    /// <summary>False: another order would be another selection.</summary>
    public bool CanShuffle => false;

    /// <summary>The exact number of selected rows where the input knows its own and none is left out for its age, else null.</summary>
    /// <returns>Sum of the windows' budgets.</returns>
    public long? GetRowCount()
    {
        if (Options.Limits is { AreSet: true, OldRecords: OldRecords.Exclude } || _source.GetRowCount() is not { } count)
            return null;
        (long full, long rest) = Math.DivRem(count, Options.WindowSize);
        long selected = full * Options.Budget.For(Options.WindowSize, Options.WindowSize);
        return rest == 0 ? selected : selected + Options.Budget.For((int)rest, Options.WindowSize);
    }

    /// <summary>Opens a pass over the selected rows.</summary>
    /// <param name="columnsNeeded">Columns to read; only these are active.</param>
    /// <param name="rand">Ignored: the order is the input's.</param>
    /// <returns>A cursor whose position counts selected rows; id and batch are the input's.</returns>
    public DataViewRowCursor GetRowCursor(IEnumerable<DataViewSchema.Column> columnsNeeded, Random? rand = null)
    {
        var active = new ActiveColumns(_source.Schema, Schema, columnsNeeded);
        bool weightActive = active.AnyAdded;
        bool[] needed = active.CopyPassedThrough();
        foreach (DataViewSchema.Column rowWeight in weightActive ? RowWeights : [])
            needed[rowWeight.Index] = true;

        // The chosen rows' statistics are read once more beside their values: they must be those by which the rows were chosen.
        foreach ((_, DataViewSchema.Column statistic) in _columns.Statistics)
            needed[statistic.Index] = true;
        DataViewRowCursor statistics = OpenLazily(_source, _columns.All);
        try
        {
            DataViewRowCursor data = OpenLazily(_source, ActiveColumns.Choose(_source.Schema, needed));
            try
            {
                return new SelectedRowsCursor(this, active, statistics, _columns, data);
            }
            catch
            {
                data.Dispose();
                throw;
            }
        }
        catch
        {
            statistics.Dispose();
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

    /// <summary>A selector as every pass starts with it.</summary>
    internal RowSelector StartSelector() => Options.StartState is { } state ? new RowSelector(Policy, state)
        : new RowSelector(Policy, Seed);

    /// <summary>Takes the counts and the state of a pass that reached the end.</summary>
    internal void Complete(RowSelectorState state)
    {
        _state = state;
        SelectionReport report = state.Report;
        if (report.RepairedRows > 0 && Interlocked.Exchange(ref _saidRepaired, 1) == 0)
        {
            using IChannel channel = _host.Start("Select");
            channel.Warning(
                MessageSensitivity.None,
                "{0} of {1} rows have a statistic that is NaN or infinite; it counted as its window's mean. RecordForwardPass leaves NaN "
                    + "where the label or a usable score is missing.",
                report.RepairedRows,
                report.RowsSeen);
        }

        if (report.ExcludedRows + report.DiscountedRows > 0 && Interlocked.Exchange(ref _saidOld, 1) == 0)
        {
            using IChannel channel = _host.Start("Select");
            channel.Info(
                MessageSensitivity.None,
                "{0} of {1} rows have a record that is too old; they were {2}.",
                report.ExcludedRows + report.DiscountedRows,
                report.RowsSeen + report.ExcludedRows,
                report.ExcludedRows > 0 ? "left out" : "discounted");
        }
    }

    /// <summary>A cursor that evaluates nothing ahead: GetRowCursor of ML.NET's mapping transforms would evaluate all rows in parallel,
    /// skipped ones too.</summary>
    internal static DataViewRowCursor OpenLazily(IDataView source, IEnumerable<DataViewSchema.Column> columns)
    {
        DataViewRowCursor[] cursors = source.GetRowCursorSet(columns, 1);
        if (cursors.Length == 1)
            return cursors[0];
        foreach (DataViewRowCursor cursor in cursors)
            cursor.Dispose();
        throw new InvalidOperationException(
            $"The input returned {cursors.Length} cursors where one was asked for, so its rows have no single order to select in.");
    }
}
