using System.Text.Json;

namespace Microsoft.ML.ForwardSampling.Tests;

/// <summary>What a program brings along, as its .deps.json lists it.</summary>
internal static class DependencyClosure
{
    /// <summary>Names of the program and of all packages and projects behind it, in order.</summary>
    /// <param name="program">Name of a program that stands beside the tests.</param>
    public static string[] Of(string program)
    {
        using JsonDocument json = JsonDocument.Parse(File.ReadAllText(Path.Combine(AppContext.BaseDirectory, program + ".deps.json")));
        return [.. json.RootElement.GetProperty("libraries").EnumerateObject().Select(library => library.Name.Split('/')[0])
            .Order(StringComparer.Ordinal)];
    }
}
