using System.Diagnostics;
using System.Globalization;
using Microsoft.ML.ForwardSampling.RecordStress;

namespace Microsoft.ML.ForwardSampling.ModelStress;

/// <summary>Reads files under limits of time and memory, and counts.</summary>
/// <param name="allocationLimit">Bytes that one file may allocate.</param>
/// <param name="isRefusal">Whether an exception is a documented one.</param>
internal sealed class Reading(long allocationLimit, Predicate<Exception> isRefusal)
{
    private long _taken;
    private long _refused;
    private long _mostAllocated;
    private TimeSpan _longest;

    /// <summary>Whether the latest file was refused.</summary>
    public bool WasRefused { get; private set; }

    public string Summary => string.Create(CultureInfo.InvariantCulture,
        $"{_taken:N0} taken, {_refused:N0} refused, longest {_longest.TotalMilliseconds:0} ms (limit "
        + $"{LogFuzzer.TimeLimit.TotalMilliseconds:0}), most allocated {_mostAllocated / 1024:N0} KiB (limit "
        + $"{allocationLimit / 1024:N0})");

    /// <returns>What is wrong with how the file was taken; null when nothing is.</returns>
    public string? Of(Action read)
    {
        long started = Stopwatch.GetTimestamp(), allocated = GC.GetAllocatedBytesForCurrentThread();
        WasRefused = false;
        try
        {
            read();
            _taken++;
        }
        catch (Exception e) when (isRefusal(e))
        {
            WasRefused = true;
            _refused++;
        }
        catch (Exception e)
        {
            return e.ToString();
        }

        TimeSpan elapsed = Stopwatch.GetElapsedTime(started);
        allocated = GC.GetAllocatedBytesForCurrentThread() - allocated;
        _longest = elapsed > _longest ? elapsed : _longest;
        _mostAllocated = Math.Max(_mostAllocated, allocated);
        return elapsed > LogFuzzer.TimeLimit ? $"took {elapsed.TotalSeconds:0.0} s"
            : allocated > allocationLimit ? $"allocated {allocated} bytes" : null;
    }

    /// <summary>Writes a file of that name ending.</summary>
    public static string Keep(string folder, string ending, byte[] bytes)
    {
        string kept = Path.GetFullPath(Path.Combine(folder, $"{DateTime.UtcNow.Ticks}-{ending}"));
        Directory.CreateDirectory(Path.GetDirectoryName(kept)!);
        File.WriteAllBytes(kept, bytes);
        return kept;
    }
}
