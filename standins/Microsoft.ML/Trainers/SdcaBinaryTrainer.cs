using Microsoft.ML.Calibrators;
using Microsoft.ML.Data;
using Microsoft.ML.Runtime;

namespace Microsoft.ML.Trainers;

/// <summary>A linear classifier with two classes.</summary>
public abstract class SdcaBinaryTrainerBase<TModelParameters>
    : SdcaTrainerBase<SdcaBinaryTrainerBase<TModelParameters>.BinaryOptionsBase, BinaryPredictionTransformer<TModelParameters>, TModelParameters>
    where TModelParameters : class
{
    private protected SdcaBinaryTrainerBase(IHostEnvironment env, BinaryOptionsBase options) : base(env, options, new LogLoss(), BooleanDataViewType.Instance) { }

    /// <summary>Options common to the binary SDCA trainers.</summary>
    public class BinaryOptionsBase : OptionsBase;
}

/// <summary>Logistic regression.</summary>
public sealed class SdcaLogisticRegressionBinaryTrainer : SdcaBinaryTrainerBase<CalibratedModelParametersBase<LinearBinaryModelParameters, PlattCalibrator>>
{
    internal SdcaLogisticRegressionBinaryTrainer(IHostEnvironment env, Options options) : base(env, options) { }

    private protected override BinaryPredictionTransformer<CalibratedModelParametersBase<LinearBinaryModelParameters, PlattCalibrator>> Create(
        LinearModel model, DataViewSchema trainSchema) => PredictionTask.CreateBinary(model, trainSchema);

    private protected override SchemaShape.Column[] OutputColumns(SchemaShape.Column label) =>
    [
        new("Score", SchemaShape.Column.VectorKind.Scalar, NumberDataViewType.Single, isKey: false, new(ScoreColumns.Shape)),
        new("Probability", SchemaShape.Column.VectorKind.Scalar, NumberDataViewType.Single, isKey: false,
            new([.. ScoreColumns.Shape, new(AnnotationKinds.IsNormalized, BooleanDataViewType.Instance)])),
        new("PredictedLabel", SchemaShape.Column.VectorKind.Scalar, BooleanDataViewType.Instance, isKey: false, new(ScoreColumns.Shape)),
    ];

    /// <summary>Options of <see cref="SdcaLogisticRegressionBinaryTrainer"/>.</summary>
    public sealed class Options : BinaryOptionsBase;
}
