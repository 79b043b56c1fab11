namespace TorchSharp;

public static partial class torch
{
    /// <summary>Derivatives.</summary>
    public static unsafe class autograd
    {
        /// <summary>Gradients of the outputs' sum with respect to the inputs, without touching what the inputs have accumulated.</summary>
        public static IList<Tensor> grad(IList<Tensor> outputs, IList<Tensor> inputs, IList<Tensor>? grad_outputs = null, bool retain_graph = false, bool create_graph = false, bool allow_unused = false)
        {
            nint[] outs = Tensor.Handles(outputs), ins = Tensor.Handles(inputs), grads = Tensor.Handles(grad_outputs), results = new nint[ins.Length];
            fixed (nint* o = outs, i = ins, g = grads, r = results)
                Native.Check(Native.ts_grad(o, outs.Length, i, ins.Length, g, grads.Length, retain_graph ? 1 : 0, create_graph ? 1 : 0, allow_unused ? 1 : 0, r));
            return [.. results.Select(h => h == 0 ? null! : new Tensor(h))];
        }
    }
}
