using System.Numerics;
using Microsoft.ML.Data;

namespace Microsoft.ML.ForwardSampling.DataViews;

/// <summary>Reads a label column as a class counted from 0, whatever ML.NET type it has.</summary>
internal static class ClassLabel
{
    /// <summary>The row has no label: a missing key, or NaN.</summary>
    public const int Unknown = -1;

    /// <summary>The row has a label that no class can have: negative, not whole, or too large for an index.</summary>
    public const int Invalid = -2;

    /// <summary>The types that <see cref="Open"/> reads.</summary>
    public static bool IsReadable(ColumnFacts label) => label.IsBoolean || label.IsScalarKey || label.IsSingle;

    /// <summary>A reader of the current row's class, or of <see cref="Unknown"/> or <see cref="Invalid"/>.</summary>
    /// <param name="row">Row or cursor in which <paramref name="column"/> is active.</param>
    /// <param name="column">Boolean (true is class 1), Key of any width (raw value less one), or Single (the class itself).</param>
    public static Func<int> Open(DataViewRow row, DataViewSchema.Column column) => column.Type switch
    {
        BooleanDataViewType => OpenBoolean(row.GetGetter<bool>(column)),
        KeyDataViewType key when key.RawType == typeof(byte) => OpenKey(row.GetGetter<byte>(column)),
        KeyDataViewType key when key.RawType == typeof(ushort) => OpenKey(row.GetGetter<ushort>(column)),
        KeyDataViewType key when key.RawType == typeof(uint) => OpenKey(row.GetGetter<uint>(column)),
        KeyDataViewType => OpenKey(row.GetGetter<ulong>(column)),
        _ => OpenSingle(row.GetGetter<float>(column)),
    };

    private static Func<int> OpenBoolean(ValueGetter<bool> getter)
    {
        bool value = false;
        return () =>
        {
            getter(ref value);
            return value ? 1 : 0;
        };
    }

    private static Func<int> OpenKey<T>(ValueGetter<T> getter)
        where T : struct, IBinaryInteger<T>, IUnsignedNumber<T>
    {
        T value = default;
        return () =>
        {
            getter(ref value);
            ulong raw = ulong.CreateTruncating(value);
            return raw <= int.MaxValue ? (int)raw - 1 : Invalid;   // raw 0 is a missing key: 0 - 1 = Unknown
        };
    }

    private static Func<int> OpenSingle(ValueGetter<float> getter)
    {
        float value = 0;
        return () =>
        {
            getter(ref value);
            if (float.IsNaN(value))
                return Unknown;
            return value >= 0 && value < int.MaxValue && value == (int)value ? (int)value : Invalid;
        };
    }
}
