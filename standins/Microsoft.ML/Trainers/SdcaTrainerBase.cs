using Microsoft.ML.Data;
using Microsoft.ML.Runtime;

namespace Microsoft.ML.Trainers;

/// <summary>A linear trainer by stochastic dual coordinate ascent.</summary>
public abstract class SdcaTrainerBase<TOptions, TTransformer, TModel> : StochasticTrainerBase<TTransformer, TModel>
    where TOptions : SdcaTrainerBase<TOptions, TTransformer, TModel>.OptionsBase, new()
    where TTransformer : ISingleFeaturePredictionTransformer<TModel>
    where TModel : class
{
    private readonly IHostEnvironment _env;
    private readonly TOptions _options;
    private readonly ISdcaLoss _loss;

    private protected SdcaTrainerBase(IHostEnvironment env, TOptions options, ISdcaLoss loss, DataViewType labelType)
        : base(env.Register("SdcaTrainerBase"), options, new SchemaShape.Column(options.LabelColumnName, labelType))
    {
        _env = env;
        _options = options;
        _loss = loss;
        options.Validate();
    }

    private protected sealed override TTransformer Train(IDataView data)
    {
        IDataView shuffled = !_options.Shuffle || data.CanShuffle ? data : new DataOperationsCatalog(_env).ShuffleRows(data);
        var schema = shuffled.Schema;
        DataViewSchema.Column label = schema[LabelColumn.Name], features = schema[FeatureColumn.Name];
        var rows = new SdcaRows(shuffled, label, features, WeightColumn.Name is { } weight ? schema[weight] : null);
        int classes = label.Type is KeyDataViewType key ? checked((int)key.Count) : 0;
        LinearModel model = new SdcaSolver(rows, classes, _loss, _options.ToSettings(), Host).Solve();

        var names = new DataViewSchema.Annotations.Builder();
        names.Add(label.Annotations, kind => kind == AnnotationKinds.KeyValues);
        var trainSchema = new DataViewSchema.Builder();
        trainSchema.AddColumn(features.Name, features.Type);
        trainSchema.AddColumn(label.Name, label.Type, names.ToAnnotations());
        return Create(model, trainSchema.ToSchema());
    }

    private protected abstract TTransformer Create(LinearModel model, DataViewSchema trainSchema);

    /// <summary>Options common to the SDCA trainers.</summary>
    public abstract class OptionsBase : TrainerInputBaseWithWeight
    {
        public float? L2Regularization;
        public int? NumberOfThreads;
        public float ConvergenceTolerance = 0.1f;
        public int? MaximumNumberOfIterations;
        public bool Shuffle = true;

        private protected OptionsBase() { }

        internal virtual SdcaSettings ToSettings() =>
            new(L2Regularization, MaximumNumberOfIterations, ConvergenceTolerance, Shuffle, BiasLearningRate: 0, DefaultL2: null);

        internal void Validate()
        {
            Errors.CheckArgument(!(L2Regularization < 0), nameof(L2Regularization), "L2 constant must be non-negative.");
            Errors.CheckArgument(!(MaximumNumberOfIterations <= 0), nameof(MaximumNumberOfIterations), "Max number of iterations must be positive.");
            Errors.CheckArgument(ConvergenceTolerance is > 0 and <= 1, nameof(ConvergenceTolerance), "Convergence tolerance must be positive and no larger than 1.");
            Errors.CheckArgument(!(NumberOfThreads <= 0), nameof(NumberOfThreads), "The number of threads must be either null or a positive integer.");
            // The dual does not exist without an L2 penalty.
            if (L2Regularization < 1e-9f)
                L2Regularization = 1e-9f;
        }
    }
}
