using System.Globalization;
using System.Reflection;
using System.Runtime.CompilerServices;

namespace Standins.Tests;

/// <summary>One line of an API surface. Null means: the listing does not say.</summary>
/// <param name="Id">Documentation-comment ID.</param>
/// <param name="Result">Return, field or event type; what a type is and is based on.</param>
/// <param name="Modifiers">The modifiers a caller or deriver can tell apart, in a fixed order.</param>
/// <param name="Parameters">Parameter modifiers, names and defaults.</param>
/// <param name="Accessors">Of a property.</param>
/// <param name="Constant">Value of a constant.</param>
/// <param name="Interfaces">Of a type.</param>
internal sealed record ApiEntry(string Id, string? Result, string? Modifiers = null, string? Parameters = null, string? Accessors = null, string? Constant = null, IReadOnlyList<string>? Interfaces = null)
{
    /// <summary>As seen by a listing that does not tell protected from public.</summary>
    public ApiEntry WithoutVisibility() => this with { Modifiers = Strip(Modifiers), Accessors = Strip(Accessors) };

    private static string? Strip(string? words) => words?.Replace("protected ", "", StringComparison.Ordinal);
}

/// <summary>Reads what an assembly offers publicly by reflection, and what a listing says is on offer.</summary>
internal static class Surface
{
    private const BindingFlags Declared = BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.Instance | BindingFlags.Static | BindingFlags.DeclaredOnly;
    private static readonly string[] ComparedModifiers = ["protected", "static", "abstract", "const", "readonly", "ref", "sealed", "extension", "class", "struct", "interface", "enum", "delegate"];

    /// <summary>The differences of <paramref name="types"/> against <paramref name="listing"/>, one line each; empty when all is on offer in the listing.</summary>
    public static List<string> Differences(IEnumerable<Type> types, ILookup<string, ApiEntry> listing)
    {
        List<string> differences = [];
        bool isArrow = listing.All(l => l.All(e => e.Interfaces is null));
        foreach (MemberInfo member in types.Where(IsExposed).SelectMany(Members).OrderBy(MemberId.Of, StringComparer.Ordinal))
        {
            ApiEntry actual = isArrow ? Describe(member).WithoutVisibility() : Describe(member);
            ApiEntry[] listed = [.. listing[actual.Id]];
            if (listed.Length == 0 && !OverridesKnown(member, listing) && !(member is Type && IsMentioned(actual.Id, listing)))
                differences.Add($"{actual.Id} is not in the listing");
            else if (listed.Length > 0)
                differences.AddRange(listed.Select(l => Compare(actual, l).ToList()).MinBy(d => d.Count)!);
        }

        return differences;
    }

    /// <summary>The lines of listing files: tab-separated (Microsoft.ML) or `ID -> result` (TorchSharp).</summary>
    public static ILookup<string, ApiEntry> Listing(IEnumerable<string> lines) => lines
        .Where(l => l.Length > 2 && l[1] == ':')
        .Select(l => l.Contains('\t', StringComparison.Ordinal) ? FromColumns(l.Split('\t')) : FromArrow(l.Split(" -> ", 2)))
        .ToLookup(e => e.Id);

    public static bool IsExposed(Type type) => type.DeclaringType is { } outer
        ? IsExposed(outer) && (type.IsNestedPublic || type.IsNestedFamily || type.IsNestedFamORAssem)
        : type.IsPublic;

    private static ApiEntry FromArrow(string[] parts)
    {
        string[] result = parts[1].Split(" {");
        if (parts[0][0] == 'T')
        {
            string[] kind = parts[1].Split(" : ");
            string word = kind[0].Contains("enum", StringComparison.Ordinal) ? "underlying " : "base ";
            return new(parts[0], kind[0].EndsWith("class", StringComparison.Ordinal) || word[0] == 'u' ? word + kind[1] : null, kind[0]);
        }

        return new(parts[0], parts[0].Contains(".#ctor", StringComparison.Ordinal) ? "-" : result[0], Accessors: result.Length > 1 ? result[1].TrimEnd('}').Replace(";", "; ", StringComparison.Ordinal).Trim() : null);
    }

    private static ApiEntry FromColumns(string[] columns)
    {
        (string id, string result, string modifiers, string detail) = (columns[0], columns[1], columns[2], columns[3]);
        int attributes = modifiers.IndexOf('[', StringComparison.Ordinal);
        string words = string.Join(' ', ComparedModifiers.Where((attributes < 0 ? modifiers : modifiers[..attributes]).Split(' ').Contains));
        int open = Open(detail);
        return new(id, result, words,
            open >= 0 && id[0] != 'F' && (id[0] != 'T' || result.StartsWith("returns ", StringComparison.Ordinal)) ? Signature(detail[open..]) : null,
            detail.StartsWith('{') ? detail[1..detail.IndexOf('}', StringComparison.Ordinal)].Trim() : null,
            detail.StartsWith("= ", StringComparison.Ordinal) ? detail[2..] : null,
            id[0] == 'T' ? Implements(detail) : null);
    }

    private static List<string> Implements(string detail)
    {
        int start = detail.IndexOf("implements ", StringComparison.Ordinal);
        if (start < 0)
            return [];
        string list = detail[(start + "implements ".Length)..].Split(" where ")[0];
        return [.. Split(list).Select(s => s.Trim())];
    }

    // The first parenthesis that is not inside the angle brackets of a type parameter list.
    private static int Open(string detail)
    {
        for (int i = 0, depth = 0; i < detail.Length; i++)
        {
            depth += detail[i] switch { '<' => 1, '>' => -1, _ => 0 };
            if (detail[i] == '(' && depth == 0)
                return i;
        }

        return -1;
    }

    private static string Signature(string text)
    {
        int depth = 0, end = 0;
        do
            depth += text[end++] switch { '(' => 1, ')' => -1, _ => 0 };
        while (depth > 0);
        return string.Join(", ", Split(text[1..(end - 1)]).Select(parameter =>
        {
            string[] halves = parameter.Trim().Split(" = ", 2);
            string[] words = halves[0].Split(' ');
            string modifier = words[0] is "params" or "ref" or "out" or "in" ? words[0] + " " : "";
            return modifier + words[^1] + (halves.Length > 1 ? " = " + halves[1] : "");
        }));
    }

    private static IEnumerable<string> Split(string text)
    {
        int start = 0, depth = 0;
        bool quoted = false;
        for (int i = 0; i < text.Length; i++)
        {
            quoted ^= text[i] is '"' or '\'';
            depth += text[i] switch { '<' or '{' or '(' => 1, '>' or '}' or ')' => -1, _ => 0 };
            if (text[i] == ',' && depth == 0 && !quoted)
            {
                yield return text[start..i];
                start = i + 1;
            }
        }

        if (start < text.Length)
            yield return text[start..];
    }

    private static IEnumerable<string> Compare(ApiEntry actual, ApiEntry listed)
    {
        // A stand-in may leave out a base class or an interface, never invent one.
        if (listed.Result is not null && actual.Result != listed.Result && !(actual.Id[0] == 'T' && actual.Result == "base System.Object"))
            yield return $"{actual.Id}: {actual.Result} instead of {listed.Result}";
        if (listed.Modifiers is { } modifiers && actual.Modifiers != modifiers)
            yield return $"{actual.Id}: '{actual.Modifiers}' instead of '{modifiers}'";
        if (listed.Parameters is { } parameters && actual.Parameters != parameters)
            yield return $"{actual.Id}: ({actual.Parameters}) instead of ({parameters})";
        if (listed.Accessors is { } accessors && actual.Accessors != accessors)
            yield return $"{actual.Id}: {{ {actual.Accessors} }} instead of {{ {accessors} }}";
        if (listed.Constant is { } constant && actual.Constant != constant)
            yield return $"{actual.Id}: = {actual.Constant} instead of = {constant}";
        foreach (string extra in listed.Interfaces is { } interfaces ? (actual.Interfaces ?? []).Except(interfaces) : [])
            yield return $"{actual.Id}: implements {extra}, which the listing does not say";
    }

    // The common listing of TorchSharp leaves out the line of a type that became sealed or changed its base, but not its members nor what returns it.
    private static bool IsMentioned(string typeId, ILookup<string, ApiEntry> listing) => listing.Any(e =>
        (e.Key[0] != 'T' && e.Key.AsSpan(1).StartsWith(typeId.AsSpan(1)) && e.Key[typeId.Length] == '.') || e.Any(l => typeId.AsSpan(2).SequenceEqual(l.Result)));

    // Overriding what is already on offer offers nothing new.
    private static bool OverridesKnown(MemberInfo member, ILookup<string, ApiEntry> listing)
    {
        MethodInfo? method = member as MethodInfo ?? (member as PropertyInfo)?.GetAccessors(nonPublic: true)[0];
        MethodInfo? root = method?.GetBaseDefinition();
        if (root is null || root.DeclaringType == method!.DeclaringType)
            return false;
        var definition = (MethodInfo)root.Module.ResolveMethod(root.MetadataToken)!;
        MemberInfo known = member is PropertyInfo ? definition.DeclaringType!.GetProperties(Declared).First(p => p.GetAccessors(true).Contains(definition)) : definition;
        return definition.Module != method.Module || listing.Contains(MemberId.Of(known));
    }

    private static IEnumerable<MemberInfo> Members(Type type) => type.GetMembers(Declared)
        .Where(m => m is not Type && !IsDelegate(type) && m switch
        {
            FieldInfo field => !field.IsSpecialName && (field.IsPublic || field.IsFamily || field.IsFamilyOrAssembly),
            MethodInfo method => (!method.IsSpecialName || method.Name.StartsWith("op_", StringComparison.Ordinal)) && IsExposed(method),
            ConstructorInfo constructor => !constructor.IsStatic && IsExposed(constructor),
            PropertyInfo property => property.GetAccessors(nonPublic: true).Any(IsExposed),
            EventInfo @event => IsExposed(@event.AddMethod!),
            _ => false,
        })
        .Prepend(type);

    private static bool IsExposed(MethodBase method) => method.IsPublic || method.IsFamily || method.IsFamilyOrAssembly;

    private static bool IsDelegate(Type type) => type.BaseType == typeof(MulticastDelegate);

    private static ApiEntry Describe(MemberInfo member)
    {
        string id = MemberId.Of(member);
        switch (member)
        {
            case Type type:
                MethodInfo? invoke = IsDelegate(type) ? type.GetMethod("Invoke") : null;
                return new(id, TypeResult(type, invoke), TypeModifiers(type), invoke is null ? null : Parameters(invoke.GetParameters()),
                    Interfaces: [.. type.GetInterfaces().Where(i => i.IsVisible && !type.IsEnum && invoke is null).Select(MemberId.Reference)]);
            case FieldInfo field:
                return new(id, MemberId.Reference(field.FieldType),
                    Words((field.IsFamily || field.IsFamilyOrAssembly, "protected"), (field.IsStatic && !field.IsLiteral, "static"), (field.IsLiteral, "const"), (field.IsInitOnly, "readonly")),
                    Constant: field.IsLiteral ? Literal(field.GetRawConstantValue()) : null);
            case EventInfo @event:
                return new(id, MemberId.Reference(@event.EventHandlerType!), MethodModifiers(@event.AddMethod!));
            case PropertyInfo property:
                MethodInfo[] accessors = [.. property.GetAccessors(nonPublic: true).Where(IsExposed).OrderBy(a => a.Name, StringComparer.Ordinal)];
                bool isProtected = accessors.All(a => !a.IsPublic);
                return new(id, MemberId.Reference(property.PropertyType), MethodModifiers(accessors.FirstOrDefault(a => a.IsPublic) ?? accessors[0]),
                    property.GetIndexParameters() is { Length: > 0 } index ? Parameters(index) : null,
                    string.Join(' ', accessors.Select(a => (a.IsPublic || isProtected ? "" : "protected ") + a.Name[..3] + ";")));
            case ConstructorInfo constructor:
                return new(id, "-", MethodModifiers(constructor), Parameters(constructor.GetParameters()));
            default:
                var method = (MethodInfo)member;
                return new(id, MemberId.Reference(method.ReturnType), MethodModifiers(method), Parameters(method.GetParameters()));
        }
    }

    private static string TypeResult(Type type, MethodInfo? invoke) =>
        invoke is not null ? "returns " + MemberId.Reference(invoke.ReturnType)
        : type.IsEnum ? "underlying " + MemberId.Reference(Enum.GetUnderlyingType(type))
        : type.IsValueType || type.IsInterface ? "-"
        : "base " + MemberId.Reference(type.BaseType!);

    private static string TypeModifiers(Type type)
    {
        bool isStatic = type.IsAbstract && type.IsSealed, isStruct = type.IsValueType && !type.IsEnum, isDelegate = IsDelegate(type);
        bool isClass = type.IsClass && !isDelegate;
        return Words((type.IsNestedFamily || type.IsNestedFamORAssem, "protected"), (isStatic, "static"), (type.IsAbstract && !type.IsSealed && isClass, "abstract"),
            (isStruct && type.IsDefined(typeof(IsReadOnlyAttribute)), "readonly"), (type.IsByRefLike, "ref"), (type.IsSealed && isClass && !isStatic, "sealed"),
            (isClass, "class"), (isStruct, "struct"), (type.IsInterface, "interface"), (type.IsEnum, "enum"), (isDelegate, "delegate"));
    }

    private static string MethodModifiers(MethodBase method) => Words(
        (!method.IsPublic, "protected"), (method.IsStatic, "static"), (method.IsAbstract && !method.DeclaringType!.IsInterface, "abstract"),
        (method is MethodInfo m && m.GetBaseDefinition() != m && m.IsFinal, "sealed"), (method.IsDefined(typeof(ExtensionAttribute)), "extension"));

    private static string Words(params (bool Has, string Word)[] words) => string.Join(' ', words.Where(w => w.Has).Select(w => w.Word));

    private static string Parameters(ParameterInfo[] parameters) => string.Join(", ", parameters.Select(p =>
        (p.IsDefined(typeof(ParamArrayAttribute)) ? "params " : p.IsOut ? "out " : p.IsIn && p.ParameterType.IsByRef ? "in " : p.ParameterType.IsByRef ? "ref " : "")
        + p.Name + (p.HasDefaultValue ? " = " + Default(p) : "")));

    private static string Default(ParameterInfo parameter)
    {
        Type type = Nullable.GetUnderlyingType(parameter.ParameterType) ?? parameter.ParameterType;
        return parameter.RawDefaultValue switch
        {
            null => type == parameter.ParameterType && type.IsValueType ? "default" : "null",
            object value when type.IsEnum => $"{MemberId.Reference(type)}.{Enum.GetName(type, value)}",
            float value => Literal(value) + "f",
            double value => Literal(value) + "d",
            object value => Literal(value),
        };
    }

    private static string Literal(object? value) => value switch
    {
        null => "null",
        bool flag => flag ? "true" : "false",
        string text => $"\"{text}\"",
        char character => $"'\\u{(int)character:X4}'",
        _ => Convert.ToString(value, CultureInfo.InvariantCulture)!,
    };
}
