using Microsoft.ML.ForwardSampling.Records;
using TorchSharp;
using static TorchSharp.torch;
using TensorPrimitives = System.Numerics.Tensors.TensorPrimitives;

namespace Microsoft.ML.ForwardSampling.Networks;

/// <summary>What differs between the tasks: the loss of a row, the scores made of the network's outputs, and a row's statistics.</summary>
internal abstract class TaskHead
{
    protected TaskHead(PredictionTask task, int outputs)
    {
        Task = task;
        Outputs = outputs;
    }

    public PredictionTask Task { get; }

    /// <summary>Units of the network's last layer.</summary>
    public int Outputs { get; }

    /// <summary>Type of the label tensor that <see cref="RowLosses"/> takes.</summary>
    public virtual ScalarType LabelType => ScalarType.Float32;

    /// <summary>Residual at which a Huber loss turns into a line; 0 for every other loss.</summary>
    public virtual float HuberDelta => 0f;

    public static TaskHead Create(PredictionTask task, int outputs, RegressionLoss loss) => task switch
    {
        PredictionTask.Regression => loss is HuberLoss huber ? new HuberHead((float)huber.Delta) : new SquaredHead(),
        PredictionTask.Binary => new LogisticHead(),
        PredictionTask.Multiclass => new SoftmaxHead(outputs),
        _ => throw new ArgumentOutOfRangeException(nameof(task), task, "Not a prediction task."),
    };

    /// <summary>The loss of each row, shape [rows].</summary>
    /// <param name="outputs">The network's outputs, shape [rows, Outputs].</param>
    /// <param name="labels">Shape [rows], of <see cref="LabelType"/>.</param>
    public abstract Tensor RowLosses(Tensor outputs, Tensor labels);

    /// <summary>The mean of weight times loss over the rows, a scalar.</summary>
    /// <param name="losses">What <see cref="RowLosses"/> gave.</param>
    /// <param name="weights">Shape [rows], or null: every row weighs 1.</param>
    public static Tensor MeanLoss(Tensor losses, Tensor? weights) => (weights is null ? losses : losses.mul(weights)).mean();

    /// <summary>The loss of one row.</summary>
    /// <param name="outputs">The network's outputs of the row, length <see cref="Outputs"/>.</param>
    /// <param name="label">As in <see cref="RowPool.Labels"/>.</param>
    public abstract float RowLoss(ReadOnlySpan<float> outputs, float label);

    /// <summary>The loss of one row, and what it says to the outputs.</summary>
    /// <param name="outputs">The network's outputs of the row, length <see cref="Outputs"/>.</param>
    /// <param name="label">As in <see cref="RowPool.Labels"/>.</param>
    /// <param name="factor">Factor of the gradient.</param>
    /// <param name="gradient">Out: factor times the loss's derivative by each output.</param>
    public abstract float RowLossAndGradient(ReadOnlySpan<float> outputs, float label, float factor, Span<float> gradient);

    /// <summary>A row's statistics after a forward pass; margin and entropy of a regression are NaN.</summary>
    /// <param name="outputs">The network's outputs of the row, length <see cref="Outputs"/>.</param>
    /// <param name="label">The value of a regression, else the class from 0.</param>
    public abstract ClassificationStatistics Statistics(ReadOnlySpan<float> outputs, float label);

    private static Tensor Column(Tensor outputs) => outputs.reshape(-1);

    private sealed class SquaredHead() : TaskHead(PredictionTask.Regression, 1)
    {
        public override Tensor RowLosses(Tensor outputs, Tensor labels)
        {
            Tensor residual = Column(outputs).sub(labels);
            return residual.mul(residual);
        }

        public override float RowLoss(ReadOnlySpan<float> outputs, float label) => (outputs[0] - label) * (outputs[0] - label);

        public override float RowLossAndGradient(ReadOnlySpan<float> outputs, float label, float factor, Span<float> gradient)
        {
            gradient[0] = factor * 2f * (outputs[0] - label);
            return RowLoss(outputs, label);
        }

        public override ClassificationStatistics Statistics(ReadOnlySpan<float> outputs, float label)
        {
            RegressionStatistics statistics = ForwardStatistics.Regression(outputs[0], label);
            return new ClassificationStatistics(statistics.Loss, statistics.GradientNorm, float.NaN, float.NaN);
        }
    }

    private sealed class HuberHead(float delta) : TaskHead(PredictionTask.Regression, 1)
    {
        public override float HuberDelta => delta;

        public override Tensor RowLosses(Tensor outputs, Tensor labels) =>
            nn.functional.huber_loss(Column(outputs), labels, delta, nn.Reduction.None);

        public override float RowLoss(ReadOnlySpan<float> outputs, float label)
        {
            float residual = MathF.Abs(outputs[0] - label);
            return residual <= delta ? 0.5f * residual * residual : delta * (residual - 0.5f * delta);
        }

        public override float RowLossAndGradient(ReadOnlySpan<float> outputs, float label, float factor, Span<float> gradient)
        {
            gradient[0] = factor * Math.Clamp(outputs[0] - label, -delta, delta);
            return RowLoss(outputs, label);
        }

        // The trained loss, not the square: its gradient is what a backward pass would propagate.
        public override ClassificationStatistics Statistics(ReadOnlySpan<float> outputs, float label)
            => new(RowLoss(outputs, label), MathF.Min(MathF.Abs(outputs[0] - label), delta), float.NaN, float.NaN);
    }

    private sealed class LogisticHead() : TaskHead(PredictionTask.Binary, 1)
    {
        public override Tensor RowLosses(Tensor outputs, Tensor labels)
            => nn.functional.binary_cross_entropy_with_logits(Column(outputs), labels, null, nn.Reduction.None);

        // -ln of the probability of the label, from the side on which the exponential does not overflow.
        public override float RowLoss(ReadOnlySpan<float> outputs, float label)
            => MathF.Max(outputs[0], 0f) - outputs[0] * label + float.LogP1(MathF.Exp(-MathF.Abs(outputs[0])));

        public override float RowLossAndGradient(ReadOnlySpan<float> outputs, float label, float factor, Span<float> gradient)
        {
            gradient[0] = factor * (1f / (1f + MathF.Exp(-outputs[0])) - label);
            return RowLoss(outputs, label);
        }

        public override ClassificationStatistics Statistics(ReadOnlySpan<float> outputs, float label)
            => ForwardStatistics.BinaryFromScore(outputs[0], (int)label);
    }

    private sealed class SoftmaxHead(int classes) : TaskHead(PredictionTask.Multiclass, classes)
    {
        public override ScalarType LabelType => ScalarType.Int64;

        public override Tensor RowLosses(Tensor outputs, Tensor labels) =>
            nn.functional.cross_entropy(outputs, labels, reduction: nn.Reduction.None);

        public override float RowLoss(ReadOnlySpan<float> outputs, float label)
        {
            float largest = TensorPrimitives.Max(outputs);
            double sum = 0;
            foreach (float output in outputs)
                sum += MathF.Exp(output - largest);
            return (float)(Math.Log(sum) - (outputs[(int)label] - largest));
        }

        public override float RowLossAndGradient(ReadOnlySpan<float> outputs, float label, float factor, Span<float> gradient)
        {
            float largest = TensorPrimitives.Max(outputs);
            TensorPrimitives.Subtract(outputs, largest, gradient);
            TensorPrimitives.Exp<float>(gradient, gradient);
            float sum = TensorPrimitives.Sum<float>(gradient);
            TensorPrimitives.Multiply(gradient, factor / sum, gradient);
            gradient[(int)label] -= factor;
            return MathF.Log(sum) - (outputs[(int)label] - largest);
        }

        public override ClassificationStatistics Statistics(ReadOnlySpan<float> outputs, float label)
            => ForwardStatistics.MulticlassFromLogits(outputs, (int)label);
    }
}
