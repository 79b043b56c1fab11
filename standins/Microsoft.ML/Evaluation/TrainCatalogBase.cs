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
        Errors.CheckArgument(numberOfFolds > 1, "numFolds", "Must be more than 1");

        var splits = new DataOperationsCatalog(Environment).CrossValidationSplit(data, numberOfFolds, samplingKeyColumnName, seed);
        return [.. splits.Select((split, fold) =>
        {
            ITransformer model = estimator.Fit(split.TrainSet);
            IDataView scored = ScoreHoldOut(model, split.TestSet);
            return new CrossValidationResult<T>(model, evaluate(scored), scored, fold);
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
        public readonly T Metrics;
        public readonly ITransformer Model;
        public readonly IDataView ScoredHoldOutSet;
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
