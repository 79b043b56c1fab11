using Microsoft.ML.ForwardSampling.Onnx;

namespace Microsoft.ML.ForwardSampling;

public sealed partial class ForwardSamplingCatalog
{
    /// <summary>Writes a trained model as an ONNX file (opset 12), which any ONNX runtime scores without .NET.</summary>
    /// <remarks>
    /// <para>Input: the feature column's name, Single, shape [rows, features]. Outputs, as the transformer's columns: <c>Score</c> (shape
    /// [rows, 1]; several classes: probabilities, [rows, classes]); binary also <c>Probability</c> (Single) and <c>PredictedLabel</c>
    /// (bool, by the model's threshold); several classes also <c>PredictedLabel</c>, the key (uint32, 1 is the first class, 0 a row with
    /// a score that is NaN), and, where the label's keys have values, <c>PredictedLabelValue</c>, the value of that key; each
    /// [rows, 1].</para>
    /// <para>The scales of features and label, normalised layers and activations are in the graph. Of a recorded model the wrapped one is
    /// written, without statistics. Guide: docs/how-to/onnx.md.</para>
    /// </remarks>
    /// <param name="model">A network built from options, a low-memory linear model, one of them recorded, or a chain of one
    /// stage.</param>
    /// <param name="path">File to write, beside it first and then renamed; one that exists is replaced.</param>
    /// <exception cref="ArgumentNullException"><paramref name="model"/> or <paramref name="path"/> is null.</exception>
    /// <exception cref="NotSupportedException">The model is a user's own module, a group-tested model, a chain of several stages or not of
    /// this library; the message says what to do instead. Nothing is written.</exception>
    /// <exception cref="ObjectDisposedException">The model is disposed.</exception>
    /// <exception cref="IOException">The file cannot be written; what was there before is still there.</exception>
    public void SaveOnnx(ITransformer model, string path)
    {
        ArgumentNullException.ThrowIfNull(model);
        ArgumentException.ThrowIfNullOrEmpty(path);
        ReadOnlyMemory<byte> bytes = OnnxModel.Of(model);
        AtomicFile.Replace(path, stream => stream.Write(bytes.Span), AtomicFile.FlushFolder);
    }

    /// <summary>Writes a trained model as ONNX; see <see cref="SaveOnnx(ITransformer, string)"/>.</summary>
    /// <param name="model">As there.</param>
    /// <param name="stream">Written from where it stands, and left open.</param>
    /// <exception cref="ArgumentNullException"><paramref name="model"/> or <paramref name="stream"/> is null.</exception>
    /// <exception cref="NotSupportedException">As there.</exception>
    /// <exception cref="ObjectDisposedException">As there.</exception>
    public void SaveOnnx(ITransformer model, Stream stream)
    {
        ArgumentNullException.ThrowIfNull(model);
        ArgumentNullException.ThrowIfNull(stream);
        stream.Write(OnnxModel.Of(model).Span);
    }
}
