// One process of a fleet, until it is killed. It survives the server's death, and prints one line for each thing that is done.
// Usage: StoreProcess write|record|join|work CONNECTION SCHEMA NUMBER [JOIN_PARTITIONS]
//   write:  appends records with the keys NUMBER << 40 | 0, 1, ... and these counts as scores; prints the count of acknowledged ones.
//   record: the same, and labels those that are acknowledged with their counts mod 1000.
//   join:   joins again and again; prints "joined N".
//   work:   claims windows, selects all rows with weight 1; prints "claimed N" and "completed N"; and "wrong N" when a row of window N has
//           a label that is neither 0 nor its count mod 1000, or another score than its count,
//           or another version than NUMBER.
using System.Globalization;
using Microsoft.ML.ForwardSampling.PostgreSql;
using Microsoft.ML.ForwardSampling.Records;
using Npgsql;

ulong number = ulong.Parse(args[3], CultureInfo.InvariantCulture);
await using var store = new PostgreSqlRecordStore<RegressionRecord>(args[1], new PostgreSqlStoreOptions
{
    Schema = args[2],
    JoinPartitions = args.Length > 4 ? int.Parse(args[4], CultureInfo.InvariantCulture) : 1,
    WindowRows = 100,
});
return args[0] switch
{
    "write" => await Write(labels: false),
    "record" => await Write(labels: true),
    "join" => await Join(),
    "work" => await Work(),
    _ => 2,
};

async Task<int> Write(bool labels)
{
    ulong labelled = 0;
    await using PostgreSqlRecordWriter<RegressionRecord> writer = await Open();
    for (ulong count = 0; ;)
    {
        for (int i = 0; i < 37; i++)
        {
            try
            {
                writer.Append(new RegressionRecord((number << 40) | count, count, number));
                count++;
            }
            catch (IOException)
            {
                Thread.Sleep(10);                       // memory is full and the server is gone: the record was not taken
            }
        }

        Say(writer.Acknowledged.ToString(CultureInfo.InvariantCulture));
        if (labels)
            await Label((ulong)writer.Acknowledged);
        Thread.Sleep(labels ? 10 : 2);
    }

    async Task<PostgreSqlRecordWriter<RegressionRecord>> Open()
    {
        while (true)
        {
            try
            {
                return await store.OpenWriterAsync(new PostgreSqlWriterOptions
                {
                    BatchRecords = 100,
                    MemoryRecords = 1000,
                    FlushInterval = TimeSpan.FromMilliseconds(5),
                    RetryInterval = TimeSpan.FromMilliseconds(10),
                    LongestRetryInterval = TimeSpan.FromMilliseconds(50),
                });
            }
            catch (NpgsqlException)
            {
                await Task.Delay(20);                   // it is begun while the server is gone
            }
        }
    }

    async Task Label(ulong acknowledged)
    {
        try
        {
            await store.AddLabelsAsync(Enumerable.Range(0, (int)(acknowledged - labelled))
                .Select(i => new LabelEvent((number << 40) | (labelled + (ulong)i), (labelled + (ulong)i) % 1000)).ToArray());
            labelled = acknowledged;
        }
        catch (Exception e) when (e is NpgsqlException or IOException)
        {
            // The server is gone: with the next ones. Those that came through are late then, or wait for a record that is gone.
        }
    }
}

async Task<int> Join()
{
    while (true)
    {
        try
        {
            Say($"joined {await store.JoinAsync(new LabelJoinOptions { Wait = TimeSpan.FromHours(1), Lateness = TimeSpan.FromHours(1) })}");
            await Task.Delay(5);
        }
        catch (Exception e) when (e is NpgsqlException or IOException)
        {
            await Task.Delay(20);
        }
    }
}

async Task<int> Work()
{
    while (true)
    {
        try
        {
            await using ClaimedWindow? window = await store.ClaimWindowAsync();
            if (window is null)
            {
                await Task.Delay(10);
                continue;
            }

            Say($"claimed {window.Number}");
            if (window.Records.Any(IsWrong))
                Say($"wrong {window.Number}");
            await Task.Delay(20);
            await window.CompleteAsync([.. window.Records.Select(r => new SelectedKey(r.Key, 1))], $"worker {number}");
            Say($"completed {window.Number}");
        }
        catch (Exception e) when (e is NpgsqlException or IOException or InvalidOperationException)
        {
            await Task.Delay(20);
        }
    }
}

static bool IsWrong(JoinedRecord row)
{
    ulong count = row.Key & ((1UL << 40) - 1);
    return row.ModelVersion != row.Key >> 40 || (row.Label != 0 && row.Label != count % 1000)
        || row.Residual != ForwardStatistics.Regression(count, row.Label).Residual;
}

void Say(string line)
{
    Console.WriteLine(line);
    Console.Out.Flush();
}
