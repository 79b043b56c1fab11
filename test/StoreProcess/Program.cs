// One process of a fleet, until it is killed. It survives the server's death, and prints one line for each thing that is done.
// Usage: StoreProcess write|work CONNECTION SCHEMA NUMBER
//   write: appends records with the keys NUMBER << 40 | 0, 1, ...; prints the count of acknowledged ones.
//   work:  claims windows, selects all rows with weight 1; prints "claimed N" and "completed N".
using System.Globalization;
using Microsoft.ML.ForwardSampling.PostgreSql;
using Microsoft.ML.ForwardSampling.Records;
using Npgsql;

ulong number = ulong.Parse(args[3], CultureInfo.InvariantCulture);
await using var store = new PostgreSqlRecordStore<RegressionRecord>(args[1], new PostgreSqlStoreOptions { Schema = args[2] });
return args[0] switch
{
    "write" => await Write(),
    "work" => await Work(),
    _ => 2,
};

async Task<int> Write()
{
    await using PostgreSqlRecordWriter<RegressionRecord> writer = await store.OpenWriterAsync(new PostgreSqlWriterOptions
    {
        BatchRecords = 100,
        MemoryRecords = 1000,
        FlushInterval = TimeSpan.FromMilliseconds(5),
        RetryInterval = TimeSpan.FromMilliseconds(10),
        LongestRetryInterval = TimeSpan.FromMilliseconds(50),
    });
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
        Thread.Sleep(2);
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

void Say(string line)
{
    Console.WriteLine(line);
    Console.Out.Flush();
}
