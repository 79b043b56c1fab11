using System.Globalization;
using System.Text;

namespace Microsoft.ML.ForwardSampling.Examples.ServeAndTrain;

/// <summary>What a process was told is safe: one line of text for each acknowledgement, its time and the keys. Whoever asks later what was
/// acknowledged asks this file, not the store.</summary>
/// <remarks>A line is written at once after the acknowledgement. A process killed in between has records in the store that it does not know
/// of: it writes them again, and the join drops the second ones.</remarks>
internal sealed class Journal : IDisposable
{
    private readonly FileStream _file;

    /// <summary>Opens a journal for adding, and cuts off a line that a killed process left half-written.</summary>
    public Journal(string path)
    {
        _file = new FileStream(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.Read, bufferSize: 0);
        byte[] bytes = new byte[_file.Length];
        _file.ReadExactly(bytes);
        _file.SetLength(bytes.AsSpan().LastIndexOf((byte)'\n') + 1);
        _file.Position = _file.Length;
    }

    /// <summary>Adds a line.</summary>
    public void Add(DateTime time, IEnumerable<ulong> keys)
    {
        var line = new StringBuilder().Append(CultureInfo.InvariantCulture, $"{time.Ticks}");
        foreach (ulong key in keys)
            line.Append(CultureInfo.InvariantCulture, $" {key}");
        _file.Write(Encoding.ASCII.GetBytes(line.Append('\n').ToString()));
    }

    public void Dispose() => _file.Dispose();

    /// <summary>All keys of a journal.</summary>
    public static IEnumerable<ulong> KeysOf(string path) => new Follower(path).ReadNew().SelectMany(line => line.Keys);

    /// <summary>Reads a journal while another process adds to it.</summary>
    public sealed class Follower(string path)
    {
        private long _position;

        /// <summary>The lines that have come since the last call.</summary>
        public IEnumerable<(DateTime Time, ulong[] Keys)> ReadNew()
        {
            if (!File.Exists(path))
                yield break;
            using var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite);
            file.Position = _position;
            byte[] bytes = new byte[file.Length - _position];
            file.ReadExactly(bytes);
            int whole = bytes.AsSpan().LastIndexOf((byte)'\n') + 1;
            _position += whole;
            foreach (string line in Encoding.ASCII.GetString(bytes, 0, whole).Split('\n', StringSplitOptions.RemoveEmptyEntries))
            {
                ulong[] numbers = [.. line.Split(' ').Select(number => ulong.Parse(number, CultureInfo.InvariantCulture))];
                yield return (new DateTime((long)numbers[0], DateTimeKind.Utc), numbers[1..]);
            }
        }
    }
}
