namespace Microsoft.ML;

/// <summary>Where the extension methods that make transforming estimators hang.</summary>
public sealed class TransformsCatalog
{
    internal TransformsCatalog(IHostEnvironment env)
    {
        Environment = env;
        Categorical = new CategoricalTransforms(env);
        Conversion = new ConversionTransforms(env);
    }

    public CategoricalTransforms Categorical { get; }
    public ConversionTransforms Conversion { get; }
    internal IHostEnvironment Environment { get; }

    public sealed class CategoricalTransforms
    {
        internal CategoricalTransforms(IHostEnvironment env) => Environment = env;
        internal IHostEnvironment Environment { get; }
    }

    public sealed class ConversionTransforms
    {
        internal ConversionTransforms(IHostEnvironment env) => Environment = env;
        internal IHostEnvironment Environment { get; }
    }
}

/// <summary>What every estimator of these catalogs does first.</summary>
internal static class EstimatorRegistration
{
    /// <summary>Registers an estimator, which moves the seeds of what comes after it, and passes its output column's name on.</summary>
    public static string Name(this IHostEnvironment env, string outputColumnName, string paramName = "name")
    {
        env.Register("Estimator");
        Data.Errors.CheckName(outputColumnName, paramName);
        return outputColumnName;
    }
}
