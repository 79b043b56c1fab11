namespace Microsoft.ML.ForwardSampling.Saving;

/// <summary>Checks while reading a saved state: a damaged one must fail with one kind of error and without taking memory.</summary>
internal static class StateReading
{
    /// <summary>Reads with one kind of error for whatever a damaged state brings.</summary>
    /// <param name="reader">Over the state.</param>
    /// <param name="read">Takes values and builds nothing of the user's.</param>
    /// <exception cref="InvalidDataException">The state is damaged or ends early.</exception>
    public static T Whole<T>(BinaryReader reader, Func<BinaryReader, T> read)
    {
        try
        {
            return read(reader);
        }
        catch (EndOfStreamException e)
        {
            throw new InvalidDataException($"The saved state is damaged: it ends after {reader.BaseStream.Length} bytes.", e);
        }
        catch (Exception e) when (e is IOException or FormatException or ArgumentException or OverflowException)
        {
            throw new InvalidDataException($"The saved state is damaged at byte {reader.BaseStream.Position}: {e.Message}", e);
        }
    }

    /// <summary>A count within a limit, of things that can all be there.</summary>
    /// <param name="reader">Over the state.</param>
    /// <param name="maximum">Most that is allowed.</param>
    /// <param name="what">What is counted.</param>
    /// <param name="least">Least that is allowed.</param>
    /// <param name="bytesEach">Bytes that each takes at least in what follows.</param>
    /// <exception cref="InvalidDataException">Outside the limits, or more than the bytes that are left can hold.</exception>
    public static int Count(BinaryReader reader, int maximum, string what, int least = 0, int bytesEach = 0)
    {
        int count = reader.ReadInt32();
        if (count < least || count > maximum)
            throw new InvalidDataException($"The saved network is damaged: {count} {what}; allowed are {least} to {maximum}.");
        return (long)count * bytesEach <= Left(reader) ? count
            : throw new InvalidDataException($"The saved network is damaged: {count} {what}, and {Left(reader)} bytes are left.");
    }

    /// <summary>The number of values of a shape, all of which are there.</summary>
    /// <exception cref="InvalidDataException">A negative size, or more values than the bytes that are left can hold.</exception>
    public static int Product(BinaryReader reader, ReadOnlySpan<long> shape, int bytesEach, string what)
    {
        long most = Math.Min(Left(reader) / bytesEach, Array.MaxLength), product = 1;
        foreach (long size in shape)
        {
            // Sizes of a file that holds them are at most its length, so that no product overflows.
            if (size < 0 || (size > most && product != 0) || (product *= size) > most)
                throw new InvalidDataException($"The saved network is damaged: {what} of shape [{string.Join(", ", shape.ToArray())}], "
                    + $"and {Left(reader)} bytes are left.");
        }

        return (int)product;
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

    private static long Left(BinaryReader reader) => reader.BaseStream.Length - reader.BaseStream.Position;
}
