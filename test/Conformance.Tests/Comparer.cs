using System.Collections;
using System.Globalization;
using System.Reflection;
using System.Text.Json;
using Microsoft.ML;
using Microsoft.ML.Data;

namespace Conformance.Tests;

/// <summary>Reads the encoding of README.md.</summary>
internal static class Json
{
    public static double Number(JsonElement value) => value.ValueKind == JsonValueKind.String
        ? double.Parse(value.GetString()!, CultureInfo.InvariantCulture)
        : value.GetDouble();

    /// <summary>The values of a vector, stored dense or sparse.</summary>
    public static IReadOnlyList<JsonElement> Items(JsonElement vector)
    {
        if (vector.ValueKind == JsonValueKind.Array)
            return [.. vector.EnumerateArray()];
        using JsonDocument zero = JsonDocument.Parse("0");
        JsonElement[] dense = [.. Enumerable.Repeat(zero.RootElement.Clone(), vector.GetProperty("length").GetInt32())];
        foreach ((JsonElement index, JsonElement value) in vector.GetProperty("indices").EnumerateArray().Zip(vector.GetProperty("values").EnumerateArray()))
            dense[index.GetInt32()] = value;
        return dense;
    }

    public static bool IsSparse(JsonElement value) => value.ValueKind == JsonValueKind.Object && value.TryGetProperty("indices", out _);

    /// <summary>The value as a member of type <paramref name="type"/> holds it.</summary>
    public static object? Value(JsonElement value, Type type)
    {
        if (value.ValueKind == JsonValueKind.Null)
            return null;
        if (type == typeof(string))
            return value.GetString();
        if (type == typeof(ReadOnlyMemory<char>))
            return value.GetString().AsMemory();
        if (type == typeof(char))
            return value.GetString()![0];
        if (type == typeof(bool))
            return value.GetBoolean();
        if (type == typeof(float))
            return value.ValueKind == JsonValueKind.Number ? value.GetSingle() : (float)Number(value);
        if (type == typeof(double))
            return Number(value);
        if (type == typeof(DateTime))
            return DateTime.Parse(value.GetString()!, CultureInfo.InvariantCulture, DateTimeStyles.RoundtripKind);
        if (type == typeof(DateTimeOffset))
            return DateTimeOffset.Parse(value.GetString()!, CultureInfo.InvariantCulture);
        if (type == typeof(TimeSpan))
            return TimeSpan.Parse(value.GetString()!, CultureInfo.InvariantCulture);
        if (type.IsArray)
        {
            IReadOnlyList<JsonElement> items = Items(value);
            var array = Array.CreateInstance(type.GetElementType()!, items.Count);
            for (int i = 0; i < items.Count; i++)
                array.SetValue(Value(items[i], type.GetElementType()!), i);
            return array;
        }

        if (type == typeof(VBuffer<float>))
        {
            return IsSparse(value)
                ? new VBuffer<float>(value.GetProperty("length").GetInt32(), value.GetProperty("values").GetArrayLength(),
                    (float[])Value(value.GetProperty("values"), typeof(float[]))!, [.. value.GetProperty("indices").EnumerateArray().Select(i => i.GetInt32())])
                : value.GetArrayLength() == 0 ? default : new VBuffer<float>(value.GetArrayLength(), (float[])Value(value, typeof(float[]))!);
        }

        return type.IsPrimitive ? Convert.ChangeType(value.GetDecimal(), type, CultureInfo.InvariantCulture) : null;
    }
}

/// <summary>Compares what was observed with what the golden file says.</summary>
internal sealed class Comparer(double relative, bool allAnnotations)
{
    private const double Absolute = 1e-9;

    public List<string> Differences { get; } = [];

    public void Differ(string difference) => Differences.Add(difference);

    public void Compare(string path, JsonElement expected, object? actual)
    {
        switch (actual)
        {
            case null when expected.ValueKind == JsonValueKind.Null || (expected.ValueKind == JsonValueKind.String && expected.ValueEquals("null")):
            case not null when IsUnsupported(expected):
                break;
            case Exception e when expected.ValueKind == JsonValueKind.Object:
                Exception(path, expected.TryGetProperty("error", out JsonElement error) ? error : expected, e);
                break;
            case DataViewSchema schema when expected.ValueKind == JsonValueKind.Array:
                Schema(path, expected, schema);
                break;
            case float or double when expected.ValueKind is JsonValueKind.Number or JsonValueKind.String:
                Float(path, expected, actual);
                break;
            case bool flag when expected.ValueKind is JsonValueKind.True or JsonValueKind.False:
                Same(path, expected.GetBoolean(), flag);
                break;
            case string or ReadOnlyMemory<char> or char when expected.ValueKind == JsonValueKind.String:
                Same(path, expected.GetString(), actual.ToString());
                break;
            case DateTime or DateTimeOffset when expected.ValueKind == JsonValueKind.String:
                Same(path, expected.GetString(), ((IFormattable)actual).ToString("o", CultureInfo.InvariantCulture));
                break;
            case TimeSpan span when expected.ValueKind == JsonValueKind.String:
                Same(path, expected.GetString(), span.ToString("c", CultureInfo.InvariantCulture));
                break;
            case ValueType when expected.ValueKind == JsonValueKind.Number && actual.GetType().IsPrimitive:
                Same(path, expected.GetRawText(), Convert.ToString(actual, CultureInfo.InvariantCulture));
                break;
            case IDictionary members when expected.ValueKind == JsonValueKind.Object:
                foreach (JsonProperty member in expected.EnumerateObject())
                    Compare($"{path}.{member.Name}", member.Value, members[member.Name]);
                break;
            case not null when actual.GetType() is { IsGenericType: true } type && type.GetGenericTypeDefinition() == typeof(VBuffer<>):
                Compare(path, expected, Rows.Dense(actual));
                break;
            case IEnumerable items when expected.ValueKind == JsonValueKind.Array || Json.IsSparse(expected):
                Sequence(path, Json.Items(expected), [.. items.Cast<object?>()]);
                break;
            case not null when expected.ValueKind == JsonValueKind.Object:
                foreach (JsonProperty member in expected.EnumerateObject())
                    Compare($"{path}.{member.Name}", member.Value, Rows.Get(actual, member.Name));
                break;
            default:
                Differ($"{path}: {Show(actual)} instead of {expected}");
                break;
        }
    }

    /// <summary>Type and the unquoted beginning of the message; a worker's exception counts wrapped or bare.</summary>
    public void Exception(string path, JsonElement expected, Exception actual)
    {
        string? type = expected.TryGetProperty("type", out JsonElement typeName) ? typeName.GetString() : null;
        string message = expected.TryGetProperty("message", out JsonElement text) ? text.GetString()! : "";
        if (IsUnsupported(type))
            return;
        if (message.StartsWith("Splitter/consolidator", StringComparison.Ordinal) && actual.InnerException is null)
            Exception(path, expected.GetProperty("inner"), actual);
        else if (actual.GetType().FullName != type || !actual.Message.StartsWith(Prefix(message), StringComparison.Ordinal))
            Differ($"{path}: {actual.GetType().FullName}: {actual.Message} instead of {type}: {message}");
        else if (expected.TryGetProperty("inner", out JsonElement inner) && message.StartsWith("Splitter/consolidator", StringComparison.Ordinal))
            Exception(path + ".inner", inner, actual.InnerException!);
    }

    // Up to the first value that the message quotes.
    private static string Prefix(string message) => message[..(message.IndexOfAny(['\'', '"', '(', '<', '/']) is var end and >= 0 ? end : message.Length)].TrimEnd();

    // The figures only say that such a call is not supported.
    private static bool IsUnsupported(string? type) => type is "System.NullReferenceException" or "System.IndexOutOfRangeException";

    private static bool IsUnsupported(JsonElement expected) => expected.ValueKind == JsonValueKind.Object && expected.TryGetProperty("error", out JsonElement error)
        && error.ValueKind == JsonValueKind.Object && IsUnsupported(error.GetProperty("type").GetString()!);

    private static string Show(object? value) => value switch
    {
        null => "null",
        Exception e => $"{e.GetType().FullName}: {e.Message}",
        IEnumerable and not string => "[" + string.Join(", ", ((IEnumerable)value).Cast<object?>().Select(Show)) + "]",
        _ => Convert.ToString(value, CultureInfo.InvariantCulture)!,
    };

    private void Same<T>(string path, T expected, T actual)
    {
        if (!Equals(expected, actual))
            Differ($"{path}: {actual} instead of {expected}");
    }

    private void Float(string path, JsonElement expected, object actual)
    {
        if (!double.TryParse(expected.ToString(), CultureInfo.InvariantCulture, out double wanted))
        {
            Differ($"{path}: {Show(actual)} instead of {expected}");
            return;
        }

        if (actual is float)
            wanted = float.Parse(expected.ToString(), CultureInfo.InvariantCulture);
        double got = Convert.ToDouble(actual, CultureInfo.InvariantCulture);
        if (!(got.Equals(wanted) || got == wanted || (relative > 0 && Math.Abs(got - wanted) <= (relative * Math.Abs(wanted)) + Absolute && double.IsFinite(wanted))))
            Differ($"{path}: {Show(actual)} instead of {expected}");
    }

    private void Sequence(string path, IReadOnlyList<JsonElement> expected, object?[] actual)
    {
        if (expected.Count != actual.Length)
            Differ($"{path}: {Show(actual)} instead of [{string.Join(", ", expected)}]");
        for (int i = 0; i < Math.Min(expected.Count, actual.Length); i++)
            Compare($"{path}[{i}]", expected[i], actual[i]);
    }

    private void Schema(string path, JsonElement expected, DataViewSchema schema)
    {
        string[] wanted = [.. expected.EnumerateArray().Select(c => $"{c.GetProperty("name")}: {c.GetProperty("type")}{(c.TryGetProperty("hidden", out _) ? " hidden" : "")}")];
        string[] got = [.. schema.Select(c => $"{c.Name}: {c.Type}{(c.IsHidden ? " hidden" : "")}")];
        if (!wanted.SequenceEqual(got))
        {
            Differ($"{path}: [{string.Join("; ", got)}] instead of [{string.Join("; ", wanted)}]");
            return;
        }

        foreach ((JsonElement column, DataViewSchema.Column actual) in expected.EnumerateArray().Zip(schema))
        {
            bool dumped = column.TryGetProperty("annotations", out JsonElement annotations);
            DataViewSchema kinds = actual.Annotations.Schema;
            if (dumped || allAnnotations)
            {
                string[] names = dumped ? [.. annotations.EnumerateObject().Select(a => $"{a.Name}: {a.Value.GetProperty("type")}").Order(StringComparer.Ordinal)] : [];
                string[] found = [.. kinds.Select(k => $"{k.Name}: {k.Type}").Order(StringComparer.Ordinal)];
                if (!names.SequenceEqual(found))
                    Differ($"{path}.{actual.Name}: annotations [{string.Join("; ", found)}] instead of [{string.Join("; ", names)}]");
                foreach (JsonProperty annotation in dumped ? annotations.EnumerateObject() : [])
                {
                    if (kinds.GetColumnOrNull(annotation.Name) is { } kind)
                        Compare($"{path}.{actual.Name}.{annotation.Name}", annotation.Value.GetProperty("value"), Rows.Annotation(actual, kind));
                }
            }
        }
    }
}
