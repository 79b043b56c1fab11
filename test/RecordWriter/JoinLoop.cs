using System.Buffers.Binary;
using Microsoft.ML.ForwardSampling.Records;

/// <summary>Joins two logs while they are written, into a file of rows, as a consumer should that is killed at any moment.</summary>
internal static class JoinLoop
{
    private const int RowBytes = 12;

    /// <summary>Appends each row's key (8) and label (4) to a file, and prints the number of rows whenever the join is saved. Returns when
    /// the file "end" is there and everything is joined.</summary>
    public static void Run(string folder, string records, string labels, TextWriter output)
    {
        var options = new LabelJoinOptions { Wait = TimeSpan.FromSeconds(60), Lateness = TimeSpan.FromSeconds(30), DefaultLabel = -1 };
        using var join = new ForwardRecordJoin<RegressionRecord>(records, labels, Path.Combine(folder, "join.state"), options);
        using var file = new FileStream(Path.Combine(folder, "joined"), FileMode.OpenOrCreate, FileAccess.Write, FileShare.Read,
            bufferSize: 0);
        file.SetLength(join.SavedRows * RowBytes);          // the rows behind come again
        file.Position = file.Length;
        var rows = new JoinedRecord[1000];
        byte[] bytes = new byte[rows.Length * RowBytes];
        for (bool completed = false; ;)
        {
            bool ended = File.Exists(Path.Combine(folder, "end"));
            int n = join.Read(rows);
            for (int i = 0; i < n; i++)
            {
                BinaryPrimitives.WriteUInt64LittleEndian(bytes.AsSpan(i * RowBytes), rows[i].Key);
                BinaryPrimitives.WriteSingleLittleEndian(bytes.AsSpan((i * RowBytes) + 8), rows[i].Label);
            }

            file.Write(bytes, 0, n * RowBytes);
            join.Save();
            output.WriteLine(join.SavedRows);
            if (n > 0)
                continue;
            if (completed)
                return;
            if (completed = ended)
                join.Complete();
            else
                Thread.Sleep(1);
        }
    }
}
