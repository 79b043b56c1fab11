using TorchSharp.Modules;

namespace TorchSharp;

public static partial class torch
{
    public static partial class nn
    {
        public static Linear Linear(long inputSize, long outputSize, bool hasBias = true, Device? device = null, ScalarType? dtype = null) =>
            new(inputSize, outputSize, hasBias, device, dtype);

        public static ReLU ReLU(bool inplace = false) =>
            inplace ? throw new NotSupportedException("The stand-in's ReLU does not work in place.") : new();

        public static Tanh Tanh() => new();
        public static Sequential Sequential(params Module<Tensor, Tensor>[] modules) => new(modules);
    }
}
