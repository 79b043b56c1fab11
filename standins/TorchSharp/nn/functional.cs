using A = TorchSharp.Native.Activation;
using L = TorchSharp.Native.Loss;

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

            private static Tensor Lose(L op, Tensor input, Tensor target, Tensor? weight, Tensor? positive, Reduction reduction, long ignore = -100, double p = 0)
            {
                nint result = Native.ts_loss(op, input.Handle, target.Handle, Of(weight), Of(positive), (long)reduction, ignore, p);
                GC.KeepAlive(input);
                GC.KeepAlive(target);
                return Tensor.Wrap(result);
            }

            public static Tensor cross_entropy(Tensor input, Tensor target, Tensor? weight = null, long ignore_index = -100, Reduction reduction = Reduction.Mean, double label_smoothing = 0.0) => Lose(L.cross_entropy, input, target, weight, null, reduction, ignore_index, label_smoothing);
            public static Tensor nll_loss(Tensor input, Tensor target, Tensor? weight = null, Reduction reduction = Reduction.Mean) => Lose(L.nll, input, target, weight, null, reduction);
            public static Tensor mse_loss(Tensor input, Tensor target, Reduction reduction = Reduction.Mean) => Lose(L.mse, input, target, null, null, reduction);
            public static Tensor l1_loss(Tensor input, Tensor target, Reduction reduction = Reduction.Mean) => Lose(L.l1, input, target, null, null, reduction);
            public static Tensor smooth_l1_loss(Tensor input, Tensor target, Reduction reduction = Reduction.Mean, double beta = 1.0) => Lose(L.smooth_l1, input, target, null, null, reduction, p: beta);
            public static Tensor huber_loss(Tensor input, Tensor target, double delta = 1.0, Reduction reduction = Reduction.Mean) => Lose(L.huber, input, target, null, null, reduction, p: delta);
            public static Tensor binary_cross_entropy(Tensor input, Tensor target, Tensor? weight = null, Reduction reduction = Reduction.Mean) => Lose(L.bce, input, target, weight, null, reduction);
            public static Tensor binary_cross_entropy_with_logits(Tensor input, Tensor target, Tensor? weight = null, Reduction reduction = Reduction.Mean, Tensor? pos_weights = null) => Lose(L.bce_with_logits, input, target, weight, pos_weights, reduction);

            public static Tensor softmax(Tensor input, long dim, ScalarType? dtype = null) => input.softmax(dim, dtype);
            public static Tensor log_softmax(Tensor x, long dim) => x.log_softmax(dim);
            public static Tensor relu(Tensor x, bool inplace = false) => inplace ? x.relu_().alias() : x.relu();
            public static Tensor gelu(Tensor x) => x.gelu();
            public static Tensor leaky_relu(Tensor input, double negative_slope = 0.01, bool inplace = false) => Tensor.Wrap(Native.ts_activation(A.leaky_relu, input.Handle, negative_slope, 0, 0, inplace ? 1 : 0));
            public static Tensor elu(Tensor x, double alpha, bool inplace = false) => Tensor.Wrap(Native.ts_activation(A.elu, x.Handle, alpha, 1, 1, inplace ? 1 : 0));
            public static Tensor softplus(Tensor x, double beta = 1.0, double threshold = 20.0) => Tensor.Wrap(Native.ts_activation(A.softplus, x.Handle, beta, threshold, 0, 0));

            /// <summary>Draws from the global generator, as libtorch does.</summary>
            public static Tensor dropout(Tensor input, double p = 0.5, bool training = true, bool inplace = false) => Tensor.Wrap(Native.ts_dropout(input.Handle, p, training ? 1 : 0, inplace ? 1 : 0));

            public static Tensor linear(Tensor input, Tensor weights, Tensor? bias = null)
            {
                nint result = Native.ts_linear(input.Handle, weights.Handle, Of(bias));
                GC.KeepAlive(input);
                return Tensor.Wrap(result);
            }

            public static Tensor one_hot(Tensor x, long num_classes = -1) => Tensor.Wrap(Native.ts_one_hot(x.Handle, num_classes));

            public static Tensor batch_norm(Tensor input, Tensor? running_mean, Tensor? running_var, Tensor? weight = null, Tensor? bias = null, bool training = false, double momentum = 0.1, double eps = 1e-5) =>
                Tensor.Wrap(Native.ts_batch_norm(input.Handle, Of(weight), Of(bias), Of(running_mean), Of(running_var), training ? 1 : 0, momentum, eps));

            public static Tensor layer_norm(Tensor input, long[] normalized_shape, Tensor? weight = null, Tensor? bias = null, double eps = 1e-5)
            {
                fixed (long* shape = normalized_shape)
                    return Tensor.Wrap(Native.ts_layer_norm(input.Handle, shape, normalized_shape.Length, Of(weight), Of(bias), eps));
            }

            public static Tensor conv2d(Tensor input, Tensor weight, Tensor? bias = null, long[]? strides = null, long[]? padding = null, long[]? dilation = null, long groups = 1)
            {
                fixed (long* geometry = Pairs([strides ?? [1], padding ?? [0], dilation ?? [1]]))
                    return Tensor.Wrap(Native.ts_conv2d(input.Handle, weight.Handle, Of(bias), geometry, groups));
            }

            public static Tensor max_pool2d(Tensor input, long kernelSize, long? stride = null, long? padding = null, long? dilation = null, bool ceil_mode = false) =>
                max_pool2d(input, [kernelSize], [stride ?? kernelSize], [padding ?? 0], [dilation ?? 1], ceil_mode);

            public static Tensor max_pool2d(Tensor input, long[] kernelSize, long[]? strides = null, long[]? padding = null, long[]? dilation = null, bool ceil_mode = false)
            {
                fixed (long* geometry = Pairs([kernelSize, strides ?? kernelSize, padding ?? [0], dilation ?? [1]]))
                    return Tensor.Wrap(Native.ts_max_pool2d(input.Handle, geometry, ceil_mode ? 1 : 0));
            }

            private static long[] Pairs(long[][] values) => [.. values.SelectMany(v => v.Length == 1 ? [v[0], v[0]] : v)];
        }
    }
}
