using System.Diagnostics;
using System.Globalization;
using Microsoft.ML.ForwardSampling.Tests.LowMemory;

namespace Microsoft.ML.ForwardSampling.Benchmarks;

/// <summary>The 4,601 real e-mails of Debian's r-cran-kernlab as hashed slots: each of the 57 numbers that is not 0 in a bin (one a factor
/// of two), and each pair of them crossed.</summary>
internal static class SpamRows
{
    private const string Script = "data(spam, package='kernlab'); write.csv(spam, stdout(), row.names=FALSE)";

    /// <summary>Reads the e-mails by R.</summary>
    /// <exception cref="InvalidOperationException">R or the package is not there; the message says how to install it.</exception>
    public static (int[] Slots, bool IsSpam)[] Load(int slots)
    {
        const string Advice = "Spam is the data set of the Debian package r-cran-kernlab: apt-get install r-cran-kernlab.";
        Process? r;
        try
        {
            r = Process.Start(new ProcessStartInfo("Rscript", ["-e", Script]) { RedirectStandardOutput = true });
        }
        catch (System.ComponentModel.Win32Exception e)
        {
            throw new InvalidOperationException(Advice, e);
        }

        using (r)
        {
            string[] lines = r!.StandardOutput.ReadToEnd().Split('\n', StringSplitOptions.RemoveEmptyEntries);
            r.WaitForExit();
            return r.ExitCode == 0 ? [.. lines.Skip(1).Select(line => Row(line, slots))] : throw new InvalidOperationException(Advice);
        }
    }

    private static (int[] Slots, bool IsSpam) Row(string line, int slots)
    {
        string[] values = line.Split(',');
        var bins = new List<ulong>();
        for (int i = 0; i < values.Length - 1; i++)
        {
            double value = double.Parse(values[i], CultureInfo.InvariantCulture);
            if (value != 0)
                bins.Add(((ulong)i << 8) | (byte)(int)Math.Floor(Math.Log2(value)));
        }

        var hashed = new SortedSet<int>();
        for (int i = 0; i < bins.Count; i++)
        {
            hashed.Add((int)(ClickStream.Hash(bins[i]) % (ulong)slots));
            for (int j = 0; j < i; j++)
                hashed.Add((int)(ClickStream.Hash((bins[j] << 16) | (bins[i] << 32) | 1) % (ulong)slots));
        }

        return ([.. hashed], values[^1].Contains("nonspam", StringComparison.Ordinal) is false);
    }
}
