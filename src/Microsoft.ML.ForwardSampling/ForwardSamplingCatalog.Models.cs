using Microsoft.ML.ForwardSampling.GroupTesting;
using Microsoft.ML.ForwardSampling.Networks;
using Microsoft.ML.ForwardSampling.Saving;

namespace Microsoft.ML.ForwardSampling;

public sealed partial class ForwardSamplingCatalog
{
    // Training

    /// <summary>Trainers of TorchSharp networks.</summary>
    public NetworkTrainers Trainers => new(_context);

    // Saving and loading

    /// <summary>Writes a model to a file: under another name first, then renamed, so that a file of that name is always whole.</summary>
    /// <remarks><para>The file is the same as <c>mlContext.Model.Save</c> writes, which works too but leaves a broken file when it is
    /// interrupted.</para>
    /// <para>Of a symbolic link the target is replaced. Mode and, where the system allows it, owner and group of the former file are kept.
    /// The new file is announced as renamed and as changed, so that a watcher for either loads it.</para></remarks>
    /// <param name="model">Any model, with or without transformers of this library.</param>
    /// <param name="inputSchema">Schema of the rows it takes, or null.</param>
    /// <param name="path">File to write; one that exists is replaced.</param>
    /// <exception cref="ArgumentNullException"><paramref name="model"/> or <paramref name="path"/> is null.</exception>
    /// <exception cref="IOException">The file cannot be written; what was there before is still there.</exception>
    public void Save(ITransformer model, DataViewSchema? inputSchema, string path)
    {
        ArgumentNullException.ThrowIfNull(model);
        ArgumentException.ThrowIfNullOrEmpty(path);
        ModelFile.Save(_context, model, inputSchema, path);
    }

    /// <summary>Loads a model file and puts this library's own transformers back, at full speed.</summary>
    /// <param name="path">File written by <c>mlContext.Model.Save</c> or <see cref="Save"/>.</param>
    /// <param name="inputSchema">The schema that was saved with it.</param>
    /// <param name="network">Builds the user's own network; only for a model that was trained with
    /// <see cref="NetworkTrainerOptions.Network"/>.</param>
    /// <param name="groupModules">Builds the user's own modules; only for a model that was trained with
    /// <see cref="GroupTestingOptions.Modules"/>.</param>
    /// <returns>The model; a network scores on the CPU, and one that was built from options without torch.</returns>
    /// <remarks><para>Load only files you trust: ML.NET's loader loads the assemblies that a file names.</para>
    /// <para>Checksums and sizes of all parts of the file are compared first: <c>mlContext.Model.Load</c> compares none, and may not return
    /// from a damaged file.</para></remarks>
    /// <exception cref="FileNotFoundException">There is no such file.</exception>
    /// <exception cref="InvalidDataException">The file is truncated, foreign or damaged; the message names it, and the damaged part.
    /// </exception>
    /// <exception cref="NotSupportedException">The file is of a newer version; the message names it.</exception>
    /// <exception cref="InvalidOperationException">The network is the user's own and <paramref name="network"/> is null.</exception>
    public ITransformer Load(string path, out DataViewSchema inputSchema, NetworkFactory? network = null,
        GroupModuleFactory? groupModules = null)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        return ModelFile.Load(_context, path, out inputSchema, model => ModelRestorer.Restore(_context, model, network, groupModules));
    }

    /// <summary>Loads a model from a stream, as <see cref="Load(string, out DataViewSchema, NetworkFactory?, GroupModuleFactory?)"/> does
    /// from a file.</summary>
    /// <param name="stream">What <c>mlContext.Model.Save</c> or <see cref="Save"/> wrote: seekable, at its beginning; left open.</param>
    /// <param name="inputSchema">The schema that was saved with it.</param>
    /// <param name="network">Builds the user's own network; only for a model that was trained with
    /// <see cref="NetworkTrainerOptions.Network"/>.</param>
    /// <param name="groupModules">Builds the user's own modules; only for a model that was trained with
    /// <see cref="GroupTestingOptions.Modules"/>.</param>
    /// <returns>The model.</returns>
    /// <exception cref="ArgumentNullException"><paramref name="stream"/> is null.</exception>
    /// <exception cref="ArgumentException"><paramref name="stream"/> cannot seek, or is not at its beginning.</exception>
    /// <exception cref="InvalidDataException">The stream is truncated, foreign or damaged; the message names the damaged part.</exception>
    /// <exception cref="NotSupportedException">It is of a newer version.</exception>
    /// <exception cref="InvalidOperationException">The network is the user's own and <paramref name="network"/> is null.</exception>
    public ITransformer Load(Stream stream, out DataViewSchema inputSchema, NetworkFactory? network = null,
        GroupModuleFactory? groupModules = null)
    {
        ArgumentNullException.ThrowIfNull(stream);
        if (!stream.CanSeek || stream.Position != 0)
            throw new ArgumentException("A model is loaded from a stream that can seek, at its beginning. Copy it into a MemoryStream.",
                nameof(stream));
        return ModelFile.Load(_context, stream, "The stream", out inputSchema,
            model => ModelRestorer.Restore(_context, model, network, groupModules));
    }

    /// <summary>A binary model that predicts positive above another probability, as ML.NET's ChangeModelThreshold gives for its own
    /// models.</summary>
    /// <param name="model">A network of this library for a binary task: alone, recorded, or the last of a chain.</param>
    /// <param name="probability">In (0, 1): rows whose <c>Probability</c> is above it get the <c>PredictedLabel</c> true.</param>
    /// <returns>The same kind of model, with <c>Score</c> and <c>Probability</c> as before. It shares the network with
    /// <paramref name="model"/>: dispose one of them, when neither is used any more.</returns>
    /// <exception cref="ArgumentNullException"><paramref name="model"/> is null.</exception>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="probability"/> is not in (0, 1).</exception>
    /// <exception cref="ArgumentException"><paramref name="model"/> does not end with a network of this library for a binary
    /// task.</exception>
    public TTransformer ChangeThreshold<TTransformer>(TTransformer model, float probability)
        where TTransformer : class, ITransformer
    {
        ArgumentNullException.ThrowIfNull(model);
        if (!(probability > 0f && probability < 1f))
            throw new ArgumentOutOfRangeException(nameof(probability), probability, "A threshold must be a probability in (0, 1).");
        return (TTransformer)ThresholdChange.Of(model, probability);
    }

    /// <summary>Puts this library's own transformers back into a model that <c>mlContext.Model.Load</c> loaded: batched, annotated, ready
    /// to go on training.</summary>
    /// <param name="model">A loaded model, with or without transformers of this library.</param>
    /// <param name="network">Builds the user's own network; only for a model that was trained with
    /// <see cref="NetworkTrainerOptions.Network"/>.</param>
    /// <param name="groupModules">Builds the user's own modules; only for a model that was trained with
    /// <see cref="GroupTestingOptions.Modules"/>.</param>
    /// <returns>The restored model; the same object when there was nothing to restore.</returns>
    /// <exception cref="ArgumentNullException"><paramref name="model"/> is null.</exception>
    /// <exception cref="InvalidDataException">The carried state is damaged.</exception>
    /// <exception cref="NotSupportedException">The carried state is of a newer version.</exception>
    /// <exception cref="InvalidOperationException">The network is the user's own and <paramref name="network"/> is null.</exception>
    public ITransformer Restore(ITransformer model, NetworkFactory? network = null, GroupModuleFactory? groupModules = null)
    {
        ArgumentNullException.ThrowIfNull(model);
        return ModelRestorer.Restore(_context, model, network, groupModules);
    }
}
