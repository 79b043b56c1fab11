using Microsoft.ML.Data;
using Microsoft.ML.Runtime;

namespace Microsoft.ML.Trainers;

/// <summary>Linear regression.</summary>
public sealed class SdcaRegressionTrainer
    : SdcaTrainerBase<SdcaRegressionTrainer.Options, RegressionPredictionTransformer<LinearRegressionModelParameters>, LinearRegressionModelParameters>
{
    internal SdcaRegressionTrainer(IHostEnvironment env, Options options) : base(env, options, new SquaredLoss(), NumberDataViewType.Single) { }

    private protected override RegressionPredictionTransformer<LinearRegressionModelParameters> Create(LinearModel model, DataViewSchema trainSchema) =>
        PredictionTask.CreateRegression(model, trainSchema);

    private protected override SchemaShape.Column[] OutputColumns(SchemaShape.Column label) =>
        [new("Score", SchemaShape.Column.VectorKind.Scalar, NumberDataViewType.Single, isKey: false, new(ScoreColumns.Shape))];

    /// <summary>Options of <see cref="SdcaRegressionTrainer"/>.</summary>
    public sealed class Options : OptionsBase
    {
        public Options() => ConvergenceTolerance = 0.01f;

        // The bias of a regression is not penalised.
        internal override SdcaSettings ToSettings() =>
            base.ToSettings() with { BiasLearningRate = 1, DefaultL2 = rows => rows > 10_000 ? 1e-4f : rows < 200 ? 1e-2f : 1e-3f };
    }
}
