using System.Globalization;
using System.Text.Json;
using System.Text.Json.Serialization;
using Microsoft.ML.ForwardSampling.Records;

namespace Microsoft.ML.ForwardSampling.Examples.ServeAndTrain;

/// <summary>Joined rows from which one model is trained.</summary>
/// <param name="Number">From 0: model version Number + 1 is trained on it, from version Number.</param>
/// <param name="Rows">The rows.</param>
internal sealed record TrainingWindow(int Number, IReadOnlyList<JoinedRecord> Rows);

/// <summary>A file for each window, written before it is trained on: whoever trains it again after a crash finds the same rows.</summary>
internal sealed class WindowFolder(string path)
{
    private static readonly JsonSerializerOptions Format = new()
    { NumberHandling = JsonNumberHandling.AllowNamedFloatingPointLiterals, IgnoreReadOnlyProperties = true };

    public void Write(TrainingWindow window)
    {
        Directory.CreateDirectory(path);
        string file = FileOf(window.Number), temporary = file + ".new";
        using (var stream = new FileStream(temporary, FileMode.Create))
        {
            JsonSerializer.Serialize(stream, window.Rows, Format);
            stream.Flush(flushToDisk: true);
        }

        File.Move(temporary, file, overwrite: true);
    }

    /// <summary>A window, or null when there is none of that number.</summary>
    public TrainingWindow? TryRead(int number)
    {
        if (!File.Exists(FileOf(number)))
            return null;
        using FileStream stream = File.OpenRead(FileOf(number));
        return new TrainingWindow(number, JsonSerializer.Deserialize<JoinedRecord[]>(stream, Format)!);
    }

    /// <summary>Deletes the windows from a number on.</summary>
    public void DeleteFrom(int number)
    {
        for (; File.Exists(FileOf(number)); number++)
            File.Delete(FileOf(number));
    }

    private string FileOf(int number) => Path.Combine(path, string.Create(CultureInfo.InvariantCulture, $"window-{number:D6}.json"));
}
