using Microsoft.ML.ForwardSampling.Selection;

namespace Microsoft.ML.ForwardSampling.Tests.Networks;

/// <summary>Takes every fifth row of a window, and tells what it saw and was told: chosen rows, trained rows, validation losses.</summary>
internal sealed class TellingPolicy : IRowSelectionPolicy
{
    public List<object> Told { get; } = [];

    public string Name => "Telling";

    public RecordStatistics Needs => RecordStatistics.Loss | RecordStatistics.Label | RecordStatistics.Features;

    public bool IsUnbiased => false;

    public PolicyState NewState() => new Memory(Told);

    public void Select(in SelectionWindow window, ref RepeatableRandom random, Span<int> rows, Span<float> weights)
    {
        int width = window.Features.Length / window.Count;
        for (int i = 0; i < rows.Length; i++)
        {
            int row = rows[i] = 5 * i;
            Told.Add(new Row(window.Features.Slice(row * width, width).ToArray(), window.Loss[row],
                window.Label.IsEmpty ? -1 : window.Label[row]));
        }

        weights.Fill(1);
    }

    public sealed record Row(float[] Features, float Loss, int Label);

    public sealed record Trained(float[] Losses, float[] Features, int[] Labels);

    private sealed class Memory(List<object> told) : PolicyState
    {
        public override SelectionFeedback Feedback => SelectionFeedback.ValidationLoss | SelectionFeedback.TrainingLoss;

        public override byte[] Save() => [1];

        public override void Load(ReadOnlySpan<byte> saved)
        {
        }

        public override void ObserveValidation(double loss) => told.Add(loss);

        public override void ObserveTraining(ReadOnlySpan<float> losses, ReadOnlySpan<float> features, ReadOnlySpan<int> labels)
            => told.Add(new Trained(losses.ToArray(), features.ToArray(), labels.ToArray()));
    }
}
