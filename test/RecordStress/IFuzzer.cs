namespace Microsoft.ML.ForwardSampling.RecordStress;

/// <summary>Makes damaged files of one kind and reads each.</summary>
public interface IFuzzer : IDisposable
{
    /// <summary>Counts so far, with the limits.</summary>
    string Summary { get; }

    /// <summary>Damages a file and reads it.</summary>
    /// <returns>What is wrong with how it was taken; null when nothing is.</returns>
    string? Next();

    /// <summary>Writes the latest file.</summary>
    /// <param name="folder">Where to.</param>
    /// <returns>Its path there.</returns>
    string Keep(string folder);
}
