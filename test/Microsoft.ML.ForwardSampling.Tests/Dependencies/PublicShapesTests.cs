using System.Reflection;
using Microsoft.ML.ForwardSampling.Records;
using Microsoft.ML.ForwardSampling.Selection;

namespace Microsoft.ML.ForwardSampling.Tests.Dependencies;

/// <summary>One shape for one thing in the public surface (CONTRIBUTING.md).</summary>
public sealed class PublicShapesTests
{
    private static readonly Type[] s_types =
        [.. typeof(LabelEvent).Assembly.GetExportedTypes(), .. typeof(SelectedRows).Assembly.GetExportedTypes()];

    // What a row has, though it is set once.
    private static readonly string[] s_valuesOfRows = ["LabelJoinOptions.DefaultLabel"];

    [Fact]
    public void Options_OfRealNumbers_AreDouble()
    {
        PropertyInfo[] options = [.. s_types.Where(IsOptions).SelectMany(type => type.GetProperties(BindingFlags.Public
            | BindingFlags.Instance | BindingFlags.DeclaredOnly)).Where(property => property.SetMethod is { IsPublic: true })];

        Assert.Empty(options.Where(property => Bare(property.PropertyType) == typeof(float)).Select(Name).Except(s_valuesOfRows));
        Assert.True(options.Count(property => Bare(property.PropertyType) == typeof(double)) > 20);
    }

    [Fact]
    public void Seeds_AreInt()
    {
        (string Name, Type Type)[] seeds =
        [
            .. s_types.SelectMany(type => type.GetProperties()).Where(property => property.Name == "Seed")
                .Select(property => (Name(property), property.PropertyType)),
            .. s_types.SelectMany(type => type.GetMethods().Cast<MethodBase>().Concat(type.GetConstructors()))
                .SelectMany(method => method.GetParameters()).Where(parameter => parameter.Name == "seed")
                .Select(parameter => ($"{parameter.Member.DeclaringType!.Name}.{parameter.Member.Name}", parameter.ParameterType)),
        ];

        Assert.Empty(seeds.Where(seed => Bare(seed.Type) != typeof(int)).Select(seed => seed.Name));
        Assert.True(seeds.Length > 10);
    }

    [Fact]
    public void WhatIsSavedAsAWhole_GoesThroughStreams()
    {
        Type[] saved = [.. s_types.Where(type => Takes(type, "Save", BindingFlags.Instance))];

        Assert.Equal(["CompactStatistics", "LabelJoiner`1", "RowSelectorState"], saved.Select(type => type.Name).Order());
        Assert.All(saved, type => Assert.True(Takes(type, "Load", BindingFlags.Static), $"{type.Name} has no Load(Stream)."));
        Assert.Empty(s_types.SelectMany(type => type.GetMethods()).Where(method => method.Name is "ToBytes")
            .Select(method => method.DeclaringType!.Name));

        static bool Takes(Type type, string method, BindingFlags where) => type.GetMethods(BindingFlags.Public | where)
            .Any(m => m.Name == method && m.GetParameters() is [{ ParameterType: var first }, ..] && first == typeof(Stream));
    }

    private static bool IsOptions(Type type) => new[] { "Options", "Policy", "Schedule", "Stopping", "Averaging", "Mixing", "Limits" }
        .Any(end => type.Name.EndsWith(end, StringComparison.Ordinal));

    private static Type Bare(Type type) => Nullable.GetUnderlyingType(type) ?? type;

    private static string Name(PropertyInfo property) => $"{property.DeclaringType!.Name}.{property.Name}";
}
