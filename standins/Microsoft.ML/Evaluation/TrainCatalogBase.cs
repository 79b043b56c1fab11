using Microsoft.ML.Data;
using Microsoft.ML.Runtime;

namespace Microsoft.ML;

/// <summary>What the catalogs of the three tasks share: their environment and cross-validation.</summary>
public abstract class TrainCatalogBase
{
    internal IHostEnvironment Environment { get; }

    private protected TrainCatalogBase(IHostEnvironment env) => Environment = env;

    /// <summary>Fits one model a fold and scores the rows it has not seen.</summary>
    private protected IReadOnlyList<CrossValidationResult<T>> CrossValidateCore<T>(
        IDataView data, IEstimator<ITransformer> estimator, int numberOfFolds, string? samplingKeyColumnName, int? seed, Func<IDataView, T> evaluate)
        where T : class
    {
        ArgumentNullException.ThrowIfNull(data);
        ArgumentNullException.ThrowIfNull(estimator);
        if (numberOfFolds <= 1)
            throw new ArgumentOutOfRangeException("numFolds", "Must be more than 1");

        var splits = new DataOperationsCatalog(Environment).CrossValidationSplit(data, numberOfFolds, samplingKeyColumnName, seed);
        var fitted = splits.Select(split => (Model: estimator.Fit(split.TrainSet), split.TestSet)).ToArray();
        return [.. fitted.Select((fold, i) =>
        {
            IDataView scored = ScoreHoldOut(fold.Model, fold.TestSet);
            return new CrossValidationResult<T>(fold.Model, evaluate(scored), scored, i);
        })];
    }

    // As in ML.NET, the hold-out of a chain goes through its training-only members too: a filter in there thins the hold-out.
    private static IDataView ScoreHoldOut(ITransformer model, IDataView testSet) =>
        model is ITransformerChainAccessor chain
            ? chain.Transformers.Aggregate(testSet, (view, transformer) => transformer.Transform(view))
            : model.Transform(testSet);

    /// <summary>One fold: its model, the scored hold-out and the metrics on it.</summary>
    public sealed class CrossValidationResult<T> where T : class
    {
        /// <summary>Metrics of <see cref="Model"/> on <see cref="ScoredHoldOutSet"/>.</summary>
        public readonly T Metrics;

        /// <summary>The model fitted on the other folds.</summary>
        public readonly ITransformer Model;

        /// <summary>This fold's rows as <see cref="Model"/> scores them.</summary>
        public readonly IDataView ScoredHoldOutSet;

        /// <summary>Fold number, from 0.</summary>
        public readonly int Fold;

        internal CrossValidationResult(ITransformer model, T metrics, IDataView scoredHoldOutSet, int fold)
        {
            Model = model;
            Metrics = metrics;
            ScoredHoldOutSet = scoredHoldOutSet;
            Fold = fold;
        }
    }

    /// <summary>What trainer extension methods hang on.</summary>
    public abstract class CatalogInstantiatorBase
    {
        internal IHostEnvironment Environment { get; }

        private protected CatalogInstantiatorBase(TrainCatalogBase catalog) => Environment = catalog.Environment;
    }
}
