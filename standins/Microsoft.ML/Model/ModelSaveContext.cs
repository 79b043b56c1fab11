using System.IO.Compression;
using System.Text;

namespace Microsoft.ML;

/// <summary>One component's folder in a model file that is being written.</summary>
/// <remarks>A folder holds one entry, <c>Model</c>: the name of the loader (see <see cref="ModelLoaders"/>) and what the component wrote.</remarks>
public sealed class ModelSaveContext : IDisposable
{
    internal const string EntryName = "Model";
    private readonly ZipArchive _archive;
    private readonly string _folder;
    private BinaryWriter? _writer;

    internal ModelSaveContext(ZipArchive archive, string folder)
    {
        _archive = archive;
        _folder = folder;
    }

    /// <summary>Says which loader reads this folder, and returns the writer of the component's state.</summary>
    internal BinaryWriter Begin(string loaderName)
    {
        if (_writer is not null)
            throw new InvalidOperationException($"The folder '{_folder}' of the model file is already written.");
        _writer = new BinaryWriter(new MemoryStream(), Encoding.UTF8);
        _writer.Write(loaderName);
        return _writer;
    }

    /// <summary>Lets a component write into a sub-folder.</summary>
    internal void SaveChild(string name, ICanSaveModel component)
    {
        using var child = new ModelSaveContext(_archive, $"{_folder}/{name}");
        component.Save(child);
        child.Commit();
    }

    internal void Commit()
    {
        if (_writer is null)
            throw new InvalidOperationException("ModelSignature not specified!");
        _writer.Flush();
        using Stream entry = _archive.CreateEntry($"{_folder}/{EntryName}").Open();
        _writer.BaseStream.Position = 0;
        _writer.BaseStream.CopyTo(entry);
    }

    public void Dispose() => _writer?.Dispose();
}
