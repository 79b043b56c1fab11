namespace Microsoft.ML.ForwardSampling.Hosting;

/// <summary>The model that a pool serves at a moment.</summary>
/// <param name="Version">First eight bytes of the SHA-256 of the file's content, big-endian: the same in every process that serves this
/// content, and what to write as a record's model version.</param>
/// <param name="LoadedAt">When it took over, UTC.</param>
/// <param name="Bytes">Size of the file, bytes.</param>
/// <param name="Number">Which one it is of those that this pool has served, from 1.</param>
public sealed record ServedModel(ulong Version, DateTimeOffset LoadedAt, long Bytes, long Number);
