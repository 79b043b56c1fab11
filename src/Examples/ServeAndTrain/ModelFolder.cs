using System.Globalization;
using Microsoft.ML.ForwardSampling.Networks;

namespace Microsoft.ML.ForwardSampling.Examples.ServeAndTrain;

/// <summary>Where models are handed over: a file for each version, whole from the moment it has its name.</summary>
internal sealed class ModelFolder(string path)
{
    /// <summary>The newest version; null when there is none yet.</summary>
    public int? Newest() => Directory.Exists(path)
        ? Directory.EnumerateFiles(path, "model-*.zip").Select(
            file => (int?)int.Parse(Path.GetFileNameWithoutExtension(file).AsSpan(6), CultureInfo.InvariantCulture)).Max()
        : null;

    /// <summary>Loads a version. A network scores without torch.</summary>
    public NetworkPredictionTransformer Load(MLContext mlContext, int version)
        => (NetworkPredictionTransformer)mlContext.ForwardSampling().Load(FileOf(version), out _);

    /// <summary>Hands a version over: fs.Save writes beside and renames.</summary>
    public void Save(MLContext mlContext, NetworkPredictionTransformer model, int version)
    {
        Directory.CreateDirectory(path);
        mlContext.ForwardSampling().Save(model, mlContext.Data.LoadFromEnumerable<Order>([]).Schema, FileOf(version));
    }

    private string FileOf(int version) => Path.Combine(path, string.Create(CultureInfo.InvariantCulture, $"model-{version:D6}.zip"));
}
