using System.Globalization;
using Microsoft.ML.Data;
using Microsoft.ML.ForwardSampling.ForwardPass;
using Microsoft.ML.ForwardSampling.Networks;

namespace Microsoft.ML.ForwardSampling.Tool.Compare;

/// <summary>Trains the experiment's network, and reads what it leaves when it scores.</summary>
/// <param name="mlContext">The context of a run.</param>
/// <param name="experiment">The rules.</param>
/// <param name="data">What columns mean.</param>
/// <param name="cancellation">Ends training between two steps.</param>
internal sealed class CompareNetworks(MLContext mlContext, CompareExperiment experiment, TabularData data, CancellationToken cancellation)
{
    private readonly ForwardSamplingCatalog _fs = mlContext.ForwardSampling();

    /// <summary>One Fit; the learning rate falls along its part of the experiment's line.</summary>
    /// <param name="rows">Rows to train on.</param>
    /// <param name="with">Sets what differs between calls.</param>
    /// <param name="from">Share of the whole training that lies before this call.</param>
    /// <param name="to">Share at its end.</param>
    /// <param name="setting">How rows become steps; null: as the experiment says.</param>
    /// <param name="previous">Network to go on from, with Adam's moments; null starts from new weights.</param>
    public NetworkPredictionTransformer Fit(
        IEnumerable<TabularRow> rows, Func<NetworkTrainerOptions, NetworkTrainerOptions> with, double from, double to,
        CompareSetting? setting, NetworkPredictionTransformer? previous)
    {
        CompareSetting steps = setting ?? experiment.Setting;
        float atStart = 1, atEnd = 1;
        if (experiment.Schedule == CompareSchedule.Linear)
            (atStart, atEnd) = (1f - (float)from, Math.Max(0, 1f - (float)to));
        NetworkTrainerOptions options = with(new NetworkTrainerOptions
        {
            HiddenLayers = [.. experiment.Network.Split('-', StringSplitOptions.RemoveEmptyEntries)
                .Select(units => int.Parse(units, CultureInfo.InvariantCulture))],
            Optimizer = new AdamOptions { LearningRate = (float)steps.LearningRate * atStart },
            LearningRateSchedule = new LinearSchedule { FinalFactor = atEnd / atStart },
            RegressionLoss = experiment.Loss == CompareLoss.Huber ? RegressionLoss.Huber() : RegressionLoss.Squared,
            // The data come on unit scale, features and label, by what the training rows say and not by what a chunk does.
            NormalizeLabel = false,
            NormalizeFeatures = FeatureNormalization.None,
            // Every training gets the rows and the passes it is charged for.
            HeldOutShare = 0,
            BatchSize = steps.Batch,
            Batches = steps.Batches,
            CancellationToken = cancellation,
        });
        NetworkTrainer trainer = experiment.Task switch
        {
            PredictionTask.Regression => _fs.Trainers.Regression(options),
            PredictionTask.Binary => _fs.Trainers.BinaryClassification(options),
            _ => _fs.Trainers.MulticlassClassification(options),
        };
        string stratum = experiment.Task == PredictionTask.Regression ? ForwardColumns.Residual : ForwardColumns.Loss;
        string[] statistics = steps.IsStratified ? [ForwardColumns.Weight, ForwardColumns.ReferenceLoss, stratum]
            : [ForwardColumns.Weight, ForwardColumns.ReferenceLoss];
        return trainer.Fit(data.ToView(mlContext, rows, statistics), null, previous);
    }

    /// <summary>Scores rows with a network and reads what that leaves.</summary>
    /// <param name="network">The network.</param>
    /// <param name="rows">The rows.</param>
    /// <param name="wanted">Statistics columns, and where their values go.</param>
    /// <returns>Rows recorded.</returns>
    public long Read(NetworkPredictionTransformer network,
        IEnumerable<TabularRow> rows, IReadOnlyList<(string Column, float[] Into)> wanted)
    {
        IDataView served = data.ToView(mlContext, rows);
        ForwardRecordingTransformer recorder = _fs.RecordForwardPass(network, experiment.Task).Fit(served);
        IDataView recorded = recorder.Transform(served);
        using (DataViewRowCursor cursor = recorded.GetRowCursor([.. wanted.Select(w => recorded.Schema[w.Column])]))
        {
            ValueGetter<float>[] getters = [.. wanted.Select(w => cursor.GetGetter<float>(recorded.Schema[w.Column]))];
            for (int row = 0; cursor.MoveNext(); row++)
            {
                for (int i = 0; i < getters.Length; i++)
                    getters[i](ref wanted[i].Into[row]);
            }
        }

        return recorder.Report.RowsRecorded;
    }
}
