using Microsoft.ML.Data;
using Microsoft.ML.ForwardSampling.DataViews;
using Microsoft.ML.ForwardSampling.Saving;
using Microsoft.ML.Runtime;

namespace Microsoft.ML.ForwardSampling.ForwardPass;

/// <summary>The chain that is written in place of a recorder: its options as state, then the wrapped model.</summary>
/// <remarks>Plain <c>mlContext.Model.Load</c> gives the wrapped model's columns without statistics: the label they need is usually missing
/// where rows are served.</remarks>
internal static class RecorderCarrier
{
    private const int StateStages = 3;

    public static void Save(ForwardRecordingTransformer recorder, ModelSaveContext context)
    {
        var chain = new StateCarrier.Builder(new DataViewSchema.Builder().ToSchema());
        chain.AddState(Encode(recorder.Options));
        chain.Add(PrivateContext.Instance.Transforms.DropColumns(StateCarrier.KeyColumn, StateCarrier.StateColumn));
        chain.AddLast(recorder.InnerTransformer);
        chain.Save(context);
    }

    /// <summary>The wrapped model among the stages of a loaded carrier.</summary>
    /// <exception cref="InvalidDataException">The carrier holds no model.</exception>
    public static ITransformer InnerOf(ITransformer[] stages)
        => stages.Length == StateStages + 1 ? stages[StateStages]
            : throw new InvalidDataException($"The saved recorder is damaged: {stages.Length} stages instead of {StateStages + 1}.");

    public static ForwardRecordingTransformer Decode(IHostEnvironment environment, BinaryReader reader, ITransformer inner)
    {
        ForwardRecordingOptions options = StateReading.Whole(reader, ReadOptions);
        return new ForwardRecordingTransformer(environment.Register("ForwardSampling.Record"), inner, ownsInner: true, options);
    }

    private static ForwardRecordingOptions ReadOptions(BinaryReader reader)
    {
        var options = new ForwardRecordingOptions
        {
            Task = StateReading.Enum<PredictionTask>(reader),
            MulticlassScores = StateReading.Enum<MulticlassScores>(reader),
            LabelColumnName = reader.ReadString(),
            ScoreColumnName = reader.ReadString(),
            ProbabilityColumnName = reader.ReadString(),
            LossColumnName = reader.ReadString(),
            GradientNormColumnName = reader.ReadString(),
            MarginColumnName = reader.ReadString(),
            EntropyColumnName = reader.ReadString(),
            ResidualColumnName = reader.ReadString(),
        };
        // Added after preview 1: a reader of that time does not look behind the residual.
        if (reader.BaseStream.Position < reader.BaseStream.Length)
            options = options with { ActivationNormColumnName = reader.ReadString() };
        options.Validate();
        return options;
    }

    private static byte[] Encode(ForwardRecordingOptions options)
    {
        using var stream = new MemoryStream();
        using (var writer = new BinaryWriter(stream))
        {
            StateHeader.Write(writer, StateKind.Recorder);
            writer.Write((byte)options.Task);
            writer.Write((byte)options.MulticlassScores);
            writer.Write(options.LabelColumnName);
            writer.Write(options.ScoreColumnName);
            writer.Write(options.ProbabilityColumnName);
            writer.Write(options.LossColumnName);
            writer.Write(options.GradientNormColumnName);
            writer.Write(options.MarginColumnName);
            writer.Write(options.EntropyColumnName);
            writer.Write(options.ResidualColumnName);
            writer.Write(options.ActivationNormColumnName);
        }

        return stream.ToArray();
    }
}
