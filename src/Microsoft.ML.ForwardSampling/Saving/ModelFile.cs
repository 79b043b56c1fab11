namespace Microsoft.ML.ForwardSampling.Saving;

/// <summary>Model files: written beside and renamed, read with one kind of error.</summary>
internal static class ModelFile
{
    public static void Save(MLContext context, ITransformer model, DataViewSchema? inputSchema, string path)
        => AtomicFile.Replace(path, stream => context.Model.Save(model, inputSchema, stream), AtomicFile.FlushFolder);

    public static ITransformer Load(MLContext context, string path, out DataViewSchema inputSchema,
        Func<ITransformer, ITransformer> restore)
    {
        using FileStream stream = File.OpenRead(path);
        return Load(context, stream, $"'{path}'", out inputSchema, restore);
    }

    /// <summary>As from a file; messages call the stream by that name.</summary>
    public static ITransformer Load(MLContext context, Stream stream, string name, out DataViewSchema inputSchema,
        Func<ITransformer, ITransformer> restore)
    {
        ITransformer model;
        try
        {
            ArchiveCheck.ThrowIfDamaged(stream);
            model = context.Model.Load(stream, out inputSchema);
        }
        catch (OutOfMemoryException e)
        {
            // A damaged length is an array of any size to ML.NET's readers; nothing has been kept of it.
            throw new InvalidDataException($"{name} ({stream.Length} bytes) asks for more memory than there is: it is damaged, or too "
                + "large for this machine.", e);
        }
        catch (Exception e)
        {
            throw new InvalidDataException(
                $"{name} ({stream.Length} bytes) is not a whole model file, as mlContext.Model.Save writes it: {e.Message}", e);
        }

        try
        {
            return restore(model);
        }
        catch (InvalidDataException e)
        {
            throw new InvalidDataException($"{name}: {e.Message}", e);
        }
        catch (NotSupportedException e)
        {
            throw new NotSupportedException($"{name}: {e.Message}", e);
        }
    }
}
