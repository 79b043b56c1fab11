using System.Buffers.Binary;

namespace Microsoft.ML.ForwardSampling.Records;

/// <summary>Records that a <see cref="BufferedRecordWriter{TRecord}"/> has to write, in order.</summary>
/// <remarks><c>foreach</c> goes over them. No allocation.</remarks>
/// <typeparam name="TRecord">The records' type.</typeparam>
public readonly ref struct RecordBatch<TRecord>
    where TRecord : struct, ILogRecord<TRecord>
{
    internal RecordBatch(ReadOnlySpan<BlockBuffer<TRecord>> blocks) => Blocks = blocks;

    /// <summary>Number of the first record, from 0, among all that were appended to this writer.</summary>
    public long First => Blocks[0].FirstSequence;

    /// <summary>Number of records, ≥ 1.</summary>
    public int Count => (int)(Blocks[^1].FirstSequence + Blocks[^1].Count - First);

    internal ReadOnlySpan<BlockBuffer<TRecord>> Blocks { get; }

    /// <summary>Begins at the first record.</summary>
    /// <returns>An enumerator.</returns>
    public Enumerator GetEnumerator() => new(Blocks);

    /// <summary>Goes over the records.</summary>
    public ref struct Enumerator
    {
        private readonly ReadOnlySpan<BlockBuffer<TRecord>> _blocks;
        private int _block;
        private int _place = -1;

        internal Enumerator(ReadOnlySpan<BlockBuffer<TRecord>> blocks) => _blocks = blocks;

        /// <summary>The current record.</summary>
        public readonly BufferedRecord Current => _blocks[_block].At(_place);

        /// <summary>Moves on.</summary>
        /// <returns>False after the last record.</returns>
        public bool MoveNext()
        {
            if (++_place < _blocks[_block].Count)
                return true;
            _place = 0;
            return ++_block < _blocks.Length;
        }
    }
}

/// <summary>A record as it waits in memory: its parts, with its time and its keeping probability after thinning.</summary>
public readonly ref struct BufferedRecord
{
    private readonly ReadOnlySpan<byte> _bytes;

    internal BufferedRecord(ReadOnlySpan<byte> bytes, long ticks, ulong modelVersion, int classes)
    {
        _bytes = bytes;
        Time = new DateTime(ticks, DateTimeKind.Utc);
        ModelVersion = modelVersion;
        Classes = classes;
    }

    /// <summary>Key of the row.</summary>
    public ulong Key => BinaryPrimitives.ReadUInt64LittleEndian(_bytes);

    /// <summary>When the row was scored or its label became known, UTC.</summary>
    public DateTime Time { get; }

    /// <summary>Version of the model; 0 for a label.</summary>
    public ulong ModelVersion { get; }

    /// <summary>Number of classes of a multiclass record; 0 for all others.</summary>
    public int Classes { get; }

    /// <summary>The keeping probability's code; 0 for a label.</summary>
    public ushort KeepingCode => BinaryPrimitives.ReadUInt16LittleEndian(_bytes[10..]);

    /// <summary>The record itself again.</summary>
    /// <typeparam name="TRecord">Its type.</typeparam>
    /// <returns>As it was appended, with its time and its keeping probability after thinning.</returns>
    public TRecord As<TRecord>()
        where TRecord : struct, ILogRecord<TRecord>
        => TRecord.Read(Key, ModelVersion, Classes, Time, KeepingCode, Body);

    /// <summary>What <see cref="ILogRecord{TSelf}.WriteBody"/> wrote.</summary>
    public ReadOnlySpan<byte> Body => _bytes[RecordBytes.Shared..];
}
