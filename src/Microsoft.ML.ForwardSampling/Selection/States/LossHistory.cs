using System.Buffers.Binary;

namespace Microsoft.ML.ForwardSampling.Selection;

/// <summary>The last losses that a selector has seen, and the share of them below a loss.</summary>
/// <remarks>A ring, sorted anew for each window by radix: O(capacity) a window and O(log capacity) a question, no allocation.</remarks>
internal sealed class LossHistory(int capacity) : PolicyState
{
    private const uint Tag = 0x69486F4C; // "LoHi"
    private const int HeaderBytes = 12;

    private readonly float[] _losses = new float[capacity];
    private readonly float[] _sorted = new float[capacity];
    private int _count;
    private int _next; // where the next loss goes: the oldest one, once the ring is full

    public bool IsFull => _count == capacity;

    /// <summary>Takes a window's losses, finite, in row order; of more than the capacity only the last ones stay.</summary>
    public void Add(ReadOnlySpan<float> losses)
    {
        losses = losses[Math.Max(0, losses.Length - capacity)..];
        int untilEnd = Math.Min(losses.Length, capacity - _next);
        losses[..untilEnd].CopyTo(_losses.AsSpan(_next));
        losses[untilEnd..].CopyTo(_losses);
        _next = (_next + losses.Length) % capacity;
        _count = Math.Min(capacity, _count + losses.Length);
    }

    /// <summary>Prepares <see cref="ShareBelow"/> for the losses added so far; the history is full.</summary>
    public void Sort(SelectionScratch scratch) => RowOrder.Sort(_losses, _sorted, scratch);

    /// <summary>Share of the sorted history strictly below a loss, in [0, 1].</summary>
    public double ShareBelow(float loss)
    {
        // Binary search without a branch to mispredict.
        int below = 0;
        for (int left = capacity; left > 1;)
        {
            int half = left / 2;
            below += _sorted[below + half - 1] < loss ? half : 0;
            left -= half;
        }

        below += _sorted[below] < loss ? 1 : 0;
        return (double)below / capacity;
    }

    // Tag, capacity, number of losses, the losses from the oldest to the newest. Little-endian.
    public override byte[] Save()
    {
        var saved = new byte[HeaderBytes + sizeof(float) * _count];
        BinaryPrimitives.WriteUInt32LittleEndian(saved, Tag);
        BinaryPrimitives.WriteInt32LittleEndian(saved.AsSpan(4), capacity);
        BinaryPrimitives.WriteInt32LittleEndian(saved.AsSpan(8), _count);
        for (int i = 0; i < _count; i++)
            BinaryPrimitives.WriteSingleLittleEndian(saved.AsSpan(HeaderBytes + sizeof(float) * i),
                _losses[IsFull ? (_next + i) % capacity : i]);
        return saved;
    }

    public override void Load(ReadOnlySpan<byte> saved)
    {
        if (saved.Length < HeaderBytes
            || BinaryPrimitives.ReadUInt32LittleEndian(saved) != Tag
            || BinaryPrimitives.ReadInt32LittleEndian(saved[4..]) != capacity
            || BinaryPrimitives.ReadInt32LittleEndian(saved[8..]) is var count
                && (count < 0 || count > capacity || saved.Length != HeaderBytes + sizeof(float) * count))
            throw SelectionErrors.StateNotLoadable($"a history of {capacity} losses", saved.Length);
        for (int i = 0; i < count; i++)
            _losses[i] = BinaryPrimitives.ReadSingleLittleEndian(saved[(HeaderBytes + sizeof(float) * i)..]);
        _count = count;
        _next = count % capacity;
    }
}
