namespace Microsoft.ML.Calibrators;

/// <summary>Turns a score into a probability.</summary>
public interface ICalibrator
{
    float PredictProbability(float output);
}

/// <summary>1 / (1 + exp(slope · score + offset)).</summary>
public sealed class PlattCalibrator : ICalibrator
{
    private readonly double _slope, _offset;

    internal PlattCalibrator(double slope, double offset) => (_slope, _offset) = (slope, offset);

    public float PredictProbability(float output) => (float)(1 / (1 + Math.Exp(_slope * output + _offset)));
}

/// <summary>A model and what makes its score a probability.</summary>
public abstract class CalibratedModelParametersBase<TSubModel, TCalibrator>
    where TSubModel : class
    where TCalibrator : class, ICalibrator
{
    private protected CalibratedModelParametersBase(TSubModel subModel, TCalibrator calibrator) => (SubModel, Calibrator) = (subModel, calibrator);

    public TSubModel SubModel { get; }
    public TCalibrator Calibrator { get; }
}

internal sealed class CalibratedModelParameters<TSubModel, TCalibrator>(TSubModel subModel, TCalibrator calibrator)
    : CalibratedModelParametersBase<TSubModel, TCalibrator>(subModel, calibrator)
    where TSubModel : class
    where TCalibrator : class, ICalibrator;
