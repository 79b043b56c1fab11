namespace Microsoft.ML.ForwardSampling.Records;

/// <summary>Keeps what joins must remember away from the machine that runs them, so that one that dies is followed on another.</summary>
/// <remarks>
/// <para>A join works in a folder of its machine and hands each saved state over as files. Each owner of a join writes under an epoch of
/// its own, and the latest epoch counts: so an owner that was stopped and wakes up disturbs nobody. Who the owner is, a lease decides that
/// this store knows nothing of.</para>
/// <para>A save that has returned survives what the store promises, and is found by whoever asks later. Safe for use by several threads and
/// processes.</para>
/// </remarks>
public interface IJoinStateStore
{
    /// <summary>The latest epoch of a join that has a state here.</summary>
    /// <param name="join">Name of the join.</param>
    /// <param name="cancellationToken">Ends the waiting.</param>
    /// <returns>From 1; 0 when there is none.</returns>
    /// <exception cref="IOException">The store refuses or is not there.</exception>
    Task<long> FindLatestAsync(string join, CancellationToken cancellationToken = default);

    /// <summary>Writes the files of an epoch into a folder, all as of one save.</summary>
    /// <param name="join">Name of the join.</param>
    /// <param name="epoch">From 1.</param>
    /// <param name="directory">A folder that is there and empty.</param>
    /// <param name="cancellationToken">Ends the waiting.</param>
    /// <returns>Completes when they are there; of an epoch that is not here there are none.</returns>
    /// <exception cref="IOException">The store refuses or is not there, or the folder cannot be written.</exception>
    Task FetchAsync(string join, long epoch, string directory, CancellationToken cancellationToken = default);

    /// <summary>Makes files of a folder the state of an epoch, all or none of it. Doing it again does no harm.</summary>
    /// <param name="join">Name of the join.</param>
    /// <param name="epoch">From 1.</param>
    /// <param name="directory">The folder.</param>
    /// <param name="files">Names of all files of the state; what else the store has of this epoch is forgotten.</param>
    /// <param name="changed">Names of those that the store does not have, or not as they are now.</param>
    /// <param name="cancellationToken">Ends the waiting; whether it is saved is then open.</param>
    /// <returns>Completes when it is saved.</returns>
    /// <exception cref="IOException">The store refuses or is not there, or a file cannot be read. Whether it is saved is open.</exception>
    Task SaveAsync(string join, long epoch, string directory, IReadOnlyCollection<string> files, IReadOnlyCollection<string> changed,
        CancellationToken cancellationToken = default);

    /// <summary>Forgets the epochs before one.</summary>
    /// <param name="join">Name of the join.</param>
    /// <param name="epoch">The first that stays.</param>
    /// <param name="cancellationToken">Ends the waiting.</param>
    /// <returns>Completes when they are gone.</returns>
    /// <exception cref="IOException">The store refuses or is not there.</exception>
    Task ForgetBeforeAsync(string join, long epoch, CancellationToken cancellationToken = default);
}
