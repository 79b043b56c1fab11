using System.Globalization;
using System.Text;
using System.Text.Unicode;
using Microsoft.ML.ForwardSampling.Tool.Files;

namespace Microsoft.ML.ForwardSampling.Tool.Compare;

/// <summary>The characters of a file: its encoding is what its first bytes or the user say, else UTF-8; bytes that are none are told,
/// never replaced.</summary>
internal sealed class CsvText : TextReader
{
    private static readonly (byte[] Begins, string Kind)[] s_kinds =
    [
        ("PK\u0003\u0004"u8.ToArray(), "a zip archive (as an Excel workbook is): unpack it, or save the sheet as CSV"),
        ([0xD0, 0xCF, 0x11, 0xE0], "an old Excel workbook: save the sheet as CSV"),
        ("PAR1"u8.ToArray(), "a Parquet file: write it as CSV, with pandas df.to_csv(path, index=False)"),
        ("ARROW1"u8.ToArray(), "an Arrow file: write it as CSV"),
        ("SQLite format 3"u8.ToArray(), "a SQLite database: write a table as CSV"),
        ("%PDF"u8.ToArray(), "a PDF"),
        ("BZh"u8.ToArray(), "packed with bzip2: unpack it"),
        ([0x28, 0xB5, 0x2F, 0xFD], "packed with zstd: unpack it"),
        ([0xFD, 0x37, 0x7A, 0x58, 0x5A], "packed with xz: unpack it"),
        ([0x37, 0x7A, 0xBC, 0xAF], "packed with 7z: unpack it"),
    ];

    private readonly InputFile _input;
    private readonly StreamReader _reader;
    private readonly char? _separator;
    private long _line = 1;

    /// <summary>Opens it.</summary>
    /// <param name="input">The file.</param>
    /// <param name="encoding">What the user says, or null.</param>
    /// <param name="separator">Between fields, to name columns; null: unknown.</param>
    /// <exception cref="InvalidDataException">It is no text.</exception>
    public CsvText(InputFile input, Encoding? encoding, char? separator)
    {
        (_input, _separator) = (input, separator);
        using (Stream bytes = input.OpenRead())
        {
            byte[] first = new byte[4096];
            ReadOnlySpan<byte> begin = first.AsSpan(0, bytes.ReadAtLeast(first, first.Length, throwOnEndOfStream: false));
            foreach ((byte[] begins, string kind) in s_kinds)
            {
                if (begin.StartsWith(begins))
                    throw new InvalidDataException($"{input.Name} is {kind}.");
            }

            if (encoding is null && Guess(begin) is { } guessed)
                (encoding, IsGuessed) = (guessed, true);
        }

        _reader = new StreamReader(input.OpenRead(), encoding ?? new UTF8Encoding(false, throwOnInvalidBytes: true));
    }

    /// <summary>Whether it is read as UTF-16 without saying so itself.</summary>
    public bool IsGuessed { get; }

    /// <summary>An encoding by its name.</summary>
    /// <returns>Null: there is none.</returns>
    public static Encoding? Named(string name)
    {
        Encoding.RegisterProvider(CodePagesEncodingProvider.Instance);
        try
        {
            string known = name.ToUpperInvariant() switch { "ANSI" => "windows-1252", "UTF8" => "utf-8", "UTF16" => "utf-16", _ => name };
            return Encoding.GetEncoding(known, EncoderFallback.ExceptionFallback, DecoderFallback.ExceptionFallback);
        }
        catch (Exception e) when (e is ArgumentException or NotSupportedException)
        {
            return null;
        }
    }

    /// <inheritdoc/>
    public override int Peek() => Guarded(_reader.Peek);

    /// <inheritdoc/>
    public override int Read()
    {
        int next = Guarded(_reader.Read);
        if (next >= 0)
            Look((char)next);
        return next;
    }

    /// <inheritdoc/>
    public override int Read(char[] buffer, int index, int count)
    {
        int read = Guarded(() => _reader.Read(buffer, index, count));
        foreach (char c in buffer.AsSpan(index, read))
            Look(c);
        return read;
    }

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        _reader.Dispose();
        base.Dispose(disposing);
    }

    /// <summary>UTF-16 of mostly Latin letters has a zero in every second byte.</summary>
    private static UnicodeEncoding? Guess(ReadOnlySpan<byte> begin)
    {
        if (begin.Length < 4 || begin is [0xFF, 0xFE, ..] or [0xFE, 0xFF, ..])
            return null;
        int even = 0, odd = 0;
        for (int i = 0; i + 1 < begin.Length; i += 2)
            (even, odd) = (even + (begin[i] == 0 ? 1 : 0), odd + (begin[i + 1] == 0 ? 1 : 0));
        int half = begin.Length / 4;
        return odd > half && even == 0 ? new UnicodeEncoding(bigEndian: false, byteOrderMark: false, throwOnInvalidBytes: true)
            : even > half && odd == 0 ? new UnicodeEncoding(bigEndian: true, byteOrderMark: false, throwOnInvalidBytes: true) : null;
    }

    private void Look(char c)
    {
        if (c == '\n')
            _line++;
        else if (c == '\0')
            throw new InvalidDataException(string.Create(CultureInfo.InvariantCulture,
                $"{_input.Name}, line {_line}: a NUL character. The file is damaged or no text; UTF-16 without a byte-order mark is read ")
                + "with --encoding utf-16 or --encoding utf-16BE.");
    }

    private int Guarded(Func<int> read)
    {
        try
        {
            return read();
        }
        catch (DecoderFallbackException e)
        {
            throw _reader.CurrentEncoding is UTF8Encoding ? NotUtf8(e) : new InvalidDataException(string.Create(
                CultureInfo.InvariantCulture, $"{_input.Name}, after line {_line}: bytes that are not {_reader.CurrentEncoding.WebName}. ")
                + "Give the right --encoding.", e);
        }
        catch (InvalidDataException e) when (!e.Message.StartsWith(_input.Name, StringComparison.Ordinal))
        {
            throw new InvalidDataException($"{_input.Name} is not a whole gzip file ({e.Message}).", e);
        }
    }

    /// <summary>The place of the first byte that is not UTF-8, and what it may be.</summary>
    private InvalidDataException NotUtf8(Exception cause)
    {
        using var bytes = new BufferedStream(_input.OpenRead(), 1 << 16);
        Encoding western = Named("windows-1252")!;
        var line = new List<byte>();
        for (long number = 1; ; number++)
        {
            line.Clear();
            int next;
            while ((next = bytes.ReadByte()) >= 0 && next != '\n')
                line.Add((byte)next);
            ReadOnlySpan<byte> text = System.Runtime.InteropServices.CollectionsMarshal.AsSpan(line);
            if (!Utf8.IsValid(text))
            {
                int at = 0;
                while (Rune.DecodeFromUtf8(text[at..], out _, out int used) == System.Buffers.OperationStatus.Done)
                    at += used;
                string before = western.GetString(text[..at]), whole = western.GetString(text);
                char separator = _separator ?? ',';
                int column = string.Concat(before.Split('"').Where((_, i) => i % 2 == 0)).Count(c => c == separator) + 1;
                int from = before.LastIndexOf(separator) + 1, to = whole.IndexOf(separator, at);
                string field = (to < 0 ? whole[from..] : whole[from..to]).Trim('\r', '"', ' ');
                return new InvalidDataException(string.Create(CultureInfo.InvariantCulture,
                    $"{_input.Name}, line {number}, column {column}: byte {text[at]:X2} is not UTF-8. In windows-1252, which is usual in ")
                    + $"Western Europe, the field is '{CsvFile.Short(field)}': give --encoding windows-1252 if that is right, the right "
                    + "--encoding if not, or save the file as UTF-8.", cause);
            }

            if (next < 0)
                return new InvalidDataException($"{_input.Name} is not UTF-8: give its --encoding.", cause);
        }
    }
}
