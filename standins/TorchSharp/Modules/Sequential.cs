using System.Globalization;
using static TorchSharp.torch;

namespace TorchSharp.Modules;

/// <summary>Modules one after the other, named by their numbers. Frees each intermediate result as soon as the next is computed.</summary>
public class Sequential : nn.Module<Tensor, Tensor>
{
    private readonly nn.Module<Tensor, Tensor>[] _steps;

    internal Sequential(nn.Module<Tensor, Tensor>[] modules) : base(nameof(Sequential))
    {
        _steps = modules;
        for (int i = 0; i < modules.Length; i++)
            register_module(i.ToString(CultureInfo.InvariantCulture), modules[i]);
    }

    public override Tensor forward(Tensor tensor)
    {
        Tensor result = tensor.alias();
        foreach (nn.Module<Tensor, Tensor> step in _steps)
        {
            Tensor next = step.call(result);
            result.Dispose();
            result = next;
        }
        return result;
    }
}
