using System.Globalization;
using System.Numerics;

namespace Microsoft.ML.Data;

/// <summary>Turns a field into a value; false: the field is no such value.</summary>
internal delegate bool TextParser<T>(ReadOnlyMemory<char> field, out T value);

internal static class TextParser
{
    /// <summary>The type of a column's values; with a count, a key.</summary>
    public static PrimitiveDataViewType TypeOf(DataKind kind, KeyCount? keyCount)
    {
        var type = (PrimitiveDataViewType)PrimitiveDataViewType.FromKind(kind);
        if (keyCount is null)
            return type;
        Errors.CheckArgument(KeyDataViewType.IsValidDataType(type.RawType), "Type", "Bad item type for Key");
        return new KeyDataViewType(type.RawType, keyCount.Count ?? Largest(type.RawType));
    }

    /// <summary>The kind that holds values of <paramref name="type"/>; null: none does.</summary>
    public static DataKind? KindOf(Type type) =>
        type == typeof(ReadOnlyMemory<char>) ? DataKind.String
        : type != typeof(decimal) && type != typeof(char) && Enum.TryParse<DataKind>(type.Name, out var kind) ? kind : null;

    /// <summary>A <see cref="TextParser{T}"/> for values of that type.</summary>
    public static Delegate For(PrimitiveDataViewType type, TextLoader.Options options) => type switch
    {
        KeyDataViewType key when type.RawType == typeof(byte) => Key<byte>(key),
        KeyDataViewType key when type.RawType == typeof(ushort) => Key<ushort>(key),
        KeyDataViewType key when type.RawType == typeof(uint) => Key<uint>(key),
        KeyDataViewType key => Key<ulong>(key),
        TextDataViewType => new TextParser<ReadOnlyMemory<char>>((field, out value) => { value = field; return true; }),
        BooleanDataViewType => new TextParser<bool>(TryBoolean),
        _ when type.RawType == typeof(float) => Real(float.NaN, float.PositiveInfinity, options),
        _ when type.RawType == typeof(double) => Real(double.NaN, double.PositiveInfinity, options),
        _ when type.RawType == typeof(sbyte) => Integer<sbyte>(),
        _ when type.RawType == typeof(byte) => Integer<byte>(),
        _ when type.RawType == typeof(short) => Integer<short>(),
        _ when type.RawType == typeof(ushort) => Integer<ushort>(),
        _ when type.RawType == typeof(int) => Integer<int>(),
        _ when type.RawType == typeof(uint) => Integer<uint>(),
        _ when type.RawType == typeof(long) => Integer<long>(),
        _ => Integer<ulong>(),
    };

    private static ulong Largest(Type type) =>
        type == typeof(byte) ? byte.MaxValue : type == typeof(ushort) ? ushort.MaxValue : type == typeof(uint) ? uint.MaxValue : ulong.MaxValue;

    // Never fails: what is no number reads as NaN. An absent one is 0 unless the options say NaN.
    private static TextParser<T> Real<T>(T nan, T infinity, TextLoader.Options options) where T : IFloatingPoint<T>
    {
        const NumberStyles style = NumberStyles.AllowLeadingSign | NumberStyles.AllowDecimalPoint | NumberStyles.AllowExponent | NumberStyles.AllowTrailingWhite;
        var format = new NumberFormatInfo { NumberDecimalSeparator = options.DecimalMarker.ToString(), NumberGroupSeparator = "" };
        T absent = options.MissingRealsAsNaNs ? nan : T.Zero;
        return (ReadOnlyMemory<char> field, out T value) =>
        {
            var text = field.Span.TrimEnd();
            value = text switch
            {
                "" => absent,
                "Infinity" or "∞" => infinity,
                "-Infinity" or "-∞" => -infinity,
                // .NET would also take its own names of these in any case, with and without a sign.
                _ when text.ContainsAnyExcept("0123456789+-.,eE") => nan,
                _ => T.TryParse(text, style, format, out T? number) ? number : nan,
            };
            return true;
        };
    }

    private static TextParser<T> Integer<T>() where T : IBinaryInteger<T>, IMinMaxValue<T>
    {
        var style = T.IsNegative(T.MinValue) ? NumberStyles.AllowLeadingSign : NumberStyles.None;
        return (ReadOnlyMemory<char> field, out T value) =>
        {
            value = T.Zero;
            return field.IsEmpty || (field.Span[0] != '+' && T.TryParse(field.Span, style, CultureInfo.InvariantCulture, out value!));
        };
    }

    // Text holds keys from 0, memory from 1; what is out of range is missing.
    private static TextParser<T> Key<T>(KeyDataViewType type) where T : IBinaryInteger<T>
    {
        return (ReadOnlyMemory<char> field, out T value) =>
        {
            value = ulong.TryParse(field.Span, NumberStyles.None, CultureInfo.InvariantCulture, out ulong key) && key < type.Count
                ? T.CreateTruncating(key + 1) : T.Zero;
            return true;
        };
    }

    private static bool TryBoolean(ReadOnlyMemory<char> field, out bool value)
    {
        string text = field.Span.ToString().ToLowerInvariant();
        value = text is "1" or "+1" or "+" or "t" or "true" or "y" or "yes";
        return value || text is "" or "0" or "-1" or "-" or "f" or "false" or "n" or "no";
    }
}
