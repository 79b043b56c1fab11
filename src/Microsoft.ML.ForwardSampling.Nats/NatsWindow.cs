using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;
using Microsoft.ML.ForwardSampling.Records;
using NATS.Client.Core;
using NATS.Client.JetStream;
using NATS.Client.JetStream.Models;

namespace Microsoft.ML.ForwardSampling.Nats;

/// <summary>A window that this worker has: it stays claimed until it is completed, disposed of, or its worker is silent for
/// <see cref="NatsStoreOptions.ClaimTimeout"/>. While it is not, the cluster is told so in the background.</summary>
/// <remarks>A worker that was stopped and woken up may find that another one has the window too. The first to complete it wins, and the
/// other is told. What a worker does elsewhere before it completes may happen twice, with the same <see cref="Partition"/>,
/// <see cref="Number"/> and <see cref="Records"/>.</remarks>
public sealed class NatsWindow : IAsyncDisposable
{
    private readonly JetStream _stream;
    private readonly StoreNames _names;
    private readonly INatsJSMsg<byte[]> _message;
    private readonly CancellationTokenSource _ending = new();
    private readonly Task _holding;
    private readonly ulong _attempt = BitConverter.ToUInt64(RandomNumberGenerator.GetBytes(sizeof(ulong)));
    private bool _completed;
    private bool _disposed;

    internal NatsWindow(JetStream stream, StoreNames names, INatsJSMsg<byte[]> message, TimeSpan timeout, int partition, long number,
        JoinedRecord[] records)
    {
        (_stream, _names, _message, Partition, Number, Records) = (stream, names, message, partition, number, records);
        _holding = Task.Run(() => Hold(timeout / 3), CancellationToken.None);
    }

    /// <summary>Partition of the window, from 0.</summary>
    public int Partition { get; }

    /// <summary>Number of the window within its partition, from 0.</summary>
    public long Number { get; }

    /// <summary>Its rows, in order; the same whenever the window is claimed.</summary>
    public IReadOnlyList<JoinedRecord> Records { get; }

    /// <summary>Called at the moments at which a process that ends is found out about, in a test: "creating", "created".</summary>
    internal Action<string>? Passing { get; set; }

    /// <summary>Stores what was selected, unless somebody has already, and ends the claim.</summary>
    /// <param name="selected">The selected rows and their weights; none is allowed. <c>fs.SelectedKeys(view)</c> reads them from a data
    /// view that SelectRows gave.</param>
    /// <param name="worker">A name for whoever looks; left out, the machine and the process.</param>
    /// <param name="cancellationToken">Ends the waiting; whether the window is completed is then open.</param>
    /// <returns>True when this selection is the window's; false when another worker's was there before.</returns>
    /// <exception cref="ArgumentNullException"><paramref name="selected"/> is null.</exception>
    /// <exception cref="ArgumentException">A key is not of this window.</exception>
    /// <exception cref="NatsException">The cluster refuses or is not there: call it again, it is recognised.</exception>
    public async Task<bool> CompleteAsync(IReadOnlyList<SelectedKey> selected, string? worker = null,
        CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(selected);
        HashSet<ulong> own = [.. Records.Select(r => r.Key)];
        foreach (SelectedKey row in selected)
        {
            if (!own.Contains(row.Key))
                throw new ArgumentException($"Window {Number} of partition {Partition} has no row of key {row.Key}: each key must be that "
                    + $"of one of its records.", nameof(selected));
        }

        string subject = _names.Selection(Partition, Number);
        byte[] bytes = SelectionEncoding.Write(_attempt, worker ?? $"{Environment.MachineName}:{Environment.ProcessId}", selected);
        Passing?.Invoke("creating");
        bool isOurs = await _stream.TryCreate(subject, bytes, cancellationToken).ConfigureAwait(false);
        if (!isOurs)
        {
            // Perhaps it is our own, whose answer was lost.
            StoredMessage? there = await _stream.Last(_names.SelectionsStream, subject, cancellationToken).ConfigureAwait(false);
            isOurs = there is not null && there.Data.Span.SequenceEqual(bytes);
        }

        Passing?.Invoke("created");
        _completed = true;
        await _message.AckAsync(new AckOpts { DoubleAck = true }, cancellationToken).ConfigureAwait(false);
        return isOurs;
    }

    /// <summary>Gives the window back if it was not completed.</summary>
    /// <returns>Completes when the cluster was told.</returns>
    public async ValueTask DisposeAsync()
    {
        if (_disposed)
            return;
        _disposed = true;
        await _ending.CancelAsync().ConfigureAwait(false);
        await _holding.ConfigureAwait(false);
        _ending.Dispose();
        try
        {
            if (!_completed)
                await _message.NakAsync().ConfigureAwait(false);
        }
        catch (Exception e) when (JetStream.IsPassing(e))
        {
            // The claim's timeout gives it back.
        }
    }

    private async Task Hold(TimeSpan interval)
    {
        while (!_ending.IsCancellationRequested)
        {
            try
            {
                await Task.Delay(interval, _ending.Token).ConfigureAwait(false);
                await _message.AckProgressAsync(cancellationToken: _ending.Token).ConfigureAwait(false);
            }
            catch (Exception e) when (JetStream.IsPassing(e) || e is OperationCanceledException)
            {
            }
        }
    }
}

/// <summary>What a worker selected from one window.</summary>
/// <param name="Partition">Partition of the window, from 0.</param>
/// <param name="Number">Number of the window within its partition, from 0.</param>
/// <param name="Worker">Name of the worker.</param>
/// <param name="Rows">The selected rows and their weights.</param>
public sealed record NatsSelection(int Partition, long Number, string Worker, IReadOnlyList<SelectedKey> Rows);

/// <summary>A selection: "FSC", version byte, attempt (8), rows (4), length of the worker's name (4); name; keys (8) and weights (4);
/// checksum.</summary>
internal static class SelectionEncoding
{
    private const byte Version = 1;
    private const int HeadBytes = 20;
    private const int RowBytes = 12;

    private static ReadOnlySpan<byte> Magic => "FSC"u8;

    public static byte[] Write(ulong attempt, string worker, IReadOnlyList<SelectedKey> rows)
    {
        byte[] name = Encoding.UTF8.GetBytes(worker);
        byte[] bytes = new byte[HeadBytes + name.Length + (rows.Count * RowBytes) + sizeof(uint)];
        Magic.CopyTo(bytes);
        bytes[3] = Version;
        BinaryPrimitives.WriteUInt64LittleEndian(bytes.AsSpan(4), attempt);
        BinaryPrimitives.WriteInt32LittleEndian(bytes.AsSpan(12), rows.Count);
        BinaryPrimitives.WriteInt32LittleEndian(bytes.AsSpan(16), name.Length);
        name.CopyTo(bytes.AsSpan(HeadBytes));
        Span<byte> at = bytes.AsSpan(HeadBytes + name.Length);
        foreach (SelectedKey row in rows)
        {
            BinaryPrimitives.WriteUInt64LittleEndian(at, row.Key);
            BinaryPrimitives.WriteSingleLittleEndian(at[8..], row.Weight);
            at = at[RowBytes..];
        }

        BinaryPrimitives.WriteUInt32LittleEndian(at, Crc32C.Of(bytes.AsSpan(0, bytes.Length - sizeof(uint))));
        return bytes;
    }

    /// <summary>Reads a selection.</summary>
    /// <exception cref="InvalidDataException">The bytes are none, or damaged.</exception>
    /// <exception cref="NotSupportedException">It is of a newer format.</exception>
    public static (string Worker, SelectedKey[] Rows) Read(ReadOnlySpan<byte> bytes)
    {
        if (bytes.Length < HeadBytes + sizeof(uint) || !bytes.StartsWith(Magic)
            || BinaryPrimitives.ReadUInt32LittleEndian(bytes[^sizeof(uint)..]) != Crc32C.Of(bytes[..^sizeof(uint)]))
            throw new InvalidDataException($"{bytes.Length} bytes are no selection, or damaged.");
        if (bytes[3] > Version)
            throw new NotSupportedException($"The selection has format version {bytes[3]}, and this library reads versions up to "
                + $"{Version}.");
        int count = BinaryPrimitives.ReadInt32LittleEndian(bytes[12..]), name = BinaryPrimitives.ReadInt32LittleEndian(bytes[16..]);
        if (count < 0 || name < 0 || bytes.Length != HeadBytes + (long)name + ((long)count * RowBytes) + sizeof(uint))
            throw new InvalidDataException($"The selection of {bytes.Length} bytes is damaged: {count} rows and a name of {name} bytes.");
        var rows = new SelectedKey[count];
        ReadOnlySpan<byte> at = bytes[(HeadBytes + name)..];
        for (int i = 0; i < count; i++, at = at[RowBytes..])
            rows[i] = new SelectedKey(BinaryPrimitives.ReadUInt64LittleEndian(at), BinaryPrimitives.ReadSingleLittleEndian(at[8..]));
        return (Encoding.UTF8.GetString(bytes.Slice(HeadBytes, name)), rows);
    }
}
