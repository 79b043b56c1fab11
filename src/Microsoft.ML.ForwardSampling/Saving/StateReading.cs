namespace Microsoft.ML.ForwardSampling.Saving;

/// <summary>Checks while reading a saved state: a damaged one must fail with a message and without taking memory.</summary>
internal static class StateReading
{
    /// <summary>A count within a limit.</summary>
    /// <exception cref="InvalidDataException">Negative or above the limit.</exception>
    public static int Count(BinaryReader reader, int maximum, string what)
    {
        int count = reader.ReadInt32();
        return count >= 0 && count <= maximum ? count
            : throw new InvalidDataException($"The saved network is damaged: {count} {what}; allowed are 0 to {maximum}.");
    }

    /// <summary>An enum value that is defined.</summary>
    /// <exception cref="InvalidDataException">Not one of the named values.</exception>
    public static T Enum<T>(BinaryReader reader)
        where T : struct, Enum
    {
        int value = reader.ReadByte();
        var result = (T)System.Enum.ToObject(typeof(T), value);
        return System.Enum.IsDefined(result) ? result
            : throw new InvalidDataException($"The saved network is damaged: {value} is not a {typeof(T).Name}.");
    }
}
