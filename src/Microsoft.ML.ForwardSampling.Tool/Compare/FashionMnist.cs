using System.Buffers.Binary;
using System.IO.Compression;
using Microsoft.ML.Data;

namespace Microsoft.ML.ForwardSampling.Tool.Compare;

/// <summary>One image of Fashion-MNIST as a row of a data view.</summary>
internal sealed class FashionImage
{
    /// <summary>28 x 28 grey values, row by row; over the training images they have mean 0 and standard deviation 1.</summary>
    [VectorType(FashionMnist.Pixels)]
    public float[] Features { get; set; } = [];

    /// <summary>The class, 0 (T-shirt) to 9 (ankle boot). A key counts from 0 in an object and from 1 in a data view: ML.NET adds the
    /// 1.</summary>
    [KeyType(FashionMnist.Classes)]
    public uint Label { get; set; }
}

/// <summary>Reads Fashion-MNIST (Xiao, Rasul, Vollgraf, arXiv 1708.07747) from its four gzip-compressed idx files.</summary>
/// <param name="Training">60,000 images in the data set's own files.</param>
/// <param name="Test">10,000 images in the data set's own files.</param>
internal sealed record FashionMnist(IReadOnlyList<FashionImage> Training, IReadOnlyList<FashionImage> Test)
{
    /// <summary>Pixels in a row of an image, and rows in an image.</summary>
    public const int Side = 28;

    /// <summary>Pixels of an image.</summary>
    public const int Pixels = Side * Side;

    /// <summary>Kinds of clothing.</summary>
    public const int Classes = 10;

    /// <summary>Where the Debian package dataset-fashion-mnist puts the files.</summary>
    public const string DebianFolder = "/usr/share/datasets/fashion-mnist";

    private const uint ImagesMagic = 0x00000803; // unsigned bytes, three dimensions
    private const uint LabelsMagic = 0x00000801; // unsigned bytes, one dimension

    /// <summary>Reads all four files.</summary>
    /// <param name="folder">Folder that holds them.</param>
    /// <exception cref="FileNotFoundException">A file is missing; the message says where to get it.</exception>
    /// <exception cref="InvalidDataException">A file is damaged or is something else; the message says what was expected.</exception>
    public static FashionMnist Load(string folder)
    {
        (byte[] pixels, byte[] labels) training = LoadPart(folder, "train"), test = LoadPart(folder, "t10k");
        float[] scale = Scale(training.pixels);
        return new FashionMnist(ToRows(training.pixels, training.labels, scale), ToRows(test.pixels, test.labels, scale));
    }

    private static (byte[] Pixels, byte[] Labels) LoadPart(string folder, string part)
    {
        string imagesPath = Path.Combine(folder, $"{part}-images-idx3-ubyte.gz");
        string labelsPath = Path.Combine(folder, $"{part}-labels-idx1-ubyte.gz");
        (byte[] pixels, int count) = ReadIdx(imagesPath, ImagesMagic, "images", Side, Side);
        (byte[] labels, int labelCount) = ReadIdx(labelsPath, LabelsMagic, "labels");
        if (count != labelCount)
            throw new InvalidDataException(
                $"{imagesPath} has {count} images and {labelsPath} has {labelCount} labels: they do not belong together. {Advice}");

        for (int i = 0; i < count; i++)
        {
            if (labels[i] >= Classes)
                throw new InvalidDataException($"{labelsPath}: label {i} is {labels[i]}, expected 0 to {Classes - 1}. {Advice}");
        }

        return (pixels, labels);
    }

    /// <summary>What each of the 256 grey values becomes so that the pixels have mean 0 and standard deviation 1, as networks like
    /// them.</summary>
    private static float[] Scale(byte[] pixels)
    {
        double sum = 0, squares = 0;
        foreach (byte pixel in pixels)
        {
            sum += pixel;
            squares += pixel * pixel;
        }

        double mean = sum / pixels.Length;
        double deviation = Math.Max(1, Math.Sqrt(squares / pixels.Length - mean * mean)); // one grey value, for images of one colour
        return [.. Enumerable.Range(0, 256).Select(grey => (float)((grey - mean) / deviation))];
    }

    private static FashionImage[] ToRows(byte[] pixels, byte[] labels, float[] scale)
    {
        var rows = new FashionImage[labels.Length];
        for (int i = 0; i < rows.Length; i++)
        {
            float[] features = new float[Pixels];
            for (int j = 0; j < Pixels; j++)
                features[j] = scale[pixels[i * Pixels + j]];
            rows[i] = new FashionImage { Features = features, Label = labels[i] };
        }

        return rows;
    }

    private const string Advice = $"The files come with the Debian package dataset-fashion-mnist (apt-get install dataset-fashion-mnist, "
        + $"in {DebianFolder}); --data names another folder.";

    /// <summary>An idx file: magic number, one size for each dimension, all big-endian, then the bytes.</summary>
    private static (byte[] Bytes, int Count) ReadIdx(string path, uint magic, string what, params ReadOnlySpan<int> sizes)
    {
        if (!File.Exists(path))
            throw new FileNotFoundException($"{path} is missing. {Advice}", path);
        try
        {
            using var unzipped = new GZipStream(File.OpenRead(path), CompressionMode.Decompress);
            uint found = ReadUInt32(unzipped);
            if (found != magic)
                throw new InvalidDataException(
                    $"{path} starts with 0x{found:X8}, expected 0x{magic:X8}: not an idx file of {what}. {Advice}");
            uint count = ReadUInt32(unzipped);
            long length = count;
            foreach (int size in sizes)
            {
                uint given = ReadUInt32(unzipped);
                if (given != size)
                    throw new InvalidDataException($"{path} has {what} with a side of {given} pixels, expected {size}. {Advice}");
                length *= size;
            }

            if (count == 0 || length > Array.MaxLength)
                throw new InvalidDataException($"{path} promises {count} {what}, expected 1 to {Array.MaxLength / Pixels}. {Advice}");
            byte[] bytes = new byte[length];
            int read = unzipped.ReadAtLeast(bytes, bytes.Length, throwOnEndOfStream: false);
            if (read < bytes.Length)
                throw new InvalidDataException(
                    $"{path} ends after {read} of {bytes.Length} bytes of {what}: the file is cut off. {Advice}");
            if (unzipped.ReadByte() >= 0)
                throw new InvalidDataException($"{path} goes on after its {count} {what}. {Advice}");
            return (bytes, (int)count);
        }
        catch (EndOfStreamException e)
        {
            throw new InvalidDataException($"{path} ends within its header: the file is cut off. {Advice}", e);
        }
        catch (InvalidDataException e) when (!e.Message.StartsWith(path, StringComparison.Ordinal))
        {
            throw new InvalidDataException($"{path} is not a whole gzip file ({e.Message}). {Advice}", e);
        }
    }

    private static uint ReadUInt32(Stream stream)
    {
        Span<byte> bytes = stackalloc byte[sizeof(uint)];
        stream.ReadExactly(bytes);
        return BinaryPrimitives.ReadUInt32BigEndian(bytes);
    }
}
