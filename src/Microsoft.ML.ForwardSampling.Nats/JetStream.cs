using NATS.Client.Core;
using NATS.Client.JetStream;
using NATS.Client.JetStream.Models;

namespace Microsoft.ML.ForwardSampling.Nats;

/// <summary>The few things that the store asks of a log: to append, to append only where nothing is or where nobody else has appended, to
/// read on, and to forget. Another log may take its place here.</summary>
internal sealed class JetStream(INatsConnection connection)
{
    /// <summary>The server's "wrong last sequence".</summary>
    private const int Refused = 10071;
    private const int NoMessage = 10037;
    private const int NoStream = 10059;

    /// <summary>The server's "no suitable peers": of a cluster that has just started, whose nodes do not know each other yet.</summary>
    private const int NoPeers = 10005;

    private readonly NatsJSContext _context = new(connection);

    public INatsConnection Connection => connection;

    /// <summary>Makes a stream, or finds it as it should be.</summary>
    /// <exception cref="InvalidOperationException">It is there with other subjects, storage or number of replicas.</exception>
    public async Task RequireStream(StreamConfig config, CancellationToken cancellationToken)
    {
        INatsJSStream? stream = await Find(config.Name!, cancellationToken).ConfigureAwait(false);
        if (stream is null)
        {
            await Patiently(() => _context.CreateStreamAsync(config, cancellationToken).AsTask(), cancellationToken).ConfigureAwait(false);
            return;
        }

        StreamConfig found = stream.Info.Config;
        Require("subjects", string.Join(", ", found.Subjects ?? []), string.Join(", ", config.Subjects!));
        Require("replicas", found.NumReplicas, config.NumReplicas);
        Require("storage", found.Storage, config.Storage);

        void Require<T>(string what, T there, T wanted)
        {
            if (!EqualityComparer<T>.Default.Equals(there, wanted))
                throw new InvalidOperationException($"The stream {config.Name} is there with {what} {there}, and this store asks for "
                    + $"{wanted}. Use another store name, or the options it was made with.");
        }
    }

    public async Task RequireConsumer(string stream, ConsumerConfig config, CancellationToken cancellationToken)
        => await Patiently(() => _context.CreateOrUpdateConsumerAsync(stream, config, cancellationToken).AsTask(), cancellationToken)
            .ConfigureAwait(false);

    public async Task<INatsJSConsumer> Consumer(string stream, string name, CancellationToken cancellationToken)
        => await _context.GetConsumerAsync(stream, name, cancellationToken).ConfigureAwait(false);

    /// <summary>The stream, or null.</summary>
    public async Task<INatsJSStream?> Find(string name, CancellationToken cancellationToken)
    {
        try
        {
            return await Patiently(() => _context.GetStreamAsync(name, cancellationToken: cancellationToken).AsTask(), cancellationToken)
                .ConfigureAwait(false);
        }
        catch (NatsJSApiException e) when (e.Error.ErrCode == NoStream)
        {
            return null;
        }
    }

    /// <summary>Appends. Returns when the cluster says that it has it, which proves little: see docs/fleet.md.</summary>
    /// <remarks>A messageId that the stream had in the last two minutes is not stored again; null: stored in any case.</remarks>
    /// <exception cref="NatsException">The cluster refuses or does not answer: whether it was appended is open.</exception>
    public async Task<ulong> Append(string subject, ReadOnlyMemory<byte> bytes, string? messageId, NatsHeaders? headers,
        CancellationToken cancellationToken)
    {
        PubAckResponse answer = await _context.PublishAsync(subject, bytes,
            opts: new NatsJSPubOpts { MsgId = messageId }, headers: headers, cancellationToken: cancellationToken).ConfigureAwait(false);
        return answer.Error is null ? answer.Seq : throw new NatsJSApiException(answer.Error);
    }

    /// <summary>Appends if there is no message on this subject.</summary>
    /// <returns>False when there is one.</returns>
    /// <exception cref="NatsException">The cluster refuses or does not answer: whether it was appended is open.</exception>
    public Task<bool> TryCreate(string subject, ReadOnlyMemory<byte> bytes, CancellationToken cancellationToken)
        => TryAppend(subject, bytes, new NatsJSPubOpts { ExpectedLastSubjectSequence = 0 }, cancellationToken)
            .ContinueWith(t => t.GetAwaiter().GetResult() is not null, TaskScheduler.Default);

    /// <summary>Appends if nothing was appended to the subject's stream after <paramref name="last"/>.</summary>
    /// <returns>The sequence that it got, or null when something was.</returns>
    /// <exception cref="NatsException">The cluster refuses or does not answer: whether it was appended is open.</exception>
    public Task<ulong?> TryAppendAfter(string subject, ReadOnlyMemory<byte> bytes, ulong last, CancellationToken cancellationToken)
        => TryAppend(subject, bytes, new NatsJSPubOpts { ExpectedLastSequence = last }, cancellationToken);

    /// <summary>The first message from a sequence on, or null.</summary>
    public Task<StoredMessage?> Next(string stream, string subject, ulong from, CancellationToken cancellationToken)
        => Get(stream, new StreamMsgGetRequest { Seq = from, NextBySubj = subject }, cancellationToken);

    /// <summary>The last message of a subject, or null.</summary>
    public Task<StoredMessage?> Last(string stream, string subject, CancellationToken cancellationToken)
        => Get(stream, new StreamMsgGetRequest { LastBySubj = subject }, cancellationToken);

    /// <summary>The last sequence that a stream has given.</summary>
    public async Task<ulong> LastSequence(string stream, CancellationToken cancellationToken)
        => (await _context.GetStreamAsync(stream, cancellationToken: cancellationToken).ConfigureAwait(false)).Info.State.LastSeq;

    /// <summary>Forgets all messages before a sequence.</summary>
    public async Task ForgetBefore(string stream, ulong sequence, CancellationToken cancellationToken)
        => await _context.PurgeStreamAsync(stream, new StreamPurgeRequest { Seq = sequence }, cancellationToken).ConfigureAwait(false);

    /// <summary>Forgets all messages of a subject.</summary>
    public async Task Forget(string stream, string subject, CancellationToken cancellationToken)
        => await _context.PurgeStreamAsync(stream, new StreamPurgeRequest { Filter = subject }, cancellationToken).ConfigureAwait(false);

    /// <summary>Whether an exception says that the cluster is not there or not ready, so that it is worth trying again.</summary>
    public static bool IsPassing(Exception e)
        => e is NatsJSApiException api ? api.Error.Code is 503 or 500 or 408
            : e is NatsException or TimeoutException || (e is IOException and not EndOfStreamException);

    private async Task<ulong?> TryAppend(string subject, ReadOnlyMemory<byte> bytes, NatsJSPubOpts options,
        CancellationToken cancellationToken)
    {
        PubAckResponse answer = await _context.PublishAsync(subject, bytes, opts: options, cancellationToken: cancellationToken)
            .ConfigureAwait(false);
        return answer.Error is null ? answer.Seq
            : answer.Error.ErrCode == Refused ? null : throw new NatsJSApiException(answer.Error);
    }

    private async Task<StoredMessage?> Get(string stream, StreamMsgGetRequest request, CancellationToken cancellationToken)
    {
        try
        {
            StreamMsgGetResponse answer = await _context.JSRequestResponseAsync<StreamMsgGetRequest, StreamMsgGetResponse>(
                $"{_context.Opts.Prefix}.STREAM.MSG.GET.{stream}", request, cancellationToken).ConfigureAwait(false);
            return answer.Message;
        }
        catch (NatsJSApiException e) when (e.Error.ErrCode == NoMessage)
        {
            return null;
        }
    }

    /// <summary>A cluster that has just started, or has lost a leader, refuses for some seconds.</summary>
    private static async Task<T> Patiently<T>(Func<Task<T>> act, CancellationToken cancellationToken)
    {
        const int MostMilliseconds = 30_000;
        for (long until = Environment.TickCount64 + MostMilliseconds; ;)
        {
            try
            {
                return await act().ConfigureAwait(false);
            }
            catch (Exception e) when ((IsPassing(e) || e is NatsJSApiException { Error.ErrCode: NoPeers })
                && Environment.TickCount64 < until)
            {
                await Task.Delay(200, cancellationToken).ConfigureAwait(false);
            }
        }
    }
}
