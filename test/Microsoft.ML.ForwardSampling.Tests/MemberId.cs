using System.Reflection;

namespace Microsoft.ML.ForwardSampling.Tests;

/// <summary>Documentation-comment IDs of reflected members, written as the listings write them: no return type after a conversion operator.</summary>
internal static class MemberId
{
    /// <summary>The ID of a type or member, with its kind letter.</summary>
    public static string Of(MemberInfo member) => member switch
    {
        Type type => "T:" + Definition(type),
        FieldInfo field => $"F:{Definition(field.DeclaringType!)}.{field.Name}",
        EventInfo @event => $"E:{Definition(@event.DeclaringType!)}.{@event.Name}",
        PropertyInfo property => $"P:{Definition(property.DeclaringType!)}.{property.Name}{Parameters(property.GetIndexParameters())}",
        ConstructorInfo constructor => $"M:{Definition(constructor.DeclaringType!)}.#{constructor.Name[1..]}{Parameters(constructor.GetParameters())}",
        MethodInfo method => $"M:{Definition(method.DeclaringType!)}.{method.Name}{Arity(method)}{Parameters(method.GetParameters())}",
        _ => throw new ArgumentException($"No ID for a {member.MemberType}.", nameof(member)),
    };

    /// <summary>How a type is written inside an ID: `0 and ``0 for type and method parameters, braces round type arguments.</summary>
    public static string Reference(Type type)
    {
        if (type.IsByRef)
            return Reference(type.GetElementType()!) + "@";
        if (type.IsPointer)
            return Reference(type.GetElementType()!) + "*";
        if (type.IsArray)
            return Reference(type.GetElementType()!) + (type.IsSZArray ? "[]" : $"[{string.Join(',', Enumerable.Repeat("0:", type.GetArrayRank()))}]");
        if (type.IsGenericParameter)
            return (type.DeclaringMethod is null ? "`" : "``") + type.GenericParameterPosition;

        // Reflection keeps the arguments of all nesting levels in one list; an ID hands each level its own.
        Queue<Type> arguments = new(type.GetGenericArguments());
        IEnumerable<Type> levels = Nesting(type).Reverse();
        return Namespace(type) + string.Join('.', levels.Select(level =>
        {
            int own = OwnArity(level);
            string name = level.Name.Split('`')[0];
            return own == 0 ? name : $"{name}{{{string.Join(',', Enumerable.Range(0, own).Select(_ => Reference(arguments.Dequeue())))}}}";
        }));
    }

    private static string Definition(Type type) => Namespace(type) + string.Join('.', Nesting(type).Reverse().Select(t => t.Name));

    private static IEnumerable<Type> Nesting(Type type)
    {
        for (Type? t = type; t is not null; t = t.DeclaringType)
            yield return t;
    }

    private static int OwnArity(Type type) => type.GetGenericArguments().Length - (type.DeclaringType?.GetGenericArguments().Length ?? 0);

    private static string Namespace(Type type) => type.Namespace is { } name ? name + "." : "";

    private static string Arity(MethodInfo method) => method.IsGenericMethod ? "``" + method.GetGenericArguments().Length : "";

    private static string Parameters(ParameterInfo[] parameters) =>
        parameters.Length == 0 ? "" : $"({string.Join(',', parameters.Select(p => Reference(p.ParameterType)))})";
}
