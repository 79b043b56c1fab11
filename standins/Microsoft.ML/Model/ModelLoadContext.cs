using System.IO.Compression;
using System.Text;

namespace Microsoft.ML;

/// <summary>One component's folder in a model file that is being read.</summary>
internal sealed class ModelLoadContext : IDisposable
{
    private readonly ZipArchive _archive;
    private readonly string _folder;

    private ModelLoadContext(ZipArchive archive, string folder, IHostEnvironment env)
    {
        _archive = archive;
        _folder = folder;
        Env = env;
        ZipArchiveEntry entry = archive.GetEntry($"{folder}/{ModelSaveContext.EntryName}")
            ?? throw new FormatException($"Corrupt model file: it has no '{folder}'");
        Reader = new BinaryReader(new BufferedStream(entry.Open()), Encoding.UTF8);
    }

    public IHostEnvironment Env { get; }
    public BinaryReader Reader { get; }

    public static ITransformer Load(ZipArchive archive, string folder, IHostEnvironment env)
    {
        using var ctx = new ModelLoadContext(archive, folder, env);
        return ModelLoaders.Find(ctx.Reader.ReadString())(ctx);
    }

    public ITransformer LoadChild(string name) => Load(_archive, $"{_folder}/{name}", Env);
    public void Dispose() => Reader.Dispose();
}
