// Appends records from two threads until it is killed, and prints "THREAD COUNT" whenever the first COUNT records of a thread are
// acknowledged. Usage: RecordWriter DIRECTORY WRITER DURABILITY (keys: writer << 48 | thread << 40 | number from 0)
//        RecordWriter join DIRECTORY RECORDS LABELS: see JoinLoop
//        RecordWriter surroundings DIRECTORY CULTURE: see Surroundings
//        RecordWriter open DIRECTORY: opens a log and closes it; prints how many files of crashed writers it found
using System.Globalization;
using Microsoft.ML.ForwardSampling.Records;

if (args[0] == "join")
{
    JoinLoop.Run(args[1], args[2], args[3], Console.Out);
    return;
}

if (args[0] == "surroundings")
{
    Surroundings.Run(args[1], args[2], Console.Out);
    return;
}

if (args[0] == "open")
{
    using var opened = new ForwardRecordLog<RegressionRecord>(args[1]);
    Console.WriteLine(opened.Report.RecoveredSegments);
    return;
}

ulong writer = ulong.Parse(args[1], CultureInfo.InvariantCulture);
using var log = new ForwardRecordLog<RegressionRecord>(args[0], new ForwardRecordLogOptions
{
    Durability = Enum.Parse<RecordDurability>(args[2]),
    BlockBytes = 1024,
    SegmentBytes = 64 << 10,
    FlushInterval = TimeSpan.FromMilliseconds(1),
});
using Stream output = Console.OpenStandardOutput();
Thread[] threads = [.. Enumerable.Range(0, 2).Select(thread => new Thread(() =>
{
    ulong first = (writer << 48) | ((ulong)thread << 40);
    for (ulong number = 0; ;)
    {
        for (int i = 0; i < 37 + (thread * 50); i++, number++)
            _ = log.Append(new RegressionRecord(first + number, number, writer));
        log.Flush();
        byte[] line = System.Text.Encoding.ASCII.GetBytes(string.Create(CultureInfo.InvariantCulture, $"{thread} {number}\n"));
        lock (output)
            output.Write(line);
    }
}))];
Array.ForEach(threads, t => t.Start());
Array.ForEach(threads, t => t.Join());
