using System.CommandLine;

namespace Microsoft.ML.ForwardSampling.Tool.Arguments;

/// <summary>Options that take text: a path, a word, a list of names.</summary>
internal static class TextOption
{
    /// <summary>An option for a file or a folder.</summary>
    /// <param name="name">Its name, with the dashes.</param>
    /// <param name="description">For the help.</param>
    /// <param name="helpName">What the help calls the value.</param>
    public static Option<string> Path(string name, string description, string helpName = "FILE")
    {
        Option<string> option = new(name) { Description = description, HelpName = helpName };
        return option.Refuse(value => IsPath(value) ? null : $"{name} must be a path. Got '{value}'.");
    }

    /// <summary>An option for several files.</summary>
    /// <inheritdoc cref="Path(string, string, string)" path="/param"/>
    public static Option<string[]> Paths(string name, string description)
    {
        Option<string[]> option = new(name) { Description = description, HelpName = "FILE", AllowMultipleArgumentsPerToken = true };
        return option.Refuse(value => IsPath(value) ? null : $"{name} must be paths. Got '{value}'.");
    }

    /// <summary>An option for names that may hold commas: given several times, or as a list in which such a name is quoted.</summary>
    /// <inheritdoc cref="Path(string, string, string)" path="/param"/>
    public static Option<string[]> Names(string name, string description) => new(name) { Description = description, HelpName = "LIST" };

    /// <summary>An option for a comma list of the program's own words.</summary>
    /// <param name="name">Its name, with the dashes.</param>
    /// <param name="description">For the help.</param>
    /// <param name="isAllowed">Whether a word may stand there.</param>
    /// <param name="allowed">What may, for the message.</param>
    public static Option<string[]> Words(string name, string description, Func<string, bool> isAllowed, string allowed)
        => Names(name, description).Refuse(value => NameList.Split(value).FirstOrDefault(word => !isAllowed(word)) is { } wrong
            ? $"{name} must be a comma list of {allowed}. Got '{wrong}'." : null);

    /// <summary>Adds a check of each value.</summary>
    /// <param name="option">The option.</param>
    /// <param name="problem">What is wrong with a value, or null.</param>
    public static Option<T> Refuse<T>(this Option<T> option, Func<string, string?> problem)
    {
        option.Validators.Add(result =>
        {
            // A missing value is the parser's own message.
            foreach (string text in result.Tokens.Select(token => problem(token.Value)).OfType<string>())
                result.AddError(text);
        });
        return option;
    }

    /// <summary>Whether a text can name a file.</summary>
    public static bool IsPath(string value) => !string.IsNullOrWhiteSpace(value) && !value.Contains('\0');
}
