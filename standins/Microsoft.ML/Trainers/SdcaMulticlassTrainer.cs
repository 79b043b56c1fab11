using Microsoft.ML.Data;
using Microsoft.ML.Runtime;

namespace Microsoft.ML.Trainers;

/// <summary>A linear classifier with several classes.</summary>
public abstract class SdcaMulticlassTrainerBase<TModel>
    : SdcaTrainerBase<SdcaMulticlassTrainerBase<TModel>.MulticlassOptions, MulticlassPredictionTransformer<TModel>, TModel>
    where TModel : class
{
    // Only that the label is a key counts, not of how many values.
    private protected SdcaMulticlassTrainerBase(IHostEnvironment env, MulticlassOptions options)
        : base(env, options, new LogLoss(), new KeyDataViewType(typeof(uint), uint.MaxValue)) { }

    /// <summary>Options common to the multiclass SDCA trainers.</summary>
    public class MulticlassOptions : OptionsBase;
}

/// <summary>Multinomial logistic regression.</summary>
public sealed class SdcaMaximumEntropyMulticlassTrainer : SdcaMulticlassTrainerBase<MaximumEntropyModelParameters>
{
    internal SdcaMaximumEntropyMulticlassTrainer(IHostEnvironment env, Options options) : base(env, options) { }

    private protected override MulticlassPredictionTransformer<MaximumEntropyModelParameters> Create(LinearModel model, DataViewSchema trainSchema) =>
        PredictionTask.CreateMulticlass(model, trainSchema);

    private protected override SchemaShape.Column[] OutputColumns(SchemaShape.Column label)
    {
        List<SchemaShape.Column> ofLabel = [], ofScore = [];
        if (label.Annotations.TryFindColumn(AnnotationKinds.KeyValues, out var names) && names.Kind == SchemaShape.Column.VectorKind.Vector)
        {
            ofLabel.Add(names);
            if (names.ItemType is TextDataViewType)
                ofScore.Add(names.Renamed(AnnotationKinds.SlotNames));
            ofScore.Add(names.Renamed(AnnotationKinds.TrainingLabelValues));
        }
        return
        [
            new("Score", SchemaShape.Column.VectorKind.Vector, NumberDataViewType.Single, isKey: false, new([.. ofScore, .. ScoreColumns.Shape])),
            new("PredictedLabel", SchemaShape.Column.VectorKind.Scalar, NumberDataViewType.UInt32, isKey: true, new([.. ofLabel, .. ScoreColumns.Shape])),
        ];
    }

    /// <summary>Options of <see cref="SdcaMaximumEntropyMulticlassTrainer"/>.</summary>
    public sealed class Options : MulticlassOptions;
}
