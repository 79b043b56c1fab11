using System.Buffers.Binary;
using System.Security.Cryptography;

namespace Microsoft.ML.ForwardSampling.Hosting;

/// <summary>Prediction engines for any number of threads, of a model whose file is followed: a new one takes over between two predictions,
/// however the file is replaced: renamed over, written in place, deleted and made again, or a link pointed elsewhere.</summary>
/// <remarks>
/// <para>A new file is read once it has stayed the same for one look, and loaded from memory; when that gives a model, the pool serves it
/// and disposes of the former one after its last prediction. A file that is half written, damaged, gone or not readable changes nothing:
/// the former model goes on, <see cref="Failure"/> says why, and the pool looks again. A file with the content of the model in service is
/// not loaded again.</para>
/// <para>Thread-safe. Without a host (<see cref="ServiceCollectionExtensions"/>) nobody looks: call <see cref="Look"/>. Load only files
/// you trust: ML.NET's loader loads the assemblies that a file names.</para>
/// </remarks>
/// <typeparam name="TInput">A row as the model takes it.</typeparam>
/// <typeparam name="TOutput">What is read of a scored row.</typeparam>
public sealed class PredictionPool<TInput, TOutput> : IServedModel, IDisposable
    where TInput : class
    where TOutput : class, new()
{
    private readonly MLContext _context;
    private readonly Lock _looking = new();
    private volatile ModelGeneration<TInput, TOutput>? _current;
    private volatile Exception? _failure;
    private FileSignature? _loaded;                         // the file whose content was read last, for better or worse
    private FileSignature? _seen;                           // at the last look
    private bool _hasLooked;
    private bool _mayRecover;                               // the last failure was of the system, not of the content
    private long _count;
    private bool _disposed;

    /// <summary>Makes a pool. Nothing is read before the first look or prediction.</summary>
    /// <param name="options">The model and how to follow it.</param>
    /// <param name="context">Loads models and makes engines; left out, one of the pool's own.</param>
    /// <exception cref="ArgumentNullException"><paramref name="options"/> is null.</exception>
    public PredictionPool(PredictionPoolOptions options, MLContext? context = null)
    {
        ArgumentNullException.ThrowIfNull(options);
        Options = options;
        Name = options.Name ?? Path.GetFileNameWithoutExtension(options.ModelPath);
        _context = context ?? new MLContext(seed: 0);
        ModelMeters.Add(this);
    }

    /// <summary>The model and how it is followed.</summary>
    public PredictionPoolOptions Options { get; }

    /// <inheritdoc/>
    public string Name { get; }

    /// <inheritdoc/>
    public ServedModel? Current => _current?.Facts;

    /// <inheritdoc/>
    public Exception? Failure => _failure;

    /// <summary>How long the model in service has been that; null while there is none.</summary>
    public TimeSpan? Age => Current is { } model ? Options.TimeProvider.GetUtcNow() - model.LoadedAt : null;

    /// <summary>Scores a row.</summary>
    /// <param name="row">The row.</param>
    /// <returns>What the model says.</returns>
    /// <exception cref="InvalidOperationException">No model could be loaded yet; the inner exception says why. Or the rows do not fit the
    /// model.</exception>
    /// <exception cref="ObjectDisposedException">The pool is closed.</exception>
    public TOutput Predict(TInput row) => Predict(row, out _);

    /// <summary>Scores a row, and says with which model.</summary>
    /// <param name="row">The row.</param>
    /// <param name="modelVersion">Out: the version of the model that scored it, for the row's record.</param>
    /// <returns>What the model says.</returns>
    /// <inheritdoc cref="Predict(TInput)" path="/exception"/>
    public TOutput Predict(TInput row, out ulong modelVersion)
    {
        ArgumentNullException.ThrowIfNull(row);
        ModelGeneration<TInput, TOutput> model = Enter();
        try
        {
            PredictionEngine<TInput, TOutput> engine = model.Take();
            var output = new TOutput();
            engine.Predict(row, ref output);
            model.Return(engine);                           // one that threw is not used again
            modelVersion = model.Facts.Version;
            return output;
        }
        finally
        {
            model.Exit();
        }
    }

    /// <summary>Looks at the file, and loads it when it is another one than before and has settled.</summary>
    /// <returns>True when a new model took over.</returns>
    /// <exception cref="ObjectDisposedException">The pool is closed.</exception>
    public bool Look()
    {
        lock (_looking)
        {
            ObjectDisposedException.ThrowIf(_disposed, this);
            return TryFollow();
        }
    }

    /// <summary>Closes the pool; the model goes with the last prediction that uses it. A second call does nothing.</summary>
    public void Dispose()
    {
        lock (_looking)
        {
            if (_disposed)
                return;
            _disposed = true;
            ModelMeters.Remove(this);
            _current?.Exit();
        }
    }

    private ModelGeneration<TInput, TOutput> Enter()
    {
        while (true)
        {
            ModelGeneration<TInput, TOutput>? model = _current;
            if (model is null)
            {
                _ = Look();
                if ((model = _current) is null)
                    throw new InvalidOperationException($"There is no model to predict with yet: {_failure?.Message}", _failure);
            }

            if (model.TryEnter())
                return model;
            ObjectDisposedException.ThrowIf(Volatile.Read(ref _disposed), this);
        }
    }

    /// <summary>Under the lock.</summary>
    private bool TryFollow()
    {
        FileSignature? now;
        try
        {
            now = FileSignature.Of(Options.ModelPath);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            Fail(e, mayRecover: true);
            return false;
        }

        bool isSettled = now == _seen || !_hasLooked;
        (_seen, _hasLooked) = (now, true);
        if (now is null)
        {
            if (_failure is not FileNotFoundException)
                Fail(new FileNotFoundException($"There is no file {Options.ModelPath}.", Options.ModelPath), mayRecover: true);
            _loaded = null;
            return false;
        }

        // Still changing: at the next look. With nothing to serve there is nothing to lose, and it is tried at once.
        if ((!isSettled && _current is not null) || (now == _loaded && !_mayRecover))
            return false;
        return TryLoad(now.Value);
    }

    private bool TryLoad(FileSignature signature)
    {
        byte[] bytes;
        try
        {
            bytes = File.ReadAllBytes(Options.ModelPath);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            Fail(e, mayRecover: true);
            return false;
        }

        if (FileSignature.Of(Options.ModelPath) != signature)
            return false;                                   // changed while it was read
        _loaded = signature;
        ulong version = BinaryPrimitives.ReadUInt64BigEndian(SHA256.HashData(bytes));
        if (_current?.Facts.Version == version)
        {
            Succeed();
            return false;
        }

        ModelGeneration<TInput, TOutput> next;
        try
        {
            next = Load(bytes, version);
        }
        catch (Exception e) when (e is not OutOfMemoryException)
        {
            Fail(new InvalidDataException($"'{Options.ModelPath}' ({bytes.Length} bytes) holds no model that these rows fit: "
                + $"{e.Message}{(_current is null ? "" : " The model before it stays in service.")}", e), mayRecover: false);
            ModelMeters.CountLoad(Name, hasSucceeded: false);
            return false;
        }

        ModelGeneration<TInput, TOutput>? former = _current;
        _current = next;
        former?.Exit();
        Succeed();
        ModelMeters.CountLoad(Name, hasSucceeded: true);
        return true;
    }

    private ModelGeneration<TInput, TOutput> Load(byte[] bytes, ulong version)
    {
        ITransformer model = _context.ForwardSampling().Load(new MemoryStream(bytes, writable: false), out _, Options.Network);
        try
        {
            var facts = new ServedModel(version, Options.TimeProvider.GetUtcNow(), bytes.Length, ++_count);
            var generation = new ModelGeneration<TInput, TOutput>(_context, model, facts, Options.MaximumIdleEngines);
            generation.Return(generation.Take());           // rows that do not fit are an error now, not at the first prediction
            return generation;
        }
        catch
        {
            (model as IDisposable)?.Dispose();
            throw;
        }
    }

    private void Succeed() => (_failure, _mayRecover) = (null, false);

    private void Fail(Exception failure, bool mayRecover) => (_failure, _mayRecover) = (failure, mayRecover);
}
