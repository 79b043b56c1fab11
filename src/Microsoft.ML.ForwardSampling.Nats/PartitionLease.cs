using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;
using NATS.Client.JetStream.Models;

namespace Microsoft.ML.ForwardSampling.Nats;

/// <summary>The right to join a partition: the last entry of a stream to which only who has seen its last entry can append.</summary>
/// <remarks>A joiner that saves its state appends behind it, and only then lets anybody know of it. Who takes over appends too, and only
/// then looks for the state: so it finds all that anybody was told of. No clock decides; silence for the timeout is only the reason to
/// try.</remarks>
internal sealed class PartitionLease : IAsyncDisposable
{
    private static readonly TimeSpan s_retry = TimeSpan.FromMilliseconds(200);

    private readonly JetStream _stream;
    private readonly StoreNames _names;
    private readonly int _partition;
    private readonly SemaphoreSlim _turn = new(1);
    private readonly CancellationTokenSource _ending = new();
    private readonly TimeSpan _timeout;
    private LeaseEntry _entry;
    private ulong _last;
    private long _committedAt;
    private Task _beating = Task.CompletedTask;
    private LeaseLostException? _lost;

    private PartitionLease(JetStream stream, StoreNames names, int partition, TimeSpan timeout, LeaseEntry entry, ulong last)
        => (_stream, _names, _partition, _timeout, _entry, _last) = (stream, names, partition, timeout, entry, last);

    public long Epoch => _entry.Epoch;

    public LeaseLostException? Lost => Volatile.Read(ref _lost);

    /// <summary>Waits until the partition is free, and takes it.</summary>
    /// <param name="stream">The cluster.</param>
    /// <param name="names">Of the store.</param>
    /// <param name="partition">Which.</param>
    /// <param name="timeout">An owner that is silent so long is taken for dead.</param>
    /// <param name="owner">A name for whoever asks.</param>
    /// <param name="known">The latest epoch whose state the caller has; 0: none.</param>
    /// <param name="place">Where it looks for it.</param>
    /// <param name="cancellationToken">Ends the waiting.</param>
    /// <exception cref="InvalidOperationException">A later state than the caller's is somewhere else.</exception>
    public static async Task<PartitionLease> Take(JetStream stream, StoreNames names, int partition, TimeSpan timeout, string owner,
        Func<CancellationToken, Task<long>> known, string place, CancellationToken cancellationToken)
    {
        ulong id = BitConverter.ToUInt64(RandomNumberGenerator.GetBytes(sizeof(ulong)));
        ulong seen = ulong.MaxValue;
        bool asksForState = false;
        for (long since = Environment.TickCount64; ; cancellationToken.ThrowIfCancellationRequested())
        {
            try
            {
                StoredMessage? last = await stream.Last(names.LeaseStream(partition), names.Lease(partition), cancellationToken)
                    .ConfigureAwait(false);
                LeaseEntry former = last is null ? default : LeaseEntry.Read(last.Data.Span);
                ulong sequence = last?.Seq ?? 0;
                if (former.Id == id)
                    return Begin(new PartitionLease(stream, names, partition, timeout, former, sequence));
                if (sequence != seen)
                    (seen, since) = (sequence, Environment.TickCount64);
                if (last is not null && !former.IsReleased && Environment.TickCount64 - since < timeout.TotalMilliseconds)
                {
                    await Task.Delay(timeout / 20, cancellationToken).ConfigureAwait(false);
                    continue;
                }

                asksForState = true;
                long mine = await known(cancellationToken).ConfigureAwait(false);
                asksForState = false;
                if (mine < former.Settled)
                    throw new InvalidOperationException($"Partition {partition} was joined by {former.Owner}, and its state of epoch "
                        + $"{former.Settled} is not in {place}, which has {(mine == 0 ? "none" : $"epoch {mine}")}. Join it in that "
                        + $"folder, or bring all of it here: what writers have let go of is nowhere else.");
                var entry = new LeaseEntry(Math.Max(former.Epoch, mine) + 1, id, former.Settled, IsReleased: false, owner);
                if (await stream.TryAppendAfter(names.Lease(partition), entry.ToArray(), sequence, cancellationToken)
                    .ConfigureAwait(false) is { } got)
                    return Begin(new PartitionLease(stream, names, partition, timeout, entry, got));
            }
            catch (Exception e) when (!asksForState && JetStream.IsPassing(e))
            {
                await Task.Delay(s_retry, cancellationToken).ConfigureAwait(false);
            }
        }
    }

    /// <summary>The state of this epoch is in its folder.</summary>
    public Task Settle(CancellationToken cancellationToken) => Append(entry => entry with { Settled = entry.Epoch }, cancellationToken);

    /// <summary>Requires that nobody else has the partition, now and when all that was saved before was saved.</summary>
    /// <exception cref="LeaseLostException">Somebody else has it.</exception>
    public Task Commit(CancellationToken cancellationToken) => Append(entry => entry, cancellationToken);

    /// <summary>Gives the partition back, if the cluster answers soon.</summary>
    public async ValueTask DisposeAsync()
    {
        await _ending.CancelAsync().ConfigureAwait(false);
        await _beating.ConfigureAwait(false);
        using var soon = new CancellationTokenSource(TimeSpan.FromSeconds(2));
        try
        {
            if (Lost is null)
                await Append(entry => entry with { IsReleased = true }, soon.Token).ConfigureAwait(false);
        }
        catch (Exception e) when (JetStream.IsPassing(e) || e is OperationCanceledException or LeaseLostException)
        {
            // Then the others wait for the timeout.
        }

        _ending.Dispose();
        _turn.Dispose();
    }

    private static PartitionLease Begin(PartitionLease lease)
    {
        lease._beating = Task.Run(lease.Beat);
        return lease;
    }

    private async Task Beat()
    {
        try
        {
            while (Lost is null)
            {
                await Task.Delay(_timeout / 5, _ending.Token).ConfigureAwait(false);
                if (Environment.TickCount64 - Interlocked.Read(ref _committedAt) > _timeout.TotalMilliseconds / 5)
                    await Commit(_ending.Token).ConfigureAwait(false);
            }
        }
        catch (Exception e) when (e is OperationCanceledException or LeaseLostException)
        {
        }
    }

    private async Task Append(Func<LeaseEntry, LeaseEntry> change, CancellationToken cancellationToken)
    {
        await _turn.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            LeaseEntry entry = change(_entry);
            while (true)
            {
                if (Lost is { } lost)
                    throw new LeaseLostException(lost.Message);
                try
                {
                    if (await _stream.TryAppendAfter(_names.Lease(_partition), entry.ToArray(), _last, cancellationToken)
                        .ConfigureAwait(false) is { } got)
                    {
                        (_entry, _last) = (entry, got);
                        Interlocked.Exchange(ref _committedAt, Environment.TickCount64);
                        return;
                    }

                    // Our own entry whose answer was lost, or one that a node forgot, may be the reason: then once more.
                    StoredMessage? last = await _stream.Last(_names.LeaseStream(_partition), _names.Lease(_partition), cancellationToken)
                        .ConfigureAwait(false);
                    LeaseEntry found = last is null ? default : LeaseEntry.Read(last.Data.Span);
                    if (found.Id != entry.Id)
                        Volatile.Write(ref _lost, new LeaseLostException($"Partition {_partition} is joined by {found.Owner} now, epoch "
                            + $"{found.Epoch}; this joiner was of epoch {entry.Epoch}."));
                    else
                        _last = last!.Seq;
                }
                catch (Exception e) when (JetStream.IsPassing(e) && e is not LeaseLostException)
                {
                    await Task.Delay(s_retry, cancellationToken).ConfigureAwait(false);
                }
            }
        }
        finally
        {
            _turn.Release();
        }
    }
}

/// <summary>An entry of a partition's lease: version byte, flags, epoch, owner's number, settled epoch, owner's name.</summary>
/// <param name="Epoch">From 1, one more for each owner.</param>
/// <param name="Id">Random number of the owner.</param>
/// <param name="Settled">The latest epoch that has a state; 0: none.</param>
/// <param name="IsReleased">The owner has ended.</param>
/// <param name="Owner">Its name.</param>
internal readonly record struct LeaseEntry(long Epoch, ulong Id, long Settled, bool IsReleased, string Owner)
{
    private const byte Version = 1;
    private const int HeadBytes = 28;

    public byte[] ToArray()
    {
        byte[] owner = Encoding.UTF8.GetBytes(Owner), bytes = new byte[HeadBytes + owner.Length];
        bytes[0] = Version;
        bytes[1] = IsReleased ? (byte)1 : (byte)0;
        BinaryPrimitives.WriteInt64LittleEndian(bytes.AsSpan(4), Epoch);
        BinaryPrimitives.WriteUInt64LittleEndian(bytes.AsSpan(12), Id);
        BinaryPrimitives.WriteInt64LittleEndian(bytes.AsSpan(20), Settled);
        owner.CopyTo(bytes.AsSpan(HeadBytes));
        return bytes;
    }

    /// <summary>Reads an entry.</summary>
    /// <exception cref="InvalidDataException">It is none.</exception>
    /// <exception cref="NotSupportedException">It is of a newer format.</exception>
    public static LeaseEntry Read(ReadOnlySpan<byte> bytes)
    {
        if (bytes.Length > 0 && bytes[0] > Version)
            throw new NotSupportedException($"The lease has format version {bytes[0]}, and this library reads versions up to {Version}.");
        if (bytes.Length < HeadBytes || bytes[0] != Version)
            throw new InvalidDataException($"{bytes.Length} bytes are no entry of a lease.");
        return new LeaseEntry(
            BinaryPrimitives.ReadInt64LittleEndian(bytes[4..]),
            BinaryPrimitives.ReadUInt64LittleEndian(bytes[12..]),
            BinaryPrimitives.ReadInt64LittleEndian(bytes[20..]),
            bytes[1] == 1,
            Encoding.UTF8.GetString(bytes[HeadBytes..]));
    }
}
