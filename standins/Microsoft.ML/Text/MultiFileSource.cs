namespace Microsoft.ML.Data;

/// <summary>Several streams read one after the other.</summary>
public interface IMultiStreamSource
{
    int Count { get; }

    TextReader OpenTextReader(int index);
}

/// <summary>Files read one after the other.</summary>
public sealed class MultiFileSource(params string[] paths) : IMultiStreamSource
{
    public int Count => paths.Length;

    public TextReader OpenTextReader(int index) => new StreamReader(paths[index]);
}
