using Microsoft.ML.ForwardSampling.Examples.ServeAndTrain;
using Microsoft.ML.ForwardSampling.Networks;
using Microsoft.ML.ForwardSampling.Records;
using Microsoft.ML.ForwardSampling.RecordViews;
using Microsoft.ML.ForwardSampling.Selection;

namespace Microsoft.ML.ForwardSampling.Examples.Service;

/// <summary>Joins records with labels, selects one row in ten of each window, trains on and writes the model file, which the pool
/// follows.</summary>
/// <remarks>The join is saved after its window's model: stopped in between, the window is trained on once more. Serve-and-train, the other
/// example, shows how each row is trained on once, with processes of their own.</remarks>
internal sealed partial class Retrainer(ServiceOptions options, ILogger<Retrainer> logger) : BackgroundService
{
    private static readonly TimeSpan s_tick = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan s_writersLag = TimeSpan.FromSeconds(5);

    protected override Task ExecuteAsync(CancellationToken stoppingToken) => Task.Run(() => RunAsync(stoppingToken), stoppingToken);

    private async Task RunAsync(CancellationToken stoppingToken)
    {
        using var join = new ForwardRecordJoin<BinaryRecord>(options.RecordFolder, options.LabelFolder, options.JoinState,
            new LabelJoinOptions { Wait = TimeSpan.FromSeconds(options.WaitSeconds), Lateness = TimeSpan.FromSeconds(10) });
        var ml = new MLContext(options.Seed);
        var deployed = (NetworkPredictionTransformer)ml.ForwardSampling().Load(options.ModelPath, out _);
        var rows = new JoinedRecord[options.WindowRows];
        int count = 0;
        try
        {
            while (true)
            {
                await Task.Delay(s_tick, stoppingToken);
                try
                {
                    join.AdvanceTo(DateTime.UtcNow - s_writersLag);
                    count += join.Read(rows.AsSpan(count));
                    if (count < rows.Length)
                        continue;
                    NetworkPredictionTransformer next = Train(ml, rows, deployed, seed: (int)(join.Rows / rows.Length), stoppingToken);
                    deployed.Dispose();
                    deployed = next;
                    ml.ForwardSampling().Save(deployed, ml.Data.LoadFromEnumerable<Order>([]).Schema, options.ModelPath);
                    join.Save();
                    count = 0;
                    LogModel(join.Rows);
                }
                catch (Exception e) when (e is not OperationCanceledException)
                {
                    LogFailure(e);                          // predictions go on; the same rows are tried again
                    await Task.Delay(TimeSpan.FromSeconds(1), stoppingToken);
                }
            }
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
        }
        finally
        {
            deployed.Dispose();
        }
    }

    private NetworkPredictionTransformer Train(MLContext ml, JoinedRecord[] rows, NetworkPredictionTransformer deployed, int seed,
        CancellationToken cancellation)
    {
        ForwardSamplingCatalog fs = ml.ForwardSampling();
        IDataView orders = ml.Data.LoadFromEnumerable(
            rows.Select(row => Orders.Of(row.Key, options.Seed).With(row.Label == 1)));
        AttachedRows recorded = fs.AttachForwardRecords(orders, nameof(Order.Key), rows,
            new AttachRecordsOptions { Task = PredictionTask.Binary });
        SelectedRows chosen = fs.SelectRows(recorded, new BalancedGradientNormPolicy(),
            new SelectionOptions { WindowSize = Math.Min(640, rows.Length), Budget = 0.1, Seed = seed });
        return fs.Trainers.BinaryClassification(FirstModel.Network(seed, epochs: 4) with { CancellationToken = cancellation })
            .Fit(chosen, deployed);
    }

    [LoggerMessage(Level = LogLevel.Information, Message = "A model is trained on what was selected of {Rows} joined rows so far.")]
    private partial void LogModel(long rows);

    [LoggerMessage(Level = LogLevel.Error, Message = "Joining or training failed, and is tried again.")]
    private partial void LogFailure(Exception failure);
}
