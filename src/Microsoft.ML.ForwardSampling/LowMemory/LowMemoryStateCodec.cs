using System.Runtime.InteropServices;
using Microsoft.ML.ForwardSampling.Saving;

namespace Microsoft.ML.ForwardSampling.LowMemory;

/// <summary>A low-memory model as bytes, and back: the one place that knows the format.</summary>
/// <remarks>
/// Little-endian, after the header of <see cref="StateHeader"/>: task (byte); features (int32); integer and fraction bits (bytes);
/// intercept, label offset and label unit (double); feature and label column (text); whether it can go on learning (bool). If so: weight
/// seen (double), the generator's four words (uint64), the codes (int16 each) and the counters (a byte each); else the packed codes. Last,
/// the CRC-32C of all that from the task on.
/// </remarks>
internal static class LowMemoryStateCodec
{
    public static byte[] Encode(LowMemoryPredictionTransformer transformer)
    {
        LowMemoryModel model = transformer.Model;
        using var stream = new MemoryStream();
        using var writer = new BinaryWriter(stream);
        StateHeader.Write(writer, StateKind.LowMemory);
        writer.Flush();
        int header = (int)stream.Length;
        writer.Write((byte)model.Task);
        writer.Write(model.FeatureCount);
        writer.Write((byte)model.IntegerBits);
        writer.Write((byte)model.FractionBits);
        writer.Write(model.LearnerIntercept);
        writer.Write(model.Scale.Offset);
        writer.Write(model.Scale.Unit);
        writer.Write(transformer.FeatureColumnName);
        writer.Write(transformer.LabelColumnName);
        writer.Write(model.CanContinue);
        if (model.Learner is { } learner)
        {
            writer.Write(learner.WeightSeen);
            writer.Write(learner.Random.S0);
            writer.Write(learner.Random.S1);
            writer.Write(learner.Random.S2);
            writer.Write(learner.Random.S3);
            foreach (short code in learner.Codes)
                writer.Write(code);
            writer.Write(learner.Counts);
        }
        else
        {
            writer.Write(model.Packed!.Bytes);
        }

        writer.Flush();
        writer.Write(Crc32C.Of(stream.GetBuffer().AsSpan(header, (int)stream.Length - header)));
        writer.Flush();
        return stream.ToArray();
    }

    /// <summary>The transformer.</summary>
    /// <param name="reader">After the header.</param>
    /// <exception cref="InvalidDataException">The state is damaged, or ends too early.</exception>
    public static LowMemoryPredictionTransformer Decode(BinaryReader reader) => StateReading.Whole(reader, Read);

    private static LowMemoryPredictionTransformer Read(BinaryReader reader)
    {
        byte[] content = reader.ReadBytes(checked((int)(reader.BaseStream.Length - reader.BaseStream.Position)));
        int end = content.Length - sizeof(uint);
        if (end < 0)
            throw new EndOfStreamException();
        if (Crc32C.Of(content.AsSpan(0, end)) != BitConverter.ToUInt32(content, end))
            throw Damaged($"its last bytes are not the checksum of the {end} before");
        using var checkedReader = new BinaryReader(new MemoryStream(content, 0, end));
        return DecodeChecked(checkedReader);
    }

    private static LowMemoryPredictionTransformer DecodeChecked(BinaryReader reader)
    {
        PredictionTask task = StateReading.Enum<PredictionTask>(reader);
        if (task == PredictionTask.Multiclass)
            throw Damaged("a low-memory model has no classes");
        int features = StateReading.Count(reader, LowMemoryTrainer.MaximumFeatures, "features");
        var format = new FixedPointFormat(reader.ReadByte(), reader.ReadByte());
        if (features == 0 || format.FractionBits == 0 || format.IntegerBits + format.FractionBits > FixedPointFormat.MostBits)
            throw Damaged($"it has {features} coefficients in {format}");
        double intercept = reader.ReadDouble();
        var scale = new LabelScale(reader.ReadDouble(), reader.ReadDouble());
        if (!double.IsFinite(intercept) || !double.IsFinite(scale.Offset) || !(double.IsFinite(scale.Unit) && scale.Unit > 0))
            throw Damaged("its intercept or scale is not a finite number");
        string featureColumn = reader.ReadString(), labelColumn = reader.ReadString();
        LowMemoryModel model = reader.ReadBoolean()
            ? new LowMemoryModel(task, format, scale, intercept, ReadLearner(reader, features))
            : new LowMemoryModel(task, format, scale, intercept,
                new PackedCodes(ReadExactly(reader, PackedCodes.BytesFor(features, format.Bits)), features, format.Bits));
        return new LowMemoryPredictionTransformer(model, featureColumn, labelColumn);
    }

    private static LearnerState ReadLearner(BinaryReader reader, int features)
    {
        double weight = reader.ReadDouble();
        if (!(double.IsFinite(weight) && weight >= 0))
            throw Damaged("the weight it has seen is not a finite number");
        var random = new RepeatableRandomState(reader.ReadUInt64(), reader.ReadUInt64(), reader.ReadUInt64(), reader.ReadUInt64());
        ReadOnlySpan<byte> bytes = ReadExactly(reader, (long)sizeof(short) * features);
        short[] codes = MemoryMarshal.Cast<byte, short>(bytes).ToArray();
        if (!BitConverter.IsLittleEndian)
            System.Buffers.Binary.BinaryPrimitives.ReverseEndianness(codes, codes);
        return new LearnerState(codes, ReadExactly(reader, features), weight, random);
    }

    /// <summary>As many bytes, if there are as many: a damaged count takes no memory.</summary>
    private static byte[] ReadExactly(BinaryReader reader, long count)
    {
        if (reader.BaseStream.Length - reader.BaseStream.Position < count)
            throw new EndOfStreamException();
        return reader.ReadBytes((int)count);
    }

    private static InvalidDataException Damaged(string how) => new($"The saved low-memory model is damaged: {how}.");
}
