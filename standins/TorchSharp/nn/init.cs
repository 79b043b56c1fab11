namespace TorchSharp;

public static partial class torch
{
    public static partial class nn
    {
        /// <summary>Initial values, drawn from the global generator. For a private one call the tensor's own uniform_ and normal_.</summary>
        public static class init
        {
            public enum FanInOut { FanIn = 0, FanOut = 1 }

            public enum NonlinearityType
            {
                Linear = 0, Conv1D = 1, Conv2D = 2, Conv3D = 3, ConvTranspose1D = 4, ConvTranspose2D = 5, ConvTranspose3D = 6,
                Sigmoid = 7, Tanh = 8, ReLU = 9, LeakyReLU = 10,
            }

            public static double calculate_gain(NonlinearityType nonlinearity, double param = 0.0) => nonlinearity switch
            {
                NonlinearityType.Tanh => 5.0 / 3.0,
                NonlinearityType.ReLU => Math.Sqrt(2.0),
                NonlinearityType.LeakyReLU => Math.Sqrt(2.0 / (1 + param * param)),
                _ => 1.0,
            };

            public static (long fanIn, long fanOut) CalculateFanInAndFanOut(Tensor tensor)
            {
                long[] shape = tensor.shape;
                if (shape.Length < 2)
                    throw new ArgumentException("Fan in and fan out can not be computed for tensor with fewer than 2 dimensions");
                long field = tensor.NumberOfElements / (shape[0] * shape[1]);
                return (shape[1] * field, shape[0] * field);
            }

            private static Tensor Draw(Tensor tensor, Action<Tensor> draw)
            {
                using IDisposable noGrad = no_grad();
                draw(tensor);
                return tensor;
            }

            public static Tensor zeros_(Tensor tensor) => Draw(tensor, t => t.zero_());
            public static Tensor ones_(Tensor tensor) => Draw(tensor, t => t.fill_(1));
            public static Tensor constant_(Tensor tensor, Scalar val) => Draw(tensor, t => t.fill_(val));

            // TorchSharp takes a generator here and does not use it; neither do we, so that tests show it.
            public static Tensor uniform_(Tensor tensor, double low = 0, double high = 1, Generator? generator = null) => Draw(tensor, t => t.uniform_(low, high));
            public static Tensor normal_(Tensor tensor, double mean = 0, double std = 1, Generator? generator = null) => Draw(tensor, t => t.normal_(mean, std));

            public static Tensor kaiming_uniform_(Tensor tensor, double a = 0, FanInOut mode = FanInOut.FanIn, NonlinearityType nonlinearity = NonlinearityType.LeakyReLU)
            {
                double bound = Math.Sqrt(3.0) * KaimingStd(tensor, a, mode, nonlinearity);
                return uniform_(tensor, -bound, bound);
            }

            public static Tensor kaiming_normal_(Tensor tensor, double a = 0, FanInOut mode = FanInOut.FanIn, NonlinearityType nonlinearity = NonlinearityType.LeakyReLU) =>
                normal_(tensor, 0, KaimingStd(tensor, a, mode, nonlinearity));

            private static double KaimingStd(Tensor tensor, double a, FanInOut mode, NonlinearityType nonlinearity)
            {
                (long fanIn, long fanOut) = CalculateFanInAndFanOut(tensor);
                return calculate_gain(nonlinearity, a) / Math.Sqrt(mode == FanInOut.FanIn ? fanIn : fanOut);
            }

            public static Tensor xavier_uniform_(Tensor tensor, double gain = 1.0)
            {
                double bound = Math.Sqrt(3.0) * XavierStd(tensor, gain);
                return uniform_(tensor, -bound, bound);
            }

            public static Tensor xavier_normal_(Tensor tensor, double gain = 1.0) => normal_(tensor, 0, XavierStd(tensor, gain));

            private static double XavierStd(Tensor tensor, double gain)
            {
                (long fanIn, long fanOut) = CalculateFanInAndFanOut(tensor);
                return gain * Math.Sqrt(2.0 / (fanIn + fanOut));
            }
        }

        /// <summary>Work on many parameters at once.</summary>
        public static unsafe class utils
        {
            /// <summary>Scales all gradients by one factor so that their common norm is at most max_norm. Returns the norm before.</summary>
            public static double clip_grad_norm_(IEnumerable<Modules.Parameter> tensors, double max_norm, double norm_type = 2.0)
            {
                nint[] handles = Tensor.Handles(tensors);
                double norm;
                fixed (nint* h = handles)
                    Native.Check(Native.ts_clip_grad(h, handles.Length, max_norm, norm_type, &norm));
                return norm;
            }

            /// <summary>All parameters flattened into one vector.</summary>
            public static Tensor parameters_to_vector(IEnumerable<Modules.Parameter> tensors)
            {
                Tensor[] flat = [.. tensors.Select(p => p.reshape(-1))];
                Tensor vector = cat(flat);
                foreach (Tensor part in flat)
                    part.Dispose();
                return vector;
            }
        }
    }
}
