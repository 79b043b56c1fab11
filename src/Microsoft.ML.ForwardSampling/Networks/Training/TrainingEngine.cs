
namespace Microsoft.ML.ForwardSampling.Networks;

/// <summary>What computes the steps of a training run: a batch of its own to fill, a step over it, and scores by the weights so
/// far.</summary>
internal abstract class TrainingEngine : IDisposable
{
    /// <summary>Rows that <see cref="Score"/> takes at most.</summary>
    public abstract int MostRowsPerScoring { get; }

    /// <summary>The engine for a network: plain memory where the network and the device allow it, else torch.</summary>
    /// <param name="model">The network.</param>
    /// <param name="options">How it is trained.</param>
    /// <param name="featureCount">Features of a row, keys among them.</param>
    /// <param name="weighted">Whether rows may have weights.</param>
    /// <param name="sparse">Whether the rows' pool holds them sparse.</param>
    public static TrainingEngine Create(NetworkModel model, NetworkTrainerOptions options, int featureCount, bool weighted, bool sparse)
        => DenseEngine.CanTrain(model) ? new DenseEngine(model, options, sparse)
            : new TorchEngine(model, options, featureCount, weighted);

    /// <summary>Copies rows of the pool into slots of the batch.</summary>
    /// <param name="pool">Where the rows are.</param>
    /// <param name="rows">Positions in the pool.</param>
    /// <param name="weights">Factors from selection, one per row, or empty: 1.</param>
    /// <param name="start">First slot.</param>
    public abstract void Fill(RowPool pool, ReadOnlySpan<int> rows, ReadOnlySpan<float> weights, int start);

    /// <summary>Makes one step on the batch's first rows.</summary>
    /// <param name="rows">How many.</param>
    /// <param name="learningRate">Step size, schedule included.</param>
    public abstract void Step(int rows, float learningRate);

    /// <summary>Losses of the rows of the last step, before it and without weights.</summary>
    public abstract ReadOnlySpan<float> RowLosses(int rows);

    /// <summary>Features of the batch's first rows, row-major.</summary>
    public abstract ReadOnlySpan<float> FeatureValues(int rows);

    /// <summary>Copies the batch's first labels, which are classes.</summary>
    public abstract void CopyClasses(Span<int> classes);

    /// <summary>The mean of the steps' losses since it was asked last; null if there was no step.</summary>
    public abstract float? TakeMeanLoss();

    /// <summary>Outputs of rows by the weights so far, without dropout and with running statistics; shape [rows, outputs], valid until the
    /// next call.</summary>
    /// <param name="pool">Where the rows are.</param>
    /// <param name="rows">Positions in the pool.</param>
    /// <param name="activationNorms">Out, one a row: the norm of what enters the last layer of a network built from options; or
    /// empty.</param>
    public abstract ReadOnlySpan<float> Score(RowPool pool, ReadOnlySpan<int> rows, Span<float> activationNorms = default);

    /// <summary>Sum of weight times loss of rows by the weights so far, and the sum of the weights.</summary>
    public abstract (double Loss, double Weight) Evaluate(RowPool pool, ReadOnlySpan<int> rows);

    /// <summary>Takes the weights into their running mean.</summary>
    /// <param name="keep">Share of the mean so far that stays, [0, 1); 0 starts it.</param>
    public abstract void Average(float keep);

    /// <summary>Exchanges the weights and their mean: until it is called again, what is scored, evaluated and noted as the best is the
    /// mean.</summary>
    public abstract void ExchangeAverage();

    /// <summary>Copies the weights.</summary>
    public abstract float[][] CopyWeights();

    /// <summary>Takes the weights for the mean, and others for the weights.</summary>
    /// <param name="weights">What <see cref="CopyWeights"/> of an engine of this type gave, for a network of the same shape.</param>
    public abstract void ResumeAverage(float[][] weights);

    /// <summary>Copies the weights that are trained: all but running statistics.</summary>
    public abstract float[][] CopyTrained();

    /// <summary>Sets the weights that are trained.</summary>
    /// <param name="weights">As <see cref="CopyTrained"/> gives them.</param>
    public abstract void SetTrained(float[][] weights);

    /// <summary>Notes the weights as the best so far.</summary>
    public abstract void KeepBestWeights();

    /// <summary>Goes back to the best weights, if any were noted, and writes weights and optimizer state to the model.</summary>
    public abstract void Finish();

    public abstract void Dispose();
}
