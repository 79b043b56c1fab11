using Microsoft.ML.Data;
using Microsoft.ML.ForwardSampling.DataViews;
using Microsoft.ML.Runtime;

namespace Microsoft.ML.ForwardSampling.ForwardPass;

/// <summary>Wraps a trainer, a pipeline or a trained model so that scoring also records each row's statistics.</summary>
/// <remarks>
/// <para>Input columns: those of the wrapped model, and the label where it exists. Output columns: the wrapped model's, then scalar
/// Singles:</para>
/// <list type="table">
/// <listheader><term>Task</term><description>Columns (names are options)</description></listheader>
/// <item><term>Regression</term><description>Forward.Loss (s − y)², Forward.GradientNorm 2·|s − y|, Forward.Residual s −
/// y</description></item>
/// <item><term>Binary</term><description>Forward.Loss −ln p(y), Forward.GradientNorm |p − y|, Forward.Margin |2p − 1|,
/// Forward.Entropy</description></item>
/// <item><term>Multiclass</term><description>Forward.Loss −ln p[y], Forward.GradientNorm √(Σp² − 2·p[y] + 1), Forward.Margin p(1) − p(2),
/// Forward.Entropy</description></item>
/// </list>
/// <para>Around a network of this library, alone or as the last step of a pipeline, also Forward.ActivationNorm ‖h‖
/// (<see cref="ForwardColumns.ActivationNorm"/>), before them.</para>
/// <para>Fitting passes over the data only as often as the wrapped trainer does, and not at all for a trained model.</para>
/// </remarks>
public sealed class ForwardRecordingEstimator : IEstimator<ForwardRecordingTransformer>
{
    private readonly IHost _host;
    private readonly IEstimator<ITransformer>? _untrained;
    private readonly ITransformer? _trained;

    internal ForwardRecordingEstimator(IHostEnvironment environment, IEstimator<ITransformer> untrained, ForwardRecordingOptions options)
        : this(environment, options)
        => _untrained = untrained;

    internal ForwardRecordingEstimator(IHostEnvironment environment, ITransformer trained, ForwardRecordingOptions options)
        : this(environment, options)
        => _trained = trained;

    private ForwardRecordingEstimator(IHostEnvironment environment, ForwardRecordingOptions options)
    {
        options.Validate();
        _host = environment.Register("ForwardSampling.Record");
        Options = options;
    }

    /// <summary>What is recorded, and under which names.</summary>
    public ForwardRecordingOptions Options { get; }

    /// <summary>Trains the wrapped trainer (a trained model is taken as it is) and checks the columns that will be read.</summary>
    /// <param name="input">Training rows; for a trained model any rows with its input columns.</param>
    /// <returns>The model with its recorder.</returns>
    /// <exception cref="ArgumentOutOfRangeException">The score is missing, or score, probability or label has a wrong type: found before
    /// training where the wrapped trainer promises its score.</exception>
    public ForwardRecordingTransformer Fit(IDataView input)
    {
        ArgumentNullException.ThrowIfNull(input);
        if (_trained is not null)
        {
            var recorder = new ForwardRecordingTransformer(_host, _trained, ownsInner: false, Options);
            recorder.GetOutputSchema(input.Schema);
            return recorder;
        }

        RecordingColumns.Check(_untrained!.GetOutputSchema(Shapes.Of(input.Schema)), Options, nameof(input));
        var trained = new ForwardRecordingTransformer(_host, _untrained.Fit(input), ownsInner: true, Options);
        try
        {
            trained.GetOutputSchema(input.Schema);
            return trained;
        }
        catch
        {
            trained.Dispose();
            throw;
        }
    }

    /// <summary>The wrapped model's shape and the statistics columns.</summary>
    /// <remarks>For a trained model, which can only be asked with exact types, sizes of vectors and keys are assumed; Fit checks the real
    /// ones.</remarks>
    /// <param name="inputSchema">Shape of the input.</param>
    /// <returns>The shape of the output.</returns>
    /// <exception cref="ArgumentOutOfRangeException">The score is missing, or score, probability or label has a wrong type.</exception>
    public SchemaShape GetOutputSchema(SchemaShape inputSchema)
    {
        ArgumentNullException.ThrowIfNull(inputSchema);
        SchemaShape scored = _trained is null ? _untrained!.GetOutputSchema(inputSchema)
            : TrainedShape.After(_trained, inputSchema, Options);
        if (_trained is null ? ActivationNorms.ArePromisedBy(_untrained!)
            : ActivationNorms.Of(_trained, Options.ActivationNormColumnName) is not null)
            scored = Shapes.Append(scored,
                Shapes.Of([new DataViewSchema.DetachedColumn(Options.ActivationNormColumnName, NumberDataViewType.Single)]));
        RecordingColumns.Check(scored, Options, nameof(inputSchema));
        return Shapes.Append(scored, Shapes.Of(RecordingColumns.Added(Options)));
    }
}
