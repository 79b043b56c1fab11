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
            return Get<string?, ReadOnlyMemory<char>>(column.Member, row, text => text.AsMemory());
        if (memberType == typeof(string[]))
            return GetArray<string?, ReadOnlyMemory<char>>(column.Member, row, text => text.AsMemory());
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
        return target => Array.ForEach(writers, write => write(target));
    }

    private static Action<TRow> CreateWriter(TypedColumn column, DataViewSchema.Column source, DataViewRow row)
    {
        Type memberType = column.MemberType;
        Type item = TypedSchema.ItemOf(memberType, out bool isVector);
        if (memberType == typeof(string))
            return Set<ReadOnlyMemory<char>, string>(column.Member, row.GetGetter<ReadOnlyMemory<char>>(source), text => text.ToString());
        if (memberType == typeof(string[]))
            return SetArray<ReadOnlyMemory<char>, string>(column.Member, row.GetGetter<VBuffer<ReadOnlyMemory<char>>>(source), text => text.ToString());
        Delegate sample = !isVector ? SetScalar<int> : memberType.IsArray ? SetArray<int> : SetBuffer<int>;
        return Generic.Call<Action<TRow>>(sample, item, column.Member, Generic.GetterOf(row, source));
    }

    private static ValueGetter<T> Get<TMember, T>(MemberInfo member, Holder row, Func<TMember, T> convert)
    {
        Func<TRow, TMember> read = Reader<TMember>(member);
        return (ref T value) => value = convert(read(row.Current));
    }

    private static ValueGetter<T> GetScalar<T>(MemberInfo member, Holder row)
    {
        Func<TRow, T> read = Reader<T>(member);
        return (ref T value) => value = read(row.Current);
    }

    // The first key is 0 in a member and 1 in a column.
    private static ValueGetter<T> GetKey<T>(MemberInfo member, Holder row, ulong count) where T : IBinaryInteger<T> =>
        Get<T, T>(member, row, key => ulong.CreateTruncating(key) < count ? key + T.One : T.Zero);

    private static ValueGetter<VBuffer<T>> GetBuffer<T>(MemberInfo member, Holder row)
    {
        Func<TRow, VBuffer<T>> read = Reader<VBuffer<T>>(member);
        return (ref VBuffer<T> value) => read(row.Current).CopyTo(ref value);
    }

    private static ValueGetter<VBuffer<T>> GetArray<T>(MemberInfo member, Holder row) => GetArray<T, T>(member, row, item => item);

    private static ValueGetter<VBuffer<T>> GetArray<TItem, T>(MemberInfo member, Holder row, Func<TItem, T> convert)
    {
        Func<TRow, TItem[]?> read = Reader<TItem[]?>(member);
        return (ref VBuffer<T> value) =>
        {
            TItem[] items = read(row.Current) ?? [];
            VBufferEditor<T> editor = VBufferEditor.Create(ref value, items.Length);
            if (items is T[] same)
            {
                same.CopyTo(editor.Values);
            }
            else
            {
                for (int i = 0; i < items.Length; i++)
                    editor.Values[i] = convert(items[i]);
            }

            value = editor.Commit();
        };
    }

    private static Action<TRow> SetScalar<T>(MemberInfo member, Delegate getter) => Set<T, T>(member, (ValueGetter<T>)getter, value => value);

    private static Action<TRow> Set<T, TMember>(MemberInfo member, ValueGetter<T> get, Func<T, TMember> convert)
    {
        Action<TRow, TMember> write = Writer<TMember>(member);
        T value = default!;
        return row =>
        {
            get(ref value);
            write(row, convert(value));
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

    private static Action<TRow> SetArray<T>(MemberInfo member, Delegate getter) => SetArray<T, T>(member, (ValueGetter<VBuffer<T>>)getter, item => item);

    private static Action<TRow> SetArray<T, TItem>(MemberInfo member, ValueGetter<VBuffer<T>> get, Func<T, TItem> convert)
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
            if (items is T[] same)
            {
                value.CopyTo(same);
            }
            else
            {
                int i = 0;
                foreach (T item in value.DenseValues())
                    items![i++] = convert(item);
            }

            write(row, items);
        };
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
