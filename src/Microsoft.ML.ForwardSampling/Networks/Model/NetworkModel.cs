using Microsoft.ML.ForwardSampling.Selection;
using TorchSharp;
using static TorchSharp.torch;

namespace Microsoft.ML.ForwardSampling.Networks;

/// <summary>A trained network: what the transformer scores with, and where the next training starts.</summary>
/// <remarks>Scoring from many threads at once is safe. Owns native memory: dispose it (through its transformer) when it is no longer
/// used.</remarks>
public sealed class NetworkModel : IDisposable
{
    private readonly Lock _gate = new();
    private readonly SavedWeight[]? _saved;
    private nn.Module<Tensor, Tensor>? _network;
    private Device? _device;
    private bool _disposed;

    internal NetworkModel(TaskHead head, int featureCount, NetworkArchitecture? architecture,
        nn.Module<Tensor, Tensor> network, Device device, Optimizer? optimizer)
    {
        Head = head;
        FeatureCount = featureCount;
        Architecture = architecture;
        _network = network;
        _device = device;
        Optimizer = optimizer;
        Keep(network);
    }

    /// <summary>A built network from a file. It is scored and saved without torch, which is touched when <see cref="Network"/> is asked
    /// for.</summary>
    /// <param name="head">The task.</param>
    /// <param name="architecture">How it was built.</param>
    /// <param name="weights">All of <see cref="NetworkArchitecture.WeightShapes"/>.</param>
    internal NetworkModel(TaskHead head, NetworkArchitecture architecture, SavedWeight[] weights)
    {
        Head = head;
        FeatureCount = architecture.Inputs;
        Architecture = architecture;
        _saved = weights;
        Dense = new DenseNetwork(architecture, name => Array.Find(weights, weight => weight.Name == name)!.Values);
    }

    /// <summary>What the network predicts.</summary>
    public PredictionTask Task => Head.Task;

    /// <summary>Features of a row.</summary>
    public int FeatureCount { get; }

    /// <summary>Scores of a row: 1 for regression and binary, the number of classes for multiclass.</summary>
    public int ScoreCount => Head.Outputs;

    /// <summary>Trainable parameters.</summary>
    /// <exception cref="ObjectDisposedException">The model is disposed.</exception>
    public long ParameterCount
    {
        get
        {
            ThrowIfDisposed();
            if (_network is null)
                return _saved!.Where(weight => !weight.Name.EndsWith(".mean", StringComparison.Ordinal)
                    && !weight.Name.EndsWith(".variance", StringComparison.Ordinal)).Sum(weight => (long)weight.Values.Length);
            return Network.parameters().Where(p => p.requires_grad).Sum(p => p.numel());
        }
    }

    /// <summary>What the run that made this model did; null for a model loaded from a file.</summary>
    public TrainingReport? Report { get; internal set; }

    /// <summary>The torch module. It is in evaluation mode; do not train it while the model scores.</summary>
    /// <remarks>Of a network that was built from options and loaded from a file, the module is made when it is first asked for: scoring
    /// and saving need no torch.</remarks>
    /// <exception cref="DllNotFoundException">It must be made, and torch cannot be loaded.</exception>
    /// <exception cref="ObjectDisposedException">It must be made, and the model is disposed.</exception>
    public nn.Module<Tensor, Tensor> Network
    {
        get
        {
            lock (_gate)
                return _network ??= Build();
        }
    }

    internal TaskHead Head { get; }

    /// <summary>Null for a user's own network.</summary>
    internal NetworkArchitecture? Architecture { get; }

    internal Device Device => _device ??= TorchRuntime.GetDevice("cpu");

    /// <summary>The weights as they were when the model was made ready, for scoring without torch; null for a user's own network and on a
    /// GPU.</summary>
    internal DenseNetwork? Dense { get; private set; }

    internal Optimizer? Optimizer { get; }

    /// <summary>The policy that selected during training, and where its selector stopped; null without in-training selection and for a
    /// model loaded from a file.</summary>
    internal (IRowSelectionPolicy Policy, RowSelectorState State)? Selection { get; set; }

    /// <summary>Null where the weights are those of the last step, and for a model loaded from a file.</summary>
    internal AveragedTraining? Averaged { get; set; }

    /// <summary>Null without Anderson mixing, and for a model loaded from a file.</summary>
    internal MixedTraining? Mixed { get; set; }

    /// <summary>The scale on which it was trained; <see cref="Networks.Standardization.None"/> for a model loaded from a file.</summary>
    internal Standardization Standardization { get; set; } = Standardization.None;

    /// <summary>The weights of a file as long as nobody could have changed them; null once there is a torch module.</summary>
    internal SavedWeight[]? Saved => _network is null ? _saved : null;

    /// <summary>Parameters and buffers by name.</summary>
    internal Dictionary<string, Tensor> Weights => Network.state_dict();

    /// <summary>The values of a weight of a built network, in row-major order; without torch where it was loaded without.</summary>
    internal float[] WeightValues(string name)
    {
        if (Saved is { } saved)
            return Array.Find(saved, weight => weight.Name == name)!.Values;
        using DisposeScope scope = NewDisposeScope();
        using IDisposable noGrad = no_grad();
        return Networks.Optimizer.Floats(Weights[name].detach().cpu().@float().contiguous()).ToArray();
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        if (_disposed)
            return;
        _disposed = true;
        Optimizer?.Dispose();
        _network?.Dispose();
    }

    internal void ThrowIfDisposed() => ObjectDisposedException.ThrowIf(_disposed, this);

    /// <summary>Whether every weight is a number: the last step may have overflowed.</summary>
    internal bool AllFinite()
    {
        using DisposeScope scope = NewDisposeScope();
        using IDisposable noGrad = no_grad();
        return Weights.Values.All(weight => WindowSums.AllFinite(Networks.Optimizer.Floats(weight.detach().cpu().@float().contiguous())));
    }

    /// <summary>Called once the weights are final: training and loading write to them.</summary>
    internal void Freeze()
    {
        if (Architecture is null || Device.type != DeviceType.CPU)
            return;
        Dictionary<string, Tensor> weights = Weights;
        using IDisposable noGrad = no_grad();
        Dense = new DenseNetwork(Architecture, name => Networks.Optimizer.Floats(weights[name]).ToArray());
    }

    /// <summary>Copies another model's weights into this one, and its optimizer's state where it is of the same kind.</summary>
    /// <returns>Whether the optimizer goes on with the other's state.</returns>
    /// <exception cref="ArgumentException">The other model is of another task or shape.</exception>
    internal bool ContinueFrom(NetworkModel previous)
    {
        previous.ThrowIfDisposed();
        if (previous.Task != Task || previous.FeatureCount != FeatureCount || previous.ScoreCount != ScoreCount)
            throw Mismatch($"a {previous.Task} network with {previous.FeatureCount} features and {previous.ScoreCount} outputs",
                $"a {Task} network with {FeatureCount} features and {ScoreCount} outputs");
        if (Architecture is { } mine && previous.Architecture is { } other && mine.ToString() != other.ToString())
            throw Mismatch($"{other}", $"{mine}");
        Dictionary<string, Tensor> source = previous.Weights, target = Weights;
        if (source.Keys.FirstOrDefault(name => !target.ContainsKey(name)) is { } extra)
            throw Mismatch($"a network with '{extra}'", "one without");
        using IDisposable noGrad = no_grad();
        foreach ((string name, Tensor weights) in target)
        {
            if (!source.TryGetValue(name, out Tensor? from) || !from.shape.AsSpan().SequenceEqual(weights.shape))
                throw Mismatch($"a network whose '{name}' is {(from is null ? "missing" : $"[{string.Join(", ", from.shape)}]")}",
                    $"[{string.Join(", ", weights.shape)}]");
            weights.copy_(from);
        }

        return Optimizer is not null && Optimizer.TryContinueFrom(previous.Optimizer,
            [.. Network.parameters().Where(p => p.requires_grad)]);
    }

    private MultilayerPerceptron Build()
    {
        ThrowIfDisposed();
        var network = new MultilayerPerceptron(Architecture!, Device, seed: 0, isContinued: true);
        Dictionary<string, Tensor> weights = network.state_dict();
        foreach (SavedWeight weight in _saved!)
            weight.Values.CopyTo(Networks.Optimizer.Floats(weights[weight.Name]));
        Keep(network);
        return network;
    }

    /// <summary>The caller's dispose scope must not take the weights with it.</summary>
    private static void Keep(nn.Module<Tensor, Tensor> network)
    {
        foreach (Tensor tensor in network.state_dict().Values)
            tensor.DetachFromDisposeScope();
        network.eval();
    }

    private static ArgumentException Mismatch(string previous, string expected)
        => new($"The previous model is {previous}; the trainer's options and data ask for {expected}. Train with the previous model's "
            + $"sizes, or start afresh.", "previousModel");
}
