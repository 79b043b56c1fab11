// Makes one training step, as a program that was installed somewhere does: prints "trained", or the exception's type and message.
// Usage: TrainOnce [DEVICE]
using Microsoft.ML;
using Microsoft.ML.Data;
using Microsoft.ML.ForwardSampling;
using Microsoft.ML.ForwardSampling.Networks;

var context = new MLContext(seed: 1);
IDataView rows = context.Data.LoadFromEnumerable([new Row([1, 2], 3), new Row([2, 1], 4)]);
try
{
    using var model = context.ForwardSampling().Trainers.Regression(
        new NetworkTrainerOptions { Device = args is [var device] ? device : "cpu", MaximumSteps = 1 }).Fit(rows);
    Console.WriteLine("trained");
}
catch (Exception e)
{
    Console.WriteLine($"{e.GetType().Name}: {e.Message}");
}

internal sealed record Row([property: VectorType(2)] float[] Features, float Label);
