using System.Buffers.Binary;
using System.IO.Compression;

namespace Microsoft.ML.ForwardSampling.Tool.Tests.Compare;

/// <summary>Writes a small data set in Fashion-MNIST's format: ten kinds of stripes under noise.</summary>
internal static class TinyFashionMnist
{
    public const int TrainingRows = 1280;
    public const int TestRows = 300;
    public const string TrainingImages = "train-images-idx3-ubyte.gz";
    public const string TrainingLabels = "train-labels-idx1-ubyte.gz";
    public const string TestImages = "t10k-images-idx3-ubyte.gz";
    public const string TestLabels = "t10k-labels-idx1-ubyte.gz";

    public static void Write(string folder)
    {
        WritePart(folder, TrainingImages, TrainingLabels, TrainingRows, seed: 1);
        WritePart(folder, TestImages, TestLabels, TestRows, seed: 2);
    }

    /// <summary>An idx file of unsigned bytes.</summary>
    public static void WriteIdx(string path, uint magic, ReadOnlySpan<uint> sizes, ReadOnlySpan<byte> bytes)
    {
        using var zipped = new GZipStream(File.Create(path), CompressionLevel.Fastest);
        Span<byte> number = stackalloc byte[4];
        foreach (uint value in (ReadOnlySpan<uint>)[magic, .. sizes])
        {
            BinaryPrimitives.WriteUInt32BigEndian(number, value);
            zipped.Write(number);
        }

        zipped.Write(bytes);
    }

    private static void WritePart(string folder, string images, string labels, int rows, int seed)
    {
        var random = new Random(seed);
        byte[] pixels = new byte[rows * 784];
        byte[] classes = new byte[rows];
        for (int i = 0; i < rows; i++)
        {
            classes[i] = (byte)random.Next(10);
            for (int pixel = 0; pixel < 784; pixel++)
            {
                bool inStripe = pixel / 28 / 2 == classes[i] + 2;
                pixels[i * 784 + pixel] = (byte)(random.Next(160) + (inStripe ? 60 : 0));
            }
        }

        WriteIdx(Path.Combine(folder, images), 0x803, [(uint)rows, 28, 28], pixels);
        WriteIdx(Path.Combine(folder, labels), 0x801, [(uint)rows], classes);
    }
}
