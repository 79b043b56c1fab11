using System.Reflection;
using Microsoft.ML.ForwardSampling.Selection;

namespace Microsoft.ML.ForwardSampling.Tests.Selection;

/// <summary>Every policy of the library, found by reflection: its defaults, and one case for each other value, or end of range, of each
/// option.</summary>
internal static class PolicyCases
{
    /// <summary>Policy types, by name.</summary>
    public static IReadOnlyList<Type> Types { get; } =
    [
        .. typeof(IRowSelectionPolicy).Assembly.GetTypes()
            .Where(type => type is { IsAbstract: false, IsInterface: false } && type.IsAssignableTo(typeof(IRowSelectionPolicy)))
            .OrderBy(type => type.Name, StringComparer.Ordinal),
    ];

    // After Types, which it reads: initialisers run from top to bottom.
    private static readonly Dictionary<string, IRowSelectionPolicy> s_cases = Build().ToDictionary(policy => policy.ToString()!);

    public static TheoryData<string> All => [.. s_cases.Keys];

    public static TheoryData<string> Unbiased => [.. s_cases.Where(policy => policy.Value.IsUnbiased).Select(policy => policy.Key)];

    public static TheoryData<Type> AllTypes => [.. Types];

    public static IRowSelectionPolicy Get(string name) => s_cases[name];

    /// <summary>Options of a policy: its public properties with a setter.</summary>
    public static IEnumerable<PropertyInfo> Options(Type policy)
        => policy.GetProperties(BindingFlags.Public | BindingFlags.Instance).Where(property => property.SetMethod is { IsPublic: true });

    /// <summary>A policy with one option changed, as <c>with</c> does.</summary>
    public static IRowSelectionPolicy With(Type policy, PropertyInfo option, object value)
    {
        var made = (IRowSelectionPolicy)Activator.CreateInstance(policy)!;
        try
        {
            option.SetValue(made, value);
        }
        catch (TargetInvocationException e)
        {
            throw e.InnerException!;
        }

        return made;
    }

    private static IEnumerable<IRowSelectionPolicy> Build()
    {
        foreach (Type type in Types)
        {
            var defaults = (IRowSelectionPolicy)Activator.CreateInstance(type)!;
            yield return defaults;
            foreach (PropertyInfo option in Options(type))
            {
                object usual = option.GetValue(defaults)!;
                foreach (object value in OtherValues(type, option))
                {
                    if (!value.Equals(usual))
                        yield return With(type, option, value);
                }
            }
        }

        // Filled by the tests' windows, which the ends of its range are not.
        yield return new SelectiveBackpropPolicy { History = 50 };
    }

    private static IEnumerable<object> OtherValues(Type type, PropertyInfo option)
    {
        if (option.PropertyType == typeof(bool))
            return [true, false];
        if (option.PropertyType.IsEnum)
            return Enum.GetValues(option.PropertyType).Cast<object>();
        if (option.PropertyType == typeof(IRowSelectionPolicy))
            return [new UniformPolicy(), new TopLossPolicy(), new GradientNormPolicy(), new SelectiveBackpropPolicy { History = 50 }];
        (double min, double max) = PolicyPage.Of(type).Range(option.Name);
        return [Convert.ChangeType(min, option.PropertyType), Convert.ChangeType(max, option.PropertyType)];
    }
}
