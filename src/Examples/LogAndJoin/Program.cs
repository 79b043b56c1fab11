using System.Globalization;
using Microsoft.ML.ForwardSampling.Records;

// A service whose model is scored by something else (another runtime, another language, a rule) logs a record of each prediction.
// Labels come later, in another order. The join brings both together: key, label, loss and gradient norm, ready for selection.
// Usage: dotnet run --project src/Examples/LogAndJoin -- [FOLDER] [ROWS]
string folder = args.Length > 0 ? args[0] : Directory.CreateTempSubdirectory("log-and-join-").FullName;
if (!int.TryParse(args.Length > 1 ? args[1] : "20000", NumberStyles.None, CultureInfo.InvariantCulture, out int rows)
    || rows is < 1 or > 10_000_000)
{
    Console.Error.WriteLine($"ROWS must be a number in [1, 10000000]. Got '{args[1]}'.");
    return 1;
}

string records = Path.Combine(folder, "records"), labels = Path.Combine(folder, "labels");
DateTime opened = DateTime.UtcNow;

// 1. Where rows are served: the score is the model's, the key is the row's own.
using (var log = new ForwardRecordLog<BinaryRecord>(records))
{
    for (int i = 0; i < rows; i++)
        log.Append(BinaryRecord.FromScore(RecordKey.FromString($"visit-{i}"), Score(i), modelVersion: 12, time: opened.AddMilliseconds(i)));
    log.Flush();                                            // from here on they survive the process
    Console.WriteLine($"{log.Report.Acknowledged:N0} records in {log.Report.Bytes:N0} bytes");
}

// 2. Where labels arrive: later, the last first, and none for every tenth visit.
using (var log = new ForwardRecordLog<LabelEvent>(labels))
{
    for (int i = rows - 1; i >= 0; i--)
    {
        if (i % 10 != 9)
            log.Append(new LabelEvent(RecordKey.FromString($"visit-{i}"), Label(i), opened.AddMilliseconds(rows + 1000)));
    }
}

// 3. Where models are trained: rows with their statistics. The state file makes the join go on where it was, also after a crash.
using var join = new ForwardRecordJoin<BinaryRecord>(records, labels, Path.Combine(folder, "join.state"),
    new LabelJoinOptions { Wait = TimeSpan.FromHours(6) });
join.Complete();                                            // nothing more will come
var joined = new JoinedRecord[1024];
double loss = 0;
long count = 0, large = 0;
for (int n; (n = join.Read(joined)) > 0;)
{
    foreach (JoinedRecord row in joined.AsSpan(0, n))
    {
        loss += row.Loss;
        large += row.GradientNorm > 0.5f ? 1 : 0;
        count++;
    }
}

join.Save();
LabelJoinReport report = join.Report;
Console.WriteLine($"{report.Joined:N0} joined, {report.Expired:N0} without a label");
Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
    $"mean loss {loss / Math.Max(1, count):F3} nats; {large:N0} rows were predicted wrong"));
return 0;

// Log-odds, as a model outside gives them.
static float Score(int i) => 2 * MathF.Sin(i);

// What happened: as the score says, but for one in seven.
static float Label(int i) => (MathF.Sin(i) > 0) != (i % 7 == 0) ? 1 : 0;
