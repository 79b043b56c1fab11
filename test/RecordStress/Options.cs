using System.Globalization;

namespace Microsoft.ML.ForwardSampling.RecordStress;

/// <summary>A command and options with values.</summary>
internal sealed class Options
{
    private readonly Dictionary<string, string> _values = [];

    public Options(string[] args)
    {
        int words = args.Length > 1 && !args[1].StartsWith('-') ? 2 : 1;
        Command = string.Join(' ', args.Take(words));
        for (int i = words; i < args.Length; i += 2)
            _values[args[i]] = i + 1 < args.Length ? args[i + 1] : throw new ArgumentException($"{args[i]} needs a value.");
    }

    public string Command { get; }

    public string Text(string name, string otherwise) => _values.Remove(name, out string? value) ? value : otherwise;

    public int Number(string name, int otherwise)
    {
        string text = Text(name, otherwise.ToString(CultureInfo.InvariantCulture));
        return int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out int number)
            ? number
            : throw new ArgumentException($"{name} must be a whole number, at least 0. Got '{text}'.");
    }

    /// <summary>To be called when all options were read.</summary>
    public void ThrowIfMore()
    {
        if (_values.Count > 0)
            throw new ArgumentException($"{Command} has no option {string.Join(", ", _values.Keys)}.");
    }
}
