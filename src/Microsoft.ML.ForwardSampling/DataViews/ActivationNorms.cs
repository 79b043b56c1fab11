using Microsoft.ML.Data;

namespace Microsoft.ML.ForwardSampling.DataViews;

/// <summary>A trained model that can say the norm of its last hidden layer's activations beside its scores.</summary>
internal interface IOffersActivationNorm
{
    /// <summary>The same model with one column more, Single, after its own; it shares everything else. Null when this one cannot.</summary>
    ITransformer? WithActivationNorm(string column);
}

/// <summary>An estimator that knows whether its model will be one of those.</summary>
internal interface IPromisesActivationNorm
{
    bool PromisesActivationNorm { get; }
}

/// <summary>Finds models that offer the norm: alone, or as the last step of a chain. In any other wrapper they are not found.</summary>
internal static class ActivationNorms
{
    /// <summary>The model with a column of the norm, or null when it has none to offer. The model itself stays as it is, and its
    /// owner's.</summary>
    public static ITransformer? Of(ITransformer model, string column)
    {
        if (model is IOffersActivationNorm offering)
            return offering.WithActivationNorm(column);
        if (model is not IEnumerable<ITransformer> chain)
            return null;
        ITransformer[] stages = [.. chain];
        if (stages.Length == 0 || Of(stages[^1], column) is not { } last)
            return null;
        stages[^1] = last;
        return new TransformerChain<ITransformer>(stages);
    }

    /// <summary>Whether the model that an estimator trains will offer it.</summary>
    public static bool ArePromisedBy(object estimator)
    {
        if (estimator is IPromisesActivationNorm promising)
            return promising.PromisesActivationNorm;
        // A chain's type parameter is its last model's, so there is no one type to cast to.
        Type type = estimator.GetType();
        return type.IsGenericType && type.GetGenericTypeDefinition() == typeof(EstimatorChain<>)
            && type.GetField(nameof(EstimatorChain<>.LastEstimator))?.GetValue(estimator) is { } last && ArePromisedBy(last);
    }
}
