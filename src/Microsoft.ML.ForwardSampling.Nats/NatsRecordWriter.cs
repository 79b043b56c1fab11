using System.Security.Cryptography;
using Microsoft.ML.ForwardSampling.Records;

namespace Microsoft.ML.ForwardSampling.Nats;

/// <summary>Writes the records, or the labels, of one process for a <see cref="NatsRecordStore{TRecord}"/>, from any number of threads; any
/// number of processes write side by side.</summary>
/// <remarks>
/// <para><b>Acknowledged</b> means on this machine's disk. A thread of the writer cuts batches into blocks, one for each partition, and
/// writes them into a folder; then the records numbered up to <see cref="BufferedRecordWriter{TRecord}.Acknowledged"/> have the promised
/// <see cref="NatsWriterOptions.Durability"/>. The blocks are shipped from there, and stay until a joiner says that it has saved them:
/// what the cluster loses is shipped again.</para>
/// <para><b>A killed writer's blocks</b> are shipped by the next one that opens its folder. Start it again, also on a machine that has
/// nothing more to write, or what is there waits.</para>
/// <para><b>Without a cluster</b> the folder fills up to <see cref="NatsWriterOptions.DiskBytes"/>; then memory does, and then
/// <see cref="RecordWriterOptions.Overflow"/> says what happens.</para>
/// <para>What else <see cref="BufferedRecordWriter{TRecord}"/> says holds.</para>
/// </remarks>
/// <typeparam name="TRecord"><see cref="RegressionRecord"/>, <see cref="BinaryRecord"/>, <see cref="MulticlassRecord"/> or
/// <see cref="LabelEvent"/>.</typeparam>
public sealed class NatsRecordWriter<TRecord> : BufferedRecordWriter<TRecord>
    where TRecord : struct, ILogRecord<TRecord>
{
    private readonly Outbox _outbox;
    private readonly BlockCutter<TRecord> _cutter;
    private readonly Shipping _shipping;
    private readonly IDisposable _metered;

    internal NatsRecordWriter(JetStream stream, StoreNames names, int partitions, string directory, NatsWriterOptions options,
        Func<CancellationToken, Task> check)
        : base(options.Buffer())
    {
        Directory = Path.GetFullPath(directory);
        ulong writer = BitConverter.ToUInt64(RandomNumberGenerator.GetBytes(sizeof(ulong)));
        _cutter = new BlockCutter<TRecord>(writer, partitions);
        _outbox = new Outbox(Directory, writer, TRecord.Kind, options);
        try
        {
            _shipping = new Shipping(stream, _outbox, partitions, p => names.Blocks(TRecord.Kind, p), p => names.Told(TRecord.Kind, p),
                p => names.Ask(TRecord.Kind, p), check, id => BlockEncoding.Lost<TRecord>(in id), options.RetryInterval);
        }
        catch
        {
            _outbox.Dispose();
            throw;
        }

        _metered = FleetMeters.Add(TRecord.Kind, () => new ShippingTotals
        {
            Shipped = _shipping.Shipped,
            Repeated = _shipping.Repeated,
            Damaged = _outbox.DamagedBlocks,
            Failures = _shipping.Failures,
            Unconfirmed = _shipping.UnconfirmedRecords,
            DiskBytes = _outbox.Bytes,
        });
        Start();
    }

    /// <summary>Full path of the folder.</summary>
    public string Directory { get; }

    /// <inheritdoc/>
    public override NatsWriterReport Report => new(Count())
    {
        ShippedBlocks = _shipping.Shipped,
        RepeatedBlocks = _shipping.Repeated,
        UnshippedBlocks = _shipping.Unshipped,
        UnconfirmedRecords = _shipping.UnconfirmedRecords,
        DiskBytes = _outbox.Bytes,
        AdoptedWriters = _outbox.AdoptedWriters,
        TornBytes = _outbox.TornBytes,
        DamagedBlocks = _outbox.DamagedBlocks,
        ShippingFailures = _shipping.Failures,
        ShippingFailure = _shipping.Failure,
    };

    /// <inheritdoc/>
    protected override string Name => $"The writer in {Directory}";

    /// <inheritdoc/>
    protected override string Refusal => "the disk refused or was full";

    /// <summary>Flushes, and waits until a joiner has saved all that is in the folder: before a machine is given up.</summary>
    /// <param name="cancellationToken">Ends the waiting.</param>
    /// <returns>Completes when the folder holds nothing that is needed.</returns>
    /// <exception cref="IOException">The disk refuses.</exception>
    /// <exception cref="OperationCanceledException">Cancelled while waiting.</exception>
    /// <exception cref="ObjectDisposedException">The writer is closed.</exception>
    public async Task ConfirmAsync(CancellationToken cancellationToken = default)
    {
        await FlushAsync(cancellationToken).ConfigureAwait(false);
        await _shipping.Confirmed(cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Writes blocks to the disk, and hands them on to be shipped.</summary>
    /// <param name="batch">The records.</param>
    protected override void WriteBatch(RecordBatch<TRecord> batch)
    {
        List<OutboxBlock> blocks = _outbox.Write(_cutter.Cut(batch));
        _cutter.Accept();
        _shipping.Add(blocks);
    }

    /// <inheritdoc/>
    protected override void Close()
    {
        _shipping.Dispose();
        _metered.Dispose();
        _outbox.Dispose();
    }
}
