namespace Microsoft.ML.ForwardSampling.Saving;

/// <summary>What a saved state is of.</summary>
internal enum StateKind : byte
{
    /// <summary>A trained network.</summary>
    Network = 1,

    /// <summary>A recorder of forward passes around another model.</summary>
    Recorder = 2,

    /// <summary>A linear model in fixed point.</summary>
    LowMemory = 3,

    /// <summary>A group-tested model.</summary>
    GroupTesting = 5,
}

/// <summary>The first bytes of every state: "FwdS", the kind and the version of its format.</summary>
internal static class StateHeader
{
    private const uint Magic = 0x53647746; // "FwdS" in the file
    private const byte Version = 1;

    /// <param name="writer">At the beginning of a state.</param>
    /// <param name="kind">What the state is of.</param>
    /// <param name="version">The oldest version of the kind's format that can say it: what is as it was stays readable to older
    /// packages.</param>
    public static void Write(BinaryWriter writer, StateKind kind, byte version = Version)
    {
        writer.Write(Magic);
        writer.Write((byte)kind);
        writer.Write(version);
    }

    /// <summary>Reads the header.</summary>
    /// <exception cref="InvalidDataException">Not a state of ours.</exception>
    /// <exception cref="NotSupportedException">A state of a newer version.</exception>
    public static StateKind Read(BinaryReader reader) => Read(reader, out _);

    /// <summary>Reads the header.</summary>
    /// <param name="reader">At the beginning of a state.</param>
    /// <param name="version">Out: the version of the kind's format.</param>
    /// <exception cref="InvalidDataException">Not a state of ours.</exception>
    /// <exception cref="NotSupportedException">A state of a newer version.</exception>
    public static StateKind Read(BinaryReader reader, out int version)
    {
        (StateKind kind, version) = StateReading.Whole(reader, ReadHeader);
        return kind;
    }

    /// <summary>The newest version of a kind's format.</summary>
    private static int NewestOf(StateKind kind) => kind == StateKind.Network ? 2 : Version;

    private static (StateKind Kind, int Version) ReadHeader(BinaryReader reader)
    {
        if (reader.ReadUInt32() != Magic)
            throw new InvalidDataException(
                "The saved state is damaged or not of Microsoft.ML.ForwardSampling: it does not begin with 'FwdS'.");
        StateKind kind = StateReading.Enum<StateKind>(reader);
        byte version = reader.ReadByte();
        if (version == 0)
            throw new InvalidDataException("The saved state is damaged: its format version is 0.");
        return version <= NewestOf(kind)
            ? (kind, version)
            : throw new NotSupportedException(
                $"The saved state has format version {version}; this version of Microsoft.ML.ForwardSampling reads version "
                + $"{NewestOf(kind)}. Update the package to load it.");
    }
}
