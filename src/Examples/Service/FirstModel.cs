using Microsoft.ML.ForwardSampling.Examples.ServeAndTrain;
using Microsoft.ML.ForwardSampling.Networks;

namespace Microsoft.ML.ForwardSampling.Examples.Service;

/// <summary>What is served before anything was recorded: trained on a few old orders.</summary>
internal static class FirstModel
{
    private const int OldOrders = 500;

    /// <summary>Trains it unless there is a model.</summary>
    public static void Ensure(ServiceOptions options)
    {
        if (File.Exists(options.ModelPath))
            return;
        Directory.CreateDirectory(options.Folder);
        var ml = new MLContext(options.Seed);
        IDataView old = ml.Data.LoadFromEnumerable(Enumerable.Range(0, OldOrders).Select(n => Orders.Of((ulong)n, options.Seed + 1)));
        using NetworkPredictionTransformer first = ml.ForwardSampling().Trainers.BinaryClassification(Network(options.Seed, epochs: 20))
            .Fit(old);
        ml.ForwardSampling().Save(first, old.Schema, options.ModelPath);
    }

    /// <summary>A network that trains in well under a second.</summary>
    public static NetworkTrainerOptions Network(int seed, int epochs) => new()
    {
        HiddenLayers = [32, 32],
        Optimizer = new AdamOptions { LearningRate = 3e-3 },
        BatchSize = 64,
        Epochs = epochs,
        Threads = 1,
        Seed = seed,
    };
}
