using Microsoft.ML.Data;
using Microsoft.ML.ForwardSampling.DataViews;
using Microsoft.ML.Runtime;

namespace Microsoft.ML.ForwardSampling.ForwardPass;

/// <summary>A trained model that also writes down what its forward pass says about each row.</summary>
/// <remarks>
/// <para>Adds, after the wrapped model's own columns, scalar Single columns: Loss, GradientNorm and Residual (regression) or Loss,
/// GradientNorm, Margin and Entropy (binary, multiclass); <see cref="Records.ForwardStatistics"/> has the formulas. All statistics of a row
/// are computed together, when the first of them is read; nothing is computed for a row of which none is read.</para>
/// <para>Around a network of this library, alone or as the last step of a pipeline, the wrapped model's columns end with
/// <see cref="ForwardColumns.ActivationNorm"/>, which the network computes when it is read; reading it alone counts no row.</para>
/// <para>Rows keep their order and count. As lazy and as parallel as the wrapped model. Immutable but for the counters of
/// <see cref="Report"/>: any number of threads may read from it at once.</para>
/// <para>Without the label column (usual where rows are served) the statistics that need no label are still filled and the others are
/// NaN.</para>
/// </remarks>
public sealed class ForwardRecordingTransformer : ITransformer, IDisposable
{
    private readonly IHost _host;
    private readonly bool _ownsInner;
    private readonly ITransformer _scorer; // the inner model, with the norm of its activations where it offers that
    private readonly RecordingCounters _counters;
    private int _disposed;

    internal ForwardRecordingTransformer(IHost host, ITransformer inner, bool ownsInner, ForwardRecordingOptions options)
    {
        _host = host;
        _ownsInner = ownsInner;
        _counters = new RecordingCounters(host);
        InnerTransformer = inner;
        _scorer = ActivationNorms.Of(inner, options.ActivationNormColumnName) ?? inner;
        Options = options;
    }

    /// <summary>The wrapped model.</summary>
    public ITransformer InnerTransformer { get; }

    /// <summary>What is recorded, and under which names.</summary>
    public ForwardRecordingOptions Options { get; }

    /// <summary>What was counted so far, over all data views, cursors and prediction engines of this transformer.</summary>
    public ForwardRecordingReport Report => _counters.Report;

    /// <summary>True if the wrapped model maps row by row, and so can serve a prediction engine.</summary>
    public bool IsRowToRowMapper => InnerTransformer.IsRowToRowMapper;

    /// <summary>The wrapped model's output schema and the statistics columns.</summary>
    /// <param name="inputSchema">Schema of the rows to score.</param>
    /// <returns>The columns of the wrapped model's output at their own indices, then the statistics.</returns>
    /// <exception cref="ArgumentOutOfRangeException">The score is missing, or score, probability or label has a wrong type.</exception>
    public DataViewSchema GetOutputSchema(DataViewSchema inputSchema)
    {
        ArgumentNullException.ThrowIfNull(inputSchema);
        return Bind(_scorer.GetOutputSchema(inputSchema), nameof(inputSchema)).OutputSchema;
    }

    /// <summary>Scores rows and records their statistics, lazily.</summary>
    /// <param name="input">Rows to score.</param>
    /// <returns>A view of the same rows in the same order.</returns>
    /// <exception cref="ArgumentOutOfRangeException">The score is missing, or score, probability or label has a wrong type.</exception>
    /// <exception cref="NotSupportedException">Called by ML.NET's ConvertToOnnx, which would leave statistics and network out.</exception>
    public IDataView Transform(IDataView input)
    {
        ArgumentNullException.ThrowIfNull(input);
        OnnxConversion.Refuse();
        IDataView scored = _scorer.Transform(input);
        ForwardStatisticsAppender appender = Bind(scored.Schema, nameof(input));
        if (!appender.HasLabel)
        {
            using IChannel channel = _host.Start("Transform");
            channel.Info(MessageSensitivity.None, RecordingMessages.NoLabelColumn(Options));
        }

        return new AppendedColumnsView(scored, appender);
    }

    /// <summary>Scores and records row by row, as prediction engines do.</summary>
    /// <param name="inputSchema">Schema of the rows to score.</param>
    /// <returns>A mapper over the wrapped model's own.</returns>
    /// <exception cref="ArgumentOutOfRangeException">The score is missing, or score, probability or label has a wrong type.</exception>
    /// <exception cref="InvalidOperationException"><see cref="IsRowToRowMapper"/> is false.</exception>
    public IRowToRowMapper GetRowToRowMapper(DataViewSchema inputSchema)
    {
        ArgumentNullException.ThrowIfNull(inputSchema);
        if (!IsRowToRowMapper)
            throw new InvalidOperationException(
                "The wrapped model does not map row by row, so there is no row-to-row mapper over it: IsRowToRowMapper says so.");
        IRowToRowMapper inner = _scorer.GetRowToRowMapper(inputSchema);
        return new AppendedColumnsMapper(inner, Bind(inner.OutputSchema, nameof(inputSchema)));
    }

    /// <summary>Disposes the wrapped model if Fit trained it; a model that was handed in trained stays its owner's.</summary>
    public void Dispose()
    {
        if (_ownsInner && Interlocked.Exchange(ref _disposed, 1) == 0)
            (InnerTransformer as IDisposable)?.Dispose();
    }

    /// <summary>The same recorder around another form of its model, which stays its owner's.</summary>
    internal ForwardRecordingTransformer Around(ITransformer inner) => new(_host, inner, ownsInner: false, Options);

    void ICanSaveModel.Save(ModelSaveContext ctx) => RecorderCarrier.Save(this, ctx);

    internal ForwardStatisticsAppender Bind(DataViewSchema scored, string parameter) => new(scored, Options, _counters, parameter);
}
