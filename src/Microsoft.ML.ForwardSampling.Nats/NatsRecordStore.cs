using System.Buffers.Binary;
using System.Collections.Concurrent;
using System.Runtime.CompilerServices;
using Microsoft.ML.ForwardSampling.Records;
using NATS.Client.Core;
using NATS.Client.JetStream;
using NATS.Client.JetStream.Models;

namespace Microsoft.ML.ForwardSampling.Nats;

/// <summary>Records, labels and windows of a fleet over NATS JetStream: serving processes write records, others write labels, a joiner for
/// each partition brings them together into windows, and workers on any number of machines select from these.</summary>
/// <remarks>
/// <para>The cluster carries; it is not what an acknowledgement rests on. A writer keeps what it was given on its own disk until a joiner
/// has saved it on its own: each row is in one window while those disks live, whatever the cluster loses or repeats.</para>
/// <para>nats-server 2.9 or later with JetStream. Thread-safe. Guide and contract: docs/fleet.md.</para>
/// </remarks>
/// <typeparam name="TRecord"><see cref="RegressionRecord"/>, <see cref="BinaryRecord"/> or <see cref="MulticlassRecord"/>; one store name
/// holds one of them.</typeparam>
public sealed class NatsRecordStore<TRecord> : IAsyncDisposable
    where TRecord : struct, IForwardRecord<TRecord>
{
    private const byte SettingsVersion = 1;
    private const int SettingsBytes = 16;

    /// <summary>A process that serves is not held up longer by a cluster that is not there.</summary>
    private static readonly TimeSpan s_longestCheck = TimeSpan.FromSeconds(3);

    private readonly INatsConnection? _owned;
    private readonly JetStream _stream;
    private readonly NatsStoreOptions _options;
    private readonly StoreNames _names;
    private readonly ConcurrentDictionary<int, INatsJSConsumer> _workers = new();
    private int _turn = -1;
    private bool _isChecked;

    /// <summary>A store over a connection that the caller keeps and disposes of.</summary>
    /// <param name="connection">To the cluster; TLS, user and timeouts are its affair.</param>
    /// <param name="options">Left out, the defaults.</param>
    /// <exception cref="ArgumentNullException"><paramref name="connection"/> is null.</exception>
    public NatsRecordStore(INatsConnection connection, NatsStoreOptions? options = null)
        : this(connection ?? throw new ArgumentNullException(nameof(connection)), owned: null, options)
    {
    }

    /// <summary>A store over a connection of its own, which it opens when it is first used.</summary>
    /// <param name="url">Servers of the cluster, for example <c>nats://one:4222,nats://two:4222</c>; user and password may stand in
    /// it.</param>
    /// <param name="options">Left out, the defaults.</param>
    /// <exception cref="ArgumentException"><paramref name="url"/> is empty.</exception>
    public NatsRecordStore(string url, NatsStoreOptions? options = null)
        : this(Connect(url), options, isOwned: true)
    {
    }

    private NatsRecordStore(INatsConnection connection, NatsStoreOptions? options, bool isOwned)
        : this(connection, isOwned ? connection : null, options)
    {
    }

    private NatsRecordStore(INatsConnection connection, INatsConnection? owned, NatsStoreOptions? options)
    {
        _owned = owned;
        _stream = new JetStream(connection);
        _options = options ?? new NatsStoreOptions();
        _names = new StoreNames(_options.Name);
    }

    /// <summary>Makes the store's streams, or checks that they are as the options say; does nothing more when they are. For the user who
    /// owns them.</summary>
    /// <param name="cancellationToken">Ends the waiting; some of the streams may be there.</param>
    /// <returns>Completes when all are there. Several processes may do it at once.</returns>
    /// <exception cref="NotSupportedException">The store is of a newer version than this library.</exception>
    /// <exception cref="InvalidOperationException">The store is of another kind of record, or was made with other options.</exception>
    /// <exception cref="NatsException">The cluster refuses or is not there.</exception>
    public async Task MigrateAsync(CancellationToken cancellationToken = default)
    {
        await _stream.RequireStream(Config(_names.SettingsStream, _names.Settings), cancellationToken).ConfigureAwait(false);
        await _stream.TryCreate(_names.Settings, Settings(), cancellationToken).ConfigureAwait(false);
        await CheckSettings(cancellationToken).ConfigureAwait(false);

        await _stream.RequireStream(Config(_names.SelectionsStream, _names.Selections) with { MaxAge = _options.SelectionRetention },
            cancellationToken).ConfigureAwait(false);
        for (int p = 0; p < _options.Partitions; p++)
        {
            foreach (RecordKind kind in (RecordKind[])[TRecord.Kind, RecordKind.Label])
                await _stream.RequireStream(Bounded(_names.BlocksStream(kind, p), _names.Blocks(kind, p)), cancellationToken)
                    .ConfigureAwait(false);
            await _stream.RequireStream(Bounded(_names.WindowsStream(p), _names.Windows(p)), cancellationToken).ConfigureAwait(false);
            await _stream.RequireStream(Config(_names.LeaseStream(p), _names.Lease(p)) with
            { MaxMsgs = 16, Discard = StreamConfigDiscard.Old }, cancellationToken).ConfigureAwait(false);
            await _stream.RequireConsumer(_names.WindowsStream(p), new ConsumerConfig(StoreNames.Workers)
            {
                AckPolicy = ConsumerConfigAckPolicy.Explicit,
                AckWait = _options.ClaimTimeout,
                MaxDeliver = -1,
                MaxAckPending = 10_000,
            }, cancellationToken).ConfigureAwait(false);
        }
    }

    /// <summary>Opens a writer of records: one for a process is enough.</summary>
    /// <param name="directory">Folder on a local disk, for records of this store only; several processes may share it. What killed writers
    /// have left there is shipped too.</param>
    /// <param name="options">Left out, the defaults.</param>
    /// <param name="cancellationToken">Ends the waiting.</param>
    /// <returns>The writer. A cluster that is not there does not matter: what it takes waits on the disk.</returns>
    /// <exception cref="ArgumentException"><paramref name="directory"/> is empty, or options do not agree with each other.</exception>
    /// <exception cref="InvalidOperationException">The store is not there, was made with other options, or holds another kind of
    /// record.</exception>
    /// <exception cref="InvalidDataException">The folder holds blocks of another kind of record.</exception>
    /// <exception cref="IOException">The folder cannot be made or written to, or file locks do not lock there.</exception>
    public Task<NatsRecordWriter<TRecord>> OpenWriterAsync(string directory, NatsWriterOptions? options = null,
        CancellationToken cancellationToken = default)
        => OpenAsync<TRecord>(directory, options, cancellationToken);

    /// <summary>Opens a writer of labels.</summary>
    /// <param name="directory">As that of <see cref="OpenWriterAsync"/>, another one.</param>
    /// <param name="options">Left out, the defaults.</param>
    /// <param name="cancellationToken">Ends the waiting.</param>
    /// <returns>The writer. A cluster that is not there does not matter: what it takes waits on the disk.</returns>
    /// <exception cref="ArgumentException"><paramref name="directory"/> is empty, options do not agree with each other, or ask for
    /// <see cref="RecordOverflow.DropAndRecord"/>.</exception>
    /// <exception cref="InvalidOperationException">The store is not there, was made with other options, or holds another kind of
    /// record.</exception>
    /// <exception cref="InvalidDataException">The folder holds blocks of records.</exception>
    /// <exception cref="IOException">The folder cannot be made or written to, or file locks do not lock there.</exception>
    public Task<NatsRecordWriter<LabelEvent>> OpenLabelWriterAsync(string directory, NatsWriterOptions? options = null,
        CancellationToken cancellationToken = default)
        => OpenAsync<LabelEvent>(directory, options, cancellationToken);

    /// <summary>Waits until a partition is free, and takes it to join it.</summary>
    /// <param name="partition">Which, from 0.</param>
    /// <param name="directory">The joiner's folder, its memory over restarts: on this machine, or on a disk shared with the joiners that
    /// shall take over; with <see cref="NatsJoinerOptions.StateStore"/> its workplace. All partitions may have the same.</param>
    /// <param name="join">The rules, the same for every joiner of the store. Let Lateness be more than a writer may be cut off from the
    /// cluster: what comes later than that is late.</param>
    /// <param name="options">Left out, the defaults.</param>
    /// <param name="cancellationToken">Ends the waiting.</param>
    /// <returns>The joiner; it begins with <see cref="NatsJoiner{TRecord}.RunAsync"/>.</returns>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="partition"/> is not one of the store's.</exception>
    /// <exception cref="ArgumentException"><paramref name="directory"/> is empty, labels of classes cannot be summed or averaged, or the
    /// state was saved under other rules.</exception>
    /// <exception cref="InvalidOperationException">The store is not there, was made with other options, or holds another kind of record; or
    /// the partition was joined in another folder.</exception>
    /// <exception cref="InvalidDataException">The state is damaged, or of another kind of record.</exception>
    /// <exception cref="NotSupportedException">The state, or the store, is of a newer version.</exception>
    /// <exception cref="IOException">The folder cannot be made, read or written, or the state store refuses or is not there.</exception>
    public async Task<NatsJoiner<TRecord>> OpenJoinerAsync(int partition, string directory, LabelJoinOptions join,
        NatsJoinerOptions? options = null, CancellationToken cancellationToken = default)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(partition);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(partition, _options.Partitions);
        ArgumentException.ThrowIfNullOrWhiteSpace(directory);
        ArgumentNullException.ThrowIfNull(join);
        _ = new LabelJoiner<TRecord>(join);                 // refuses what does not fit before the partition is taken
        await Check(cancellationToken).ConfigureAwait(false);
        return await NatsJoiner<TRecord>.Open(_stream, _names, _options, partition, directory, join, options ?? new NatsJoinerOptions(),
            cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Claims a window that is open and that no other worker has, of any partition in turn.</summary>
    /// <param name="cancellationToken">Ends the waiting.</param>
    /// <returns>The window with its rows, or null when none is open. Complete it or dispose of it.</returns>
    /// <exception cref="InvalidOperationException">The store is not there, was made with other options, or holds another kind of
    /// record.</exception>
    /// <exception cref="InvalidDataException">A message is no window.</exception>
    /// <exception cref="NotSupportedException">The window, or the store, is of a newer version.</exception>
    /// <exception cref="NatsException">The cluster refuses or is not there.</exception>
    public async Task<NatsWindow?> ClaimWindowAsync(CancellationToken cancellationToken = default)
    {
        await Check(cancellationToken).ConfigureAwait(false);
        for (int i = 0; i < _options.Partitions; i++)
        {
            int p = (int)((uint)Interlocked.Increment(ref _turn) % (uint)_options.Partitions);
            while (await Fetch(p, cancellationToken).ConfigureAwait(false) is { } message)
            {
                JoinedRecord[] rows = WindowEncoding.Read(message.Data, out int partition, out long number);
                if (await _stream.Last(_names.SelectionsStream, _names.Selection(partition, number), cancellationToken)
                    .ConfigureAwait(false) is null)
                    return new NatsWindow(_stream, _names, message, _options.ClaimTimeout, partition, number, rows);
                // Its worker completed it and died before it said so.
                await message.AckAsync(new AckOpts { DoubleAck = true }, cancellationToken).ConfigureAwait(false);
            }
        }

        return null;
    }

    /// <summary>Reads what workers selected from a partition, window by window in order. It ends before the first window that is not
    /// completed yet: go on from that one later.</summary>
    /// <param name="partition">Which, from 0.</param>
    /// <param name="firstWindow">Number of the window to begin with.</param>
    /// <param name="cancellationToken">Ends the reading.</param>
    /// <returns>Completed windows.</returns>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="partition"/> is not one of the store's.</exception>
    /// <exception cref="InvalidDataException">A message is no selection.</exception>
    /// <exception cref="NatsException">The cluster refuses or is not there.</exception>
    public async IAsyncEnumerable<NatsSelection> ReadSelectionsAsync(int partition, long firstWindow = 0,
        [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(partition);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(partition, _options.Partitions);
        for (long number = firstWindow; await _stream.Last(_names.SelectionsStream, _names.Selection(partition, number), cancellationToken)
            .ConfigureAwait(false) is { } message; number++)
        {
            (string worker, SelectedKey[] rows) = SelectionEncoding.Read(message.Data.Span);
            yield return new NatsSelection(partition, number, worker, rows);
        }
    }

    /// <summary>Closes the connection, if the store opened it.</summary>
    /// <returns>Completes when it is closed.</returns>
    public ValueTask DisposeAsync() => _owned?.DisposeAsync() ?? ValueTask.CompletedTask;

    private static NatsConnection Connect(string url)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(url);
        return new NatsConnection(NatsOpts.Default with { Url = url });
    }

    private async Task<INatsJSMsg<byte[]>?> Fetch(int partition, CancellationToken cancellationToken)
    {
        INatsJSConsumer workers = _workers.TryGetValue(partition, out INatsJSConsumer? known) ? known
            : _workers.GetOrAdd(partition, await _stream.Consumer(_names.WindowsStream(partition), StoreNames.Workers, cancellationToken)
                .ConfigureAwait(false));
        await foreach (INatsJSMsg<byte[]> message in workers.FetchNoWaitAsync<byte[]>(new NatsJSFetchOpts { MaxMsgs = 1 },
            cancellationToken: cancellationToken).ConfigureAwait(false))
            return message;
        return null;
    }

    private async Task<NatsRecordWriter<T>> OpenAsync<T>(string directory, NatsWriterOptions? options, CancellationToken cancellationToken)
        where T : struct, ILogRecord<T>
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(directory);
        options ??= new NatsWriterOptions();
        _ = options.Buffer(); // what does not agree is told before anything is opened
        using (var soon = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken))
        {
            soon.CancelAfter(s_longestCheck);
            try
            {
                await Check(soon.Token).ConfigureAwait(false);
            }
            catch (Exception e) when (!cancellationToken.IsCancellationRequested
                && (JetStream.IsPassing(e) || e is OperationCanceledException))
            {
                // It is checked before the first block is shipped.
            }
        }

        return new NatsRecordWriter<T>(_stream, _names, _options.Partitions, directory, options, Check);
    }

    private StreamConfig Config(string name, string subject) => new(name, [subject])
    {
        Storage = StreamConfigStorage.File,
        Retention = StreamConfigRetention.Limits,
        Discard = StreamConfigDiscard.New,
        NumReplicas = _options.Replicas,
        DuplicateWindow = TimeSpan.FromMinutes(2),
    };

    private StreamConfig Bounded(string name, string subject) => Config(name, subject) with { MaxBytes = _options.StreamBytes };

    private byte[] Settings()
    {
        byte[] bytes = new byte[SettingsBytes];
        bytes[0] = SettingsVersion;
        bytes[1] = (byte)TRecord.Kind;
        BinaryPrimitives.WriteInt32LittleEndian(bytes.AsSpan(4), _options.Partitions);
        BinaryPrimitives.WriteInt32LittleEndian(bytes.AsSpan(8), _options.WindowRows);
        BinaryPrimitives.WriteUInt32LittleEndian(bytes.AsSpan(12), Crc32C.Of(bytes.AsSpan(0, 12)));
        return bytes;
    }

    /// <summary>The first use checks that the store is there and what these options say.</summary>
    private async Task Check(CancellationToken cancellationToken)
    {
        if (Volatile.Read(ref _isChecked))
            return;
        if (await _stream.Find(_names.SettingsStream, cancellationToken).ConfigureAwait(false) is null)
            throw new InvalidOperationException($"There is no store {_options.Name} in this cluster. Call MigrateAsync once, as the user "
                + $"who owns the streams.");
        await CheckSettings(cancellationToken).ConfigureAwait(false);
    }

    private async Task CheckSettings(CancellationToken cancellationToken)
    {
        StoredMessage? stored = await _stream.Last(_names.SettingsStream, _names.Settings, cancellationToken).ConfigureAwait(false);
        if (stored is null)
            throw new InvalidOperationException($"The store {_options.Name} is not settled yet: its migration was cut off. Call "
                + $"MigrateAsync.");
        Compare(stored.Data.Span);
        Volatile.Write(ref _isChecked, true);
    }

    private void Compare(ReadOnlySpan<byte> settings)
    {
        if (settings.Length > 0 && settings[0] > SettingsVersion)
            throw new NotSupportedException($"The store {_options.Name} has version {settings[0]}, and this library knows versions up to "
                + $"{SettingsVersion}. Use a library at least as new as the one that migrated it.");
        if (settings.Length != SettingsBytes
            || BinaryPrimitives.ReadUInt32LittleEndian(settings[12..]) != Crc32C.Of(settings[..12]))
            throw new InvalidDataException($"The settings of the store {_options.Name} are damaged: {settings.Length} bytes, and length or "
                + $"checksum is wrong.");
        var kind = (RecordKind)settings[1];
        if (kind != TRecord.Kind)
            throw new InvalidOperationException($"The store {_options.Name} holds {kind} records, and this one is of {TRecord.Kind} "
                + $"records. Use another name.");
        RequireSame(nameof(NatsStoreOptions.Partitions), BinaryPrimitives.ReadInt32LittleEndian(settings[4..]), _options.Partitions);
        RequireSame(nameof(NatsStoreOptions.WindowRows), BinaryPrimitives.ReadInt32LittleEndian(settings[8..]), _options.WindowRows);
    }

    private void RequireSame(string option, int there, int wanted)
    {
        if (there != wanted)
            throw new InvalidOperationException($"The store {_options.Name} was made with {nameof(NatsStoreOptions)}.{option} {there}, and "
                + $"this one asks for {wanted}.");
    }
}
