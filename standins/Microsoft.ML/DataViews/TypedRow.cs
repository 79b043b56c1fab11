using System.Collections.Concurrent;
using System.Linq.Expressions;
using System.Numerics;
using System.Reflection;

namespace Microsoft.ML.Data;

/// <summary>Carries values between the members of objects and columns.</summary>
internal static class TypedRow<TRow> where TRow : class
{
    private static readonly ConcurrentDictionary<MemberInfo, Delegate> _readers = new();
    private static readonly ConcurrentDictionary<MemberInfo, Delegate> _writers = new();

    /// <summary>The object that getters read.</summary>
    public sealed class Holder
    {
        public TRow? Row;
        public TRow Current => Row ?? throw Errors.NotOnARow();
    }

    /// <summary>A ValueGetter of the column's raw type that reads the held object's member.</summary>
    public static Delegate CreateGetter(TypedColumn column, Holder row)
    {
        Type memberType = column.MemberType;
        Type item = TypedSchema.ItemOf(memberType, out bool isVector);
        if (memberType == typeof(string))
            return GetText(column.Member, row);
        if (memberType == typeof(string[]))
            return GetTexts(column.Member, row);
        if (isVector)
            return Generic.Call<Delegate>(memberType.IsArray ? GetArray<int> : GetBuffer<int>, item, column.Member, row);
        return column.Type is KeyDataViewType key
            ? Generic.Call<Delegate>(GetKey<uint>, item, column.Member, row, key.Count)
            : Generic.Call<Delegate>(GetScalar<int>, item, column.Member, row);
    }

    /// <summary>Copies the row's columns into the members of an object.</summary>
    public static Action<TRow> CreateWriter(TypedColumn[] columns, DataViewSchema.Column?[] sources, DataViewRow row)
    {
        Action<TRow>[] writers = [.. columns.Zip(sources)
            .Where(pair => pair.Second is not null && CanWrite(pair.First.Member))
            .Select(pair => CreateWriter(pair.First, pair.Second!.Value, row))];
        return target =>
        {
            foreach (Action<TRow> write in writers)
                write(target);
        };
    }

    private static Action<TRow> CreateWriter(TypedColumn column, DataViewSchema.Column source, DataViewRow row)
    {
        Type memberType = column.MemberType;
        Type item = TypedSchema.ItemOf(memberType, out bool isVector);
        if (memberType == typeof(string))
            return SetText(column.Member, row.GetGetter<ReadOnlyMemory<char>>(source));
        if (memberType == typeof(string[]))
            return SetArray<ReadOnlyMemory<char>, string>(column.Member, row.GetGetter<VBuffer<ReadOnlyMemory<char>>>(source), text => text.ToString());
        Delegate getter = Generic.GetterOf(row, source);
        Delegate sample = !isVector ? SetScalar<int> : memberType.IsArray ? SetArray<int> : SetBuffer<int>;
        return Generic.Call<Action<TRow>>(sample, item, column.Member, getter);
    }

    private static ValueGetter<T> GetScalar<T>(MemberInfo member, Holder row)
    {
        Func<TRow, T> read = Reader<T>(member);
        return (ref T value) => value = read(row.Current);
    }

    // The first key is 0 in a member and 1 in a column.
    private static ValueGetter<T> GetKey<T>(MemberInfo member, Holder row, ulong count) where T : IBinaryInteger<T>
    {
        Func<TRow, T> read = Reader<T>(member);
        return (ref T value) =>
        {
            T key = read(row.Current);
            value = ulong.CreateTruncating(key) < count ? key + T.One : T.Zero;
        };
    }

    private static ValueGetter<ReadOnlyMemory<char>> GetText(MemberInfo member, Holder row)
    {
        Func<TRow, string?> read = Reader<string?>(member);
        return (ref ReadOnlyMemory<char> value) => value = read(row.Current).AsMemory();
    }

    private static ValueGetter<VBuffer<T>> GetBuffer<T>(MemberInfo member, Holder row)
    {
        Func<TRow, VBuffer<T>> read = Reader<VBuffer<T>>(member);
        return (ref VBuffer<T> value) => read(row.Current).CopyTo(ref value);
    }

    private static ValueGetter<VBuffer<T>> GetArray<T>(MemberInfo member, Holder row)
    {
        Func<TRow, T[]?> read = Reader<T[]?>(member);
        return (ref VBuffer<T> value) =>
        {
            T[] items = read(row.Current) ?? [];
            VBufferEditor<T> editor = VBufferEditor.Create(ref value, items.Length);
            items.CopyTo(editor.Values);
            value = editor.Commit();
        };
    }

    private static ValueGetter<VBuffer<ReadOnlyMemory<char>>> GetTexts(MemberInfo member, Holder row)
    {
        Func<TRow, string?[]?> read = Reader<string?[]?>(member);
        return (ref VBuffer<ReadOnlyMemory<char>> value) =>
        {
            string?[] items = read(row.Current) ?? [];
            VBufferEditor<ReadOnlyMemory<char>> editor = VBufferEditor.Create(ref value, items.Length);
            for (int i = 0; i < items.Length; i++)
                editor.Values[i] = items[i].AsMemory();
            value = editor.Commit();
        };
    }

    private static Action<TRow> SetScalar<T>(MemberInfo member, Delegate getter)
    {
        var get = (ValueGetter<T>)getter;
        Action<TRow, T> write = Writer<T>(member);
        return row =>
        {
            T value = default!;
            get(ref value);
            write(row, value);
        };
    }

    private static Action<TRow> SetText(MemberInfo member, ValueGetter<ReadOnlyMemory<char>> get)
    {
        Action<TRow, string> write = Writer<string>(member);
        ReadOnlyMemory<char> value = default;
        return row =>
        {
            get(ref value);
            write(row, value.ToString());
        };
    }

    // The buffers of the member are the row's own: they are written again when the row object is.
    private static Action<TRow> SetBuffer<T>(MemberInfo member, Delegate getter)
    {
        var get = (ValueGetter<VBuffer<T>>)getter;
        Func<TRow, VBuffer<T>>? read = CanRead(member) ? Reader<VBuffer<T>>(member) : null;
        Action<TRow, VBuffer<T>> write = Writer<VBuffer<T>>(member);
        return row =>
        {
            VBuffer<T> value = read?.Invoke(row) ?? default;
            get(ref value);
            write(row, value);
        };
    }

    private static Action<TRow> SetArray<T>(MemberInfo member, Delegate getter) => SetArray<T, T>(member, (ValueGetter<VBuffer<T>>)getter, null);

    private static Action<TRow> SetArray<T, TItem>(MemberInfo member, ValueGetter<VBuffer<T>> get, Func<T, TItem>? convert)
    {
        Func<TRow, TItem[]?>? read = CanRead(member) ? Reader<TItem[]?>(member) : null;
        Action<TRow, TItem[]?> write = Writer<TItem[]?>(member);
        VBuffer<T> value = default;
        return row =>
        {
            get(ref value);
            TItem[]? items = read?.Invoke(row);
            if (items?.Length != value.Length)
                items = value.Length == 0 ? null : new TItem[value.Length];
            if (convert is null)
                value.CopyTo((T[]?)(object?)items);
            else if (items is not null)
                Convert(value, items, convert);
            write(row, items);
        };
    }

    private static void Convert<T, TItem>(VBuffer<T> value, TItem[] items, Func<T, TItem> convert)
    {
        int i = 0;
        foreach (T item in value.DenseValues())
            items[i++] = convert(item);
    }

    private static bool CanRead(MemberInfo member) => member is FieldInfo || ((PropertyInfo)member).GetGetMethod() is not null;

    private static bool CanWrite(MemberInfo member) =>
        member is FieldInfo field ? !field.IsInitOnly : ((PropertyInfo)member).GetSetMethod() is not null;

    private static Func<TRow, T> Reader<T>(MemberInfo member) => (Func<TRow, T>)_readers.GetOrAdd(member, static m =>
    {
        ParameterExpression row = Expression.Parameter(typeof(TRow));
        return Expression.Lambda<Func<TRow, T>>(Expression.MakeMemberAccess(row, m), row).Compile();
    });

    private static Action<TRow, T> Writer<T>(MemberInfo member) => (Action<TRow, T>)_writers.GetOrAdd(member, static m =>
    {
        ParameterExpression row = Expression.Parameter(typeof(TRow)), value = Expression.Parameter(typeof(T));
        return Expression.Lambda<Action<TRow, T>>(Expression.Assign(Expression.MakeMemberAccess(row, m), value), row, value).Compile();
    });
}
