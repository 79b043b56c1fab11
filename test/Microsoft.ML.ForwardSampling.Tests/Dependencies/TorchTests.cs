using System.Runtime.InteropServices;
using Microsoft.ML.ForwardSampling.Tests.Networks;
using TorchSharp;
using static TorchSharp.torch;

namespace Microsoft.ML.ForwardSampling.Tests.Dependencies;

/// <summary>What this library leans on in TorchSharp and libtorch: an upgrade that changes one of these says so by its name.</summary>
[Collection(TorchCollection.Name)]
public sealed class TorchTests
{
    [Fact]
    public void Bytes_OfAContiguousTensor_AreItsMemory()
    {
        using Tensor tensor = zeros(2, 3);
        MemoryMarshal.Cast<byte, float>(tensor.bytes)[4] = 7;

        Assert.Equal(7, tensor[1, 1].item<float>());
    }

    [Fact]
    public void Grad_UnusedParameter_IsNullOrInvalid()
    {
        using DisposeScope scope = NewDisposeScope();
        Tensor used = ones(2, requires_grad: true), unused = ones(3, requires_grad: true);

        IList<Tensor> gradients = autograd.grad([used.mul(3).sum()], [used, unused], allow_unused: true);

        Assert.Equal(3, gradients[0][0].item<float>());
        Assert.True(gradients[1] is null || gradients[1].IsInvalid);
    }

    [Fact]
    public void Generator_OfItsOwn_LeavesTheGlobalOneAlone()
    {
        using DisposeScope scope = NewDisposeScope();
        byte[] before = get_rng_state().bytes.ToArray();

        using var generator = new Generator(5);
        float first = rand(1, generator: generator).item<float>();

        Assert.Equal(before, get_rng_state().bytes.ToArray());
        using var again = new Generator(5);
        Assert.Equal(first, rand(1, generator: again).item<float>());
    }

    [Fact]
    public void StateDict_OfASequential_NamesEveryWeightAndBufferInOrder()
    {
        using var module = nn.Sequential(nn.Linear(3, 2), nn.BatchNorm1d(2));

        Assert.Equal(["0.weight", "0.bias", "1.weight", "1.bias", "1.running_mean", "1.running_var", "1.num_batches_tracked"],
            module.state_dict().Keys);
    }
}
