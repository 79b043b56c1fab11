using Microsoft.ML.ForwardSampling.Networks;

namespace Microsoft.ML.ForwardSampling.Tests.Networks;

public class LearningRateScheduleTests
{
    [Fact]
    public void Cosine_StartMiddleEnd_IsOneHalfAndFinal()
    {
        var schedule = new CosineSchedule { FinalFactor = 0.2 };
        Assert.Equal([1f, 0.6f, 0.2f], [schedule.Factor(0, 101), schedule.Factor(50, 101), schedule.Factor(100, 101)], Close);
    }

    [Fact]
    public void Linear_FiveSteps_FallsEvenlyToTheLast()
        => Assert.Equal([1f, 0.75f, 0.5f, 0.25f, 0f], Enumerable.Range(0, 5).Select(s => new LinearSchedule().Factor(s, 5)), Close);

    [Fact]
    public void Step_EveryTwo_DropsTenfold()
        => Assert.Equal([1f, 1f, 0.1f, 0.1f, 0.01f],
            Enumerable.Range(0, 5).Select(s => new StepSchedule { EverySteps = 2 }.Factor(s, 5)), Close);

    [Fact]
    public void WarmUp_FirstSteps_RiseToTheSchedule()
        => Assert.Equal([0.25f, 0.5f, 0.75f, 1f, 1f],
            Enumerable.Range(0, 5).Select(s => new ConstantSchedule { WarmUpSteps = 3 }.Factor(s, 5)), Close);

    private static bool Close(float a, float b) => MathF.Abs(a - b) < 1e-6f;
}
