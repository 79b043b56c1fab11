namespace TorchSharp;

public static partial class torch
{
    public static partial class nn
    {
        /// <summary>How a loss is brought down to one number.</summary>
        public enum Reduction : long { None = 0, Mean = 1, Sum = 2 }

        /// <summary>Layers as functions.</summary>
        public static unsafe class functional
        {
            private static nint Of(Tensor? tensor) => tensor?.Handle ?? 0;

            /// <summary>Wraps a result; the tensors it was computed from must outlive the native call.</summary>
            private static Tensor Keep(nint result, params ReadOnlySpan<Tensor?> inputs)
            {
                foreach (Tensor? input in inputs)
                    GC.KeepAlive(input);
                return Tensor.Wrap(result);
            }

            public static Tensor cross_entropy(Tensor input, Tensor target, Tensor? weight = null, long ignore_index = -100, Reduction reduction = Reduction.Mean, double label_smoothing = 0.0) =>
                Keep(Native.ts_cross_entropy(input.Handle, target.Handle, Of(weight), (long)reduction, ignore_index, label_smoothing), input, target, weight);

            public static Tensor huber_loss(Tensor input, Tensor target, double delta = 1.0, Reduction reduction = Reduction.Mean) =>
                Keep(Native.ts_huber(input.Handle, target.Handle, (long)reduction, delta), input, target);

            public static Tensor binary_cross_entropy_with_logits(Tensor input, Tensor target, Tensor? weight = null, Reduction reduction = Reduction.Mean, Tensor? pos_weights = null) =>
                Keep(Native.ts_bce_with_logits(input.Handle, target.Handle, Of(weight), Of(pos_weights), (long)reduction), input, target, weight, pos_weights);

            public static Tensor linear(Tensor input, Tensor weights, Tensor? bias = null) =>
                Keep(Native.ts_linear(input.Handle, weights.Handle, Of(bias)), input, weights, bias);

            public static Tensor batch_norm(Tensor input, Tensor? running_mean, Tensor? running_var, Tensor? weight = null, Tensor? bias = null, bool training = false, double momentum = 0.1, double eps = 1e-5) =>
                Keep(Native.ts_batch_norm(input.Handle, Of(weight), Of(bias), Of(running_mean), Of(running_var), training ? 1 : 0, momentum, eps), input, running_mean, running_var, weight, bias);

            public static Tensor layer_norm(Tensor input, long[] normalized_shape, Tensor? weight = null, Tensor? bias = null, double eps = 1e-5)
            {
                fixed (long* shape = normalized_shape)
                    return Keep(Native.ts_layer_norm(input.Handle, shape, normalized_shape.Length, Of(weight), Of(bias), eps), input, weight, bias);
            }
        }
    }
}
