using System.Reflection;
using System.Runtime.CompilerServices;

namespace Microsoft.ML.ForwardSampling.Tests;

/// <summary>The public members of an assembly, one a line.</summary>
internal static class PublicSurface
{
    private const BindingFlags Declared = BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.Instance | BindingFlags.Static | BindingFlags.DeclaredOnly;

    /// <summary>Requires that the file lists what the assembly offers: a change to it shows in review, because the file is changed by hand, in the same commit.</summary>
    public static void Check(Assembly assembly, string listing)
    {
        string[] actual = [.. assembly.GetExportedTypes().SelectMany(Members).Select(Describe).Order(StringComparer.Ordinal)];
        string[] listed = File.ReadAllLines(listing);
        string[] added = [.. actual.Except(listed)], removed = [.. listed.Except(actual)];
        Assert.True(added.Length + removed.Length == 0, $"{listing} differs.\nNot in the file:\n{string.Join('\n', added)}\nOnly in the file:\n{string.Join('\n', removed)}");
    }

    private static IEnumerable<MemberInfo> Members(Type type)
    {
        // Members that the compiler writes for every record say nothing.
        bool isRecord = type.GetMethod("<Clone>$") is not null || type.GetMethod("PrintMembers", Declared) is not null;
        return type.GetMembers(Declared)
            .Where(m => m is not Type && !m.IsDefined(typeof(CompilerGeneratedAttribute)) && !(isRecord && m.Name is "EqualityContract" or "Deconstruct") && m switch
            {
                FieldInfo field => !field.IsSpecialName && (field.IsPublic || field.IsFamily),
                MethodInfo method => (!method.IsSpecialName || method.Name.StartsWith("op_", StringComparison.Ordinal)) && IsExposed(method),
                ConstructorInfo constructor => IsExposed(constructor),
                PropertyInfo property => property.GetAccessors(nonPublic: true).Any(IsExposed),
                _ => m is EventInfo,
            })
            .Prepend(type);
    }

    private static bool IsExposed(MethodBase method) => method.IsPublic || method.IsFamily;

    private static string Describe(MemberInfo member) => MemberId.Of(member) + member switch
    {
        PropertyInfo property => $" -> {MemberId.Reference(property.PropertyType)} {{{string.Join(' ', property.GetAccessors(nonPublic: true).Where(IsExposed).Select(a => IsInit(a) ? "init;" : a.Name[..3] + ";").Order(StringComparer.Ordinal))}}}",
        MethodInfo method => $" -> {MemberId.Reference(method.ReturnType)}",
        FieldInfo { IsLiteral: true } field => $" = {field.GetRawConstantValue()}",
        Type type => type.IsInterface ? " interface" : type.IsEnum ? " enum" : type.IsValueType ? " struct" : type.IsSealed ? type.IsAbstract ? " static class" : " sealed class" : " class",
        _ => "",
    };

    private static bool IsInit(MethodInfo accessor) => accessor.ReturnParameter.GetRequiredCustomModifiers().Contains(typeof(IsExternalInit));
}
