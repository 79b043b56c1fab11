using System.Text.RegularExpressions;
using Microsoft.ML.ForwardSampling.Records;
using Microsoft.ML.ForwardSampling.Tests.Shared;
using NATS.Client.Core;

namespace Microsoft.ML.ForwardSampling.Nats.Tests;

/// <summary>The users of docs/fleet.md, on a server that has them.</summary>
public partial class AccessTests
{
    [Fact]
    public async Task Users_OfTheDocs_CanDoTheirWorkAndNoMore()
    {
        Assert.SkipWhen(NatsCluster.FindProgram() is null, "nats-server is not installed: apt-get install nats-server.");
        string users = Users().Match(await File.ReadAllTextAsync(Path.Combine(AppContext.BaseDirectory, "fleet.md"))).Groups[1].Value;
        await using NatsCluster server = NatsCluster.Start(1, users);
        using var folder = new TemporaryFolder();
        var options = new NatsStoreOptions { Partitions = 1, Replicas = 1, StreamBytes = 1 << 20, WindowRows = 100 };

        await using NatsConnection owner = Connect("owner");
        await new NatsRecordStore<BinaryRecord>(owner, options).MigrateAsync();
        await using NatsConnection scorer = Connect("scorer"), labeller = Connect("labeller"), joiner = Connect("joiner"),
            worker = Connect("worker");
        await using (NatsRecordWriter<BinaryRecord> records = await new NatsRecordStore<BinaryRecord>(scorer, options)
            .OpenWriterAsync(folder.File("records")))
        await using (NatsRecordWriter<LabelEvent> labels = await new NatsRecordStore<BinaryRecord>(labeller, options)
            .OpenLabelWriterAsync(folder.File("labels")))
        await using (NatsJoiner<BinaryRecord> joining = await new NatsRecordStore<BinaryRecord>(joiner, options)
            .OpenJoinerAsync(0, folder.File("joiner"), Fleet.Rules))
        {
            for (int i = 0; i < 100; i++)
            {
                records.Append(BinaryRecord.FromScore((ulong)i, 1));
                labels.Append(new LabelEvent((ulong)i, 1));
            }

            using var ending = new CancellationTokenSource();
            Task running = joining.RunAsync(ending.Token);
            await records.ConfirmAsync();
            await labels.ConfirmAsync();
            var store = new NatsRecordStore<BinaryRecord>(worker, options);
            NatsWindow? window = null;
            await StoreFixture.Until(() => (window = store.ClaimWindowAsync().GetAwaiter().GetResult()) is not null, "No window came.");
            Assert.True(await window!.CompleteAsync([new SelectedKey(1, 2)]));
            await window.DisposeAsync();
            await joining.CompletedAsync();
            await foreach (NatsSelection selection in store.ReadSelectionsAsync(0))
                Assert.Single(selection.Rows);
            await ending.CancelAsync();
            await Assert.ThrowsAnyAsync<OperationCanceledException>(() => running);
        }

        // A refusal is silence: the request is not answered.
        await Assert.ThrowsAnyAsync<Exception>(() => new JetStream(scorer).Next("forward_sampling-records-0",
            "forward_sampling.records.0", 1, default));
        await Assert.ThrowsAnyAsync<Exception>(() => new JetStream(scorer).Append("forward_sampling.labels.0", new byte[1], null, null,
            default));
        await Assert.ThrowsAnyAsync<Exception>(() => new JetStream(worker).TryCreate("forward_sampling.windows.0.9", new byte[1], default));
        await Assert.ThrowsAnyAsync<Exception>(() => new JetStream(joiner).Append("forward_sampling.records.0", new byte[1], null, null,
            default));

        NatsConnection Connect(string user) => new(NatsOpts.Default with
        {
            Url = server.Url,
            AuthOpts = new NatsAuthOpts { Username = user, Password = "secret" },
            InboxPrefix = $"_INBOX_{user}",
            RequestTimeout = TimeSpan.FromSeconds(1),
        });
    }

    [GeneratedRegex("```\r?\n(authorization \\{.*?)```", RegexOptions.Singleline)]
    private static partial Regex Users();
}
