using System.Collections;
using System.Reflection;
using System.Text.Json;
using Microsoft.ML;
using Microsoft.ML.Data;

namespace Conformance.Tests;

/// <summary>Objects to rows and back, for types known only at run time.</summary>
internal static class Rows
{
    private const BindingFlags Public = BindingFlags.Public | BindingFlags.Instance;

    /// <summary>All rows, every column in schema order; vectors dense, text as strings, keys raw.</summary>
    public static List<object?[]> Read(IDataView view)
    {
        List<object?[]> rows = [];
        using DataViewRowCursor cursor = view.GetRowCursor(view.Schema);
        Func<object?>[] getters = [.. view.Schema.Select(c => Getter(cursor, c))];
        while (cursor.MoveNext())
            rows.Add([.. getters.Select(g => g())]);
        return rows;
    }

    /// <summary>One column of all rows, read by a cursor that was asked for nothing else.</summary>
    public static List<object?> Column(IDataView view, string name)
    {
        List<object?> values = [];
        using DataViewRowCursor cursor = view.GetRowCursor([view.Schema[name]]);
        Func<object?> getter = Getter(cursor, view.Schema[name]);
        while (cursor.MoveNext())
            values.Add(getter());
        return values;
    }

    public static Func<object?> Getter(DataViewRow row, DataViewSchema.Column column) =>
        Generic<Func<object?>>(nameof(TypedGetter), column.Type.RawType, row, column);

    public static object? Annotation(DataViewSchema.Column column, DataViewSchema.Column kind) =>
        Generic<object?>(nameof(TypedAnnotation), kind.Type.RawType, column, kind.Name);

    public static object? Get(object target, string member) =>
        target.GetType().GetProperty(member, Public) is { } property ? property.GetValue(target) : target.GetType().GetField(member, Public)?.GetValue(target);

    public static void Set(object target, string member, object? value)
    {
        if (target.GetType().GetField(member, Public) is { IsInitOnly: false } field)
            field.SetValue(target, value);
        else if (target.GetType().GetProperty(member, Public) is { SetMethod: not null } property)
            property.SetValue(target, value);
        else
            _ = MemberType(target.GetType(), member);
    }

    /// <summary>The public members of an object as they are now.</summary>
    public static Dictionary<string, object?> Members(object target) => target.GetType().GetMembers(Public)
        .Where(m => m is FieldInfo or PropertyInfo { CanRead: true }).ToDictionary(m => m.Name, m => Dense(Get(target, m.Name)));

    public static Type MemberType(Type type, string member) =>
        type.GetProperty(member, Public)?.PropertyType ?? type.GetField(member, Public)?.FieldType
        ?? throw new MissingMemberException($"{type.FullName}.{member} is absent.");

    /// <summary>An array of <paramref name="type"/> with the members that the case gives; null stays null.</summary>
    public static Array Objects(JsonElement rows, Type type)
    {
        var objects = Array.CreateInstance(type, rows.GetArrayLength());
        foreach ((int i, JsonElement row) in rows.EnumerateArray().Index())
        {
            if (row.ValueKind == JsonValueKind.Null)
                continue;
            object item = Activator.CreateInstance(type)!;
            foreach (JsonProperty member in row.EnumerateObject())
                Set(item, member.Name, Json.Value(member.Value, MemberType(type, member.Name)));
            objects.SetValue(item, i);
        }

        return objects;
    }

    /// <summary>Objects from one array a member.</summary>
    public static Array FromColumns(Run run, Type type, params string[] members)
    {
        var objects = Array.CreateInstance(type, run[members[0]].GetArrayLength());
        for (int i = 0; i < objects.Length; i++)
        {
            objects.SetValue(Activator.CreateInstance(type), i);
            foreach (string member in members)
                Set(objects.GetValue(i)!, member, Json.Value(run[member][i], MemberType(type, member)));
        }

        return objects;
    }

    public static IDataView Load(MLContext ml, IEnumerable rows) =>
        Generic<IDataView>(nameof(TypedLoad), rows.GetType().GetElementType()!, ml, rows);

    public static IEnumerable<object> Create(MLContext ml, IDataView view, Type type, bool reuseRowObject, bool ignoreMissingColumns) =>
        Generic<IEnumerable<object>>(nameof(TypedCreate), type, ml, view, reuseRowObject, ignoreMissingColumns);

    private static IDataView TypedLoad<T>(MLContext ml, IEnumerable<T> rows)
        where T : class => ml.Data.LoadFromEnumerable(rows);

    private static IEnumerable<object> TypedCreate<T>(MLContext ml, IDataView view, bool reuse, bool ignore)
        where T : class, new() => ml.Data.CreateEnumerable<T>(view, reuse, ignore);

    private static Func<object?> TypedGetter<T>(DataViewRow row, DataViewSchema.Column column)
    {
        ValueGetter<T> getter = row.GetGetter<T>(column);
        T value = default!;
        return () =>
        {
            getter(ref value);
            return Dense(value);
        };
    }

    private static object? TypedAnnotation<T>(DataViewSchema.Column column, string kind)
    {
        T value = default!;
        column.Annotations.GetValue(kind, ref value);
        return Dense(value);
    }

    /// <summary>A copy that later reads do not change: vectors as dense arrays, text as strings.</summary>
    public static object? Dense(object? value) => value switch
    {
        ReadOnlyMemory<char> text => text.ToString(),
        not null when value.GetType() is { IsGenericType: true } type && type.GetGenericTypeDefinition() == typeof(VBuffer<>) =>
            ((IEnumerable)type.GetMethod(nameof(VBuffer<>.DenseValues))!.Invoke(value, null)!).Cast<object?>().Select(Dense).ToArray(),
        Array array => array.Clone(),
        _ => value,
    };

    private static T Generic<T>(string method, Type type, params object?[] arguments) =>
        (T)Api.Invoke(typeof(Rows).GetMethod(method, BindingFlags.NonPublic | BindingFlags.Static)!.MakeGenericMethod(type), null, arguments)!;
}

/// <summary>A lazy sequence that counts how often it is enumerated.</summary>
internal sealed class Counted<T>(params T[] rows) : IEnumerable<T>
{
    public int Enumerations { get; private set; }

    public IEnumerator<T> GetEnumerator()
    {
        Enumerations++;
        foreach (T row in rows)
            yield return row;
    }

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();
}
