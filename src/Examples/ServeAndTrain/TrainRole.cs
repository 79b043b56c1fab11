using Microsoft.ML.Data;
using Microsoft.ML.ForwardSampling.Networks;
using Microsoft.ML.ForwardSampling.Records;
using Microsoft.ML.ForwardSampling.RecordViews;
using Microsoft.ML.ForwardSampling.Selection;

namespace Microsoft.ML.ForwardSampling.Examples.ServeAndTrain;

/// <summary>The process that trains: joins records with labels, selects one row in ten of each window, trains the next model and hands it
/// over.</summary>
internal static class TrainRole
{
    private const int OldOrders = 500;

    private static readonly TimeSpan Tick = TimeSpan.FromMilliseconds(50);

    /// <summary>Trains until all rows are joined; after a crash, from the first window that gave no model.</summary>
    public static void Run(RunFolder run, TextWriter output, CancellationToken cancellation)
    {
        using IDisposable role = run.TakeRole("train", output, cancellation);
        using IRecordStore store = run.OpenStore();
        using IWindowSource windows = store.OpenWindows();
        var world = new World(run);
        var mlContext = new MLContext(run.Options.Seed);
        ModelFolder models = run.Models;

        int version = models.Newest() ?? 0;
        NetworkPredictionTransformer deployed = models.Newest() is null ? TrainFirst(mlContext, run, cancellation)
            : models.Load(mlContext, version);
        if (version > 0)
            output.WriteLine($"goes on from model {version}");
        while (true)
        {
            bool ended = world.HasEnded();
            if (windows.Next(version, ended) is not { } window)
            {
                if (ended)
                    break;
                cancellation.WaitHandle.WaitOne(Tick);
                cancellation.ThrowIfCancellationRequested();
                continue;
            }

            // Killed after the model was handed over and before the window was completed, the store gives the window again: the version
            // says that it is in.
            IReadOnlyList<SelectedKey> selected = [];
            if (window.Number == version)
            {
                (NetworkPredictionTransformer next, selected) = Train(mlContext, run, window, deployed, cancellation);
                deployed.Dispose();
                deployed = next;
                models.Save(mlContext, deployed, ++version);
                if (version % 5 == 0)
                    output.WriteLine($"model {version} handed over, trained on {selected.Count:N0} of {window.Rows.Count:N0} rows");
            }

            windows.Complete(window, selected);
        }

        deployed.Dispose();
        File.WriteAllText(run.Finished, "");
    }

    /// <summary>Version 0: trained on a few old orders, before any was recorded.</summary>
    private static NetworkPredictionTransformer TrainFirst(MLContext mlContext, RunFolder run, CancellationToken cancellation)
    {
        IDataView old = mlContext.Data.LoadFromEnumerable(Enumerable.Range(0, OldOrders)
            .Select(n => Orders.Of((ulong)n, run.Options.Seed + 1)));
        NetworkPredictionTransformer first = mlContext.ForwardSampling().Trainers.BinaryClassification(Network(0, epochs: 20, cancellation))
            .Fit(old);
        run.Models.Save(mlContext, first, 0);
        return first;
    }

    private static (NetworkPredictionTransformer Next, IReadOnlyList<SelectedKey> Selected) Train(
        MLContext mlContext, RunFolder run, TrainingWindow window, NetworkPredictionTransformer deployed, CancellationToken cancellation)
    {
        ForwardSamplingCatalog fs = mlContext.ForwardSampling();

        // 1. The joined records bring labels and statistics; the features come from the shop's own database, by key.
        IDataView orders = mlContext.Data.LoadFromEnumerable(
            window.Rows.Select(record => Orders.Of(record.Key, run.Options.Seed).With(record.Label == 1)));
        AttachedRows recorded = fs.AttachForwardRecords(orders, nameof(Order.Key), window.Rows,
            new AttachRecordsOptions { Task = PredictionTask.Binary });

        // 2. One row in ten, by what the serving model's forward pass said. Seeded by the window, so that training it again selects the
        // same.
        SelectedRows chosen = fs.SelectRows(recorded, new BalancedGradientNormPolicy(),
            new SelectionOptions { WindowSize = 640, Budget = 0.1, Seed = window.Number });
        IReadOnlyList<SelectedKey> selected = fs.SelectedKeys(chosen, nameof(Order.Key), cancellationToken: cancellation);

        // 3. Train on from the model before.
        NetworkPredictionTransformer next = fs.Trainers.BinaryClassification(
            Network(window.Number, epochs: 4, cancellation) with { ExampleWeightColumnName = ForwardColumns.Weight }).Fit(chosen, deployed);
        return (next, selected);
    }

    private static NetworkTrainerOptions Network(int seed, int epochs, CancellationToken cancellation) => new()
    {
        HiddenLayers = [32, 32],
        Optimizer = new AdamOptions { LearningRate = 3e-3 },
        BatchSize = 64,
        Epochs = epochs,
        Seed = seed,
        CancellationToken = cancellation,
    };

    /// <summary>Whether everything has been served and labelled.</summary>
    private sealed class World(RunFolder run)
    {
        private readonly Journal.Follower _served = new(run.Served);
        private readonly Journal.Follower _labelled = new(run.Labelled);
        private readonly int _expected = run.Options.Rows + run.CountLabels();
        private int _count;

        public bool HasEnded()
        {
            _count += _served.ReadNew().Sum(line => line.Keys.Length) + _labelled.ReadNew().Sum(line => line.Keys.Length);
            return _count >= _expected;
        }
    }
}
