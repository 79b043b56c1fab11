namespace Microsoft.ML.Trainers
{
    // The stand-in's models are opaque: these types only tell the transformers of the tasks apart.

    /// <summary>Parameters of linear regression.</summary>
    public sealed class LinearRegressionModelParameters
    {
        internal LinearRegressionModelParameters() { }
    }

    /// <summary>Parameters of a linear classifier with two classes.</summary>
    public sealed class LinearBinaryModelParameters
    {
        internal LinearBinaryModelParameters() { }
    }

    /// <summary>Parameters of multinomial logistic regression.</summary>
    public sealed class MaximumEntropyModelParameters
    {
        internal MaximumEntropyModelParameters() { }
    }
}

namespace Microsoft.ML.Calibrators
{
    /// <summary>Turns a score into a probability.</summary>
    public interface ICalibrator;

    /// <summary>The sigmoid.</summary>
    public sealed class PlattCalibrator : ICalibrator
    {
        internal PlattCalibrator() { }
    }

    /// <summary>A model and what makes its score a probability.</summary>
    public abstract class CalibratedModelParametersBase<TSubModel, TCalibrator>
        where TSubModel : class
        where TCalibrator : class, ICalibrator
    {
        private protected CalibratedModelParametersBase() { }
    }

    internal sealed class CalibratedModelParameters<TSubModel, TCalibrator> : CalibratedModelParametersBase<TSubModel, TCalibrator>
        where TSubModel : class
        where TCalibrator : class, ICalibrator;
}
