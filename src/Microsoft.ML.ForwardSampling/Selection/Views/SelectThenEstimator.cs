using Microsoft.ML.Data;
using Microsoft.ML.ForwardSampling.DataViews;
using Microsoft.ML.Runtime;

namespace Microsoft.ML.ForwardSampling.Selection;

/// <summary>Trains any ML.NET trainer on selected rows only; scoring is the trainer's own.</summary>
/// <remarks>
/// <para><c>Fit</c> selects, caches the selected rows in memory and trains on them. What it returns is the trainer's transformer,
/// untouched: it scores every row, hold-out folds of CrossValidate stay complete, saving and prediction engines work as without
/// selection.</para>
/// <para>Input columns: the statistics that the policy needs, and the trainer's. During training there is also
/// the weight column (<see cref="SelectionOptions.WeightColumnName"/>): name it as the trainer's <c>exampleWeightColumnName</c>, or the
/// selection is biased towards what the policy prefers.</para>
/// <para>A pipeline can be given instead of a trainer; its normalisers and dictionaries then see the selected rows only. Put what should
/// see all rows before the recording.</para>
/// </remarks>
/// <typeparam name="TTransformer">What the wrapped trainer returns.</typeparam>
public sealed class SelectThenEstimator<TTransformer> : IEstimator<TTransformer>, IPromisesActivationNorm
    where TTransformer : class, ITransformer
{
    private readonly IHost _host;
    private readonly IEstimator<TTransformer> _trainer;
    private readonly int _seed;
    private volatile RowSelectorState? _lastState;

    internal SelectThenEstimator(IHostEnvironment environment, IRowSelectionPolicy policy,
        IEstimator<TTransformer> trainer, SelectionOptions options)
    {
        options.Validate();
        SelectionErrors.CheckFilterCanRun(policy);
        _host = environment.Register("ForwardSampling.SelectThen");
        _trainer = trainer;
        _seed = options.Seed ?? _host.Rand.Next();
        Policy = policy;
        Options = options;
    }

    bool IPromisesActivationNorm.PromisesActivationNorm => ActivationNorms.ArePromisedBy(_trainer);

    /// <summary>The rule that selects.</summary>
    public IRowSelectionPolicy Policy { get; }

    /// <summary>Window, budget and columns.</summary>
    public SelectionOptions Options { get; }

    /// <summary>What the selection of the last completed Fit counted; null before the first.</summary>
    public SelectionReport? LastReport => _lastState?.Report;

    /// <summary>The selector at the end of the last completed Fit; null before the first. The <see cref="SelectionOptions.StartState"/> of
    /// the next chunk's estimator.</summary>
    public RowSelectorState? LastState => _lastState;

    /// <summary>Selects rows and trains on them.</summary>
    /// <param name="input">Recorded rows.</param>
    /// <returns>The trainer's transformer.</returns>
    /// <exception cref="ArgumentOutOfRangeException">A statistics column is missing or has a wrong type.</exception>
    /// <exception cref="OperationCanceledException">Something upstream was cancelled; never wrapped, whatever the trainer made of
    /// it.</exception>
    public TTransformer Fit(IDataView input)
    {
        ArgumentNullException.ThrowIfNull(input);
        var selected = new SelectedRows(_host, input, Policy, Options, _seed);
        try
        {
            TTransformer model = _trainer.Fit(Cache(selected));
            _lastState = selected.State;
            Log(selected.Report);
            return model;
        }
        catch (Exception e)
        {
            WorkerExceptions.ThrowIfCancelled(e);
            throw;
        }
    }

    /// <summary>The trainer's output shape; the weight exists during training only.</summary>
    /// <param name="inputSchema">Shape of the recorded rows.</param>
    /// <returns>The shape of scored rows.</returns>
    /// <exception cref="ArgumentOutOfRangeException">A statistics column is missing or has a wrong type.</exception>
    public SchemaShape GetOutputSchema(SchemaShape inputSchema)
    {
        ArgumentNullException.ThrowIfNull(inputSchema);
        SelectionColumns.Check(name => ColumnFacts.Find(inputSchema, name), Policy.Needs, Options.Columns, Options.LabelColumnName,
            Options.Limits, nameof(SelectionOptions), nameof(inputSchema));
        SelectionColumns.CheckExampleWeight(name => ColumnFacts.Find(inputSchema, name), Options.ExampleWeightColumnName,
            nameof(SelectionOptions), nameof(inputSchema));
        var weight = new DataViewSchema.DetachedColumn(Options.WeightColumnName, NumberDataViewType.Single);
        SchemaShape trained = _trainer.GetOutputSchema(Shapes.Append(inputSchema, Shapes.Of([weight])));
        SchemaShape scored = Shapes.Without(trained, Options.WeightColumnName);
        return Shapes.Find(inputSchema, Options.WeightColumnName) is { } own ? Shapes.Append(scored, [own]) : scored;
    }

    /// <summary>Keeps the selected rows in memory, column by column as the trainer asks for them: without it every pass of the trainer
    /// reads the whole input again.</summary>
    private IDataView Cache(SelectedRows selected)
    {
        // On a context of our own: a component more on the user's would move the seeds of what comes after.
        IDataView cached = PrivateContext.Instance.Data.Cache(selected);
        if (selected.Schema.All(column => ColumnBuffer.CanCopy(column.Type)))
            return cached;

        // Cache leaves out columns that cannot be copied (images, custom types). That is fine unless the trainer needs one.
        try
        {
            _trainer.GetOutputSchema(Shapes.Of(cached.Schema));
            return cached;
        }
        catch (Exception e) when (e is not OperationCanceledException)
        {
            using IChannel channel = _host.Start("Fit");
            channel.Warning(MessageSensitivity.None,
                "The trainer needs a column that cannot be cached, so each of its passes reads and selects from the whole input again.");
            return selected;
        }
    }

    private void Log(SelectionReport? report)
    {
        if (report is null)
            return;
        using IChannel channel = _host.Start("Fit");
        channel.Info(
            MessageSensitivity.None,
            "{0} selected {1} of {2} rows in {3} windows; mean weight {4:0.###}, largest {5:0.###}.",
            Policy.Name,
            report.RowsSelected,
            report.RowsSeen,
            report.Windows,
            report.MeanWeight,
            report.LargestWeight);
    }
}
