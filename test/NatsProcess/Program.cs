// One process of a fleet over JetStream, until it is killed or kills itself. It survives the cluster's death, and prints one line for each
// thing that is done.
// Usage: NatsProcess write|drain|join|work URL STORE PARTITIONS FOLDER NUMBER
//   write: appends records and labels with the keys NUMBER << 32 | 0, 1, ...; prints how many have both acknowledged.
//   drain: ships what killed writers have left in FOLDER, and ends when joiners have saved it all.
//   join:  joins partition NUMBER mod PARTITIONS, again and again when another joiner takes it over; sometimes kills itself between saving
//          and telling. With a connection string in FORWARD_SAMPLING_JOIN_STATES its state is kept in that PostgreSQL database.
//   work:  claims windows, selects all rows with weight 1; prints "completed PARTITION NUMBER" for those that are its own; sometimes kills
//          itself before or after its selection is stored.
using System.Diagnostics;
using System.Globalization;
using Microsoft.ML.ForwardSampling.Nats;
using Microsoft.ML.ForwardSampling.PostgreSql;
using Microsoft.ML.ForwardSampling.Records;
using NATS.Client.Core;

ulong number = ulong.Parse(args[5], CultureInfo.InvariantCulture);
var random = new Random((int)number);
var options = new NatsStoreOptions
{
    Name = args[2],
    Partitions = int.Parse(args[3], CultureInfo.InvariantCulture),
    StreamBytes = 64 << 20,
    WindowRows = 500,
    LeaseTimeout = TimeSpan.FromSeconds(1),
    ClaimTimeout = TimeSpan.FromSeconds(2),
};
await using var connection = new NatsConnection(NatsOpts.Default with { Url = args[1], RequestTimeout = TimeSpan.FromSeconds(2) });
var store = new NatsRecordStore<RegressionRecord>(connection, options);
return args[0] switch
{
    "write" => await Write(isDraining: false),
    "drain" => await Write(isDraining: true),
    "join" => await Join(),
    "work" => await Work(),
    _ => 2,
};

async Task<int> Write(bool isDraining)
{
    var small = new NatsWriterOptions
    {
        BatchRecords = 400,
        MemoryRecords = 25600,
        FlushInterval = TimeSpan.FromMilliseconds(20),
        RetryInterval = TimeSpan.FromMilliseconds(50),
        FileBytes = 65536,
    };
    await using NatsRecordWriter<RegressionRecord> records = await store.OpenWriterAsync(Path.Combine(args[4], "records"), small);
    await using NatsRecordWriter<LabelEvent> labels = await store.OpenLabelWriterAsync(Path.Combine(args[4], "labels"), small);
    if (isDraining)
    {
        await records.ConfirmAsync();
        await labels.ConfirmAsync();
        Say("drained");
        return 0;
    }

    for (ulong count = 0; ; Thread.Sleep(10))
    {
        DateTime now = DateTime.UtcNow;
        for (int i = 0; i < 20; i++, count++)
        {
            ulong key = (number << 32) | count;
            records.Append(new RegressionRecord(key, count, number, now));
            labels.Append(new LabelEvent(key, count + 1, now));
        }

        Say(Math.Min(records.Acknowledged, labels.Acknowledged).ToString(CultureInfo.InvariantCulture));
    }
}

async Task<int> Join()
{
    int partition = (int)(number % (ulong)options.Partitions);
    string? database = Environment.GetEnvironmentVariable("FORWARD_SAMPLING_JOIN_STATES");
    await using PostgreSqlJoinStates? states = database is null ? null : new PostgreSqlJoinStates(database);
    while (true)
    {
        try
        {
            await using NatsJoiner<RegressionRecord> joiner = await store.OpenJoinerAsync(partition, args[4],
                new LabelJoinOptions { Wait = TimeSpan.FromHours(1), Lateness = TimeSpan.FromHours(1) },
                new NatsJoinerOptions { SaveInterval = TimeSpan.FromMilliseconds(50), StateStore = states });
            joiner.Passing = _ => DieSometimes(200);
            Say($"epoch {partition} {joiner.Epoch}");
            await joiner.RunAsync();
        }
        catch (LeaseLostException e)
        {
            Say($"fenced {e.Message}");
        }
        catch (Exception e) when (e is NatsException or TimeoutException or IOException)
        {
            Say($"failed {e.Message}");
            await Task.Delay(100);
        }
    }
}

async Task<int> Work()
{
    while (true)
    {
        try
        {
            await using NatsWindow? window = await store.ClaimWindowAsync();
            if (window is null)
            {
                await Task.Delay(20);
                continue;
            }

            if (window.Records.Any(row => row.Residual != -1 || row.ModelVersion != row.Key >> 32))
                Say($"wrong {window.Partition} {window.Number}");
            window.Passing = _ => DieSometimes(50);
            await Task.Delay(random.Next(20));
            bool isOwn = await window.CompleteAsync([.. window.Records.Select(r => new SelectedKey(r.Key, 1))], $"worker {number}");
            Say($"{(isOwn ? "completed" : "late")} {window.Partition} {window.Number}");
        }
        catch (Exception e) when (e is NatsException or TimeoutException)
        {
            await Task.Delay(50);
        }
    }
}

// SIGKILL, as the others that come from outside.
void DieSometimes(int oneIn)
{
    if (random.Next(oneIn) == 0)
        Process.GetCurrentProcess().Kill();
}

void Say(string line)
{
    Console.WriteLine(line);
    Console.Out.Flush();
}
