using System.Diagnostics;

namespace Microsoft.ML.ForwardSampling.DataViews;

/// <summary>Says no to ML.NET's ConvertToOnnx.</summary>
/// <remarks>It follows a pipeline through an internal interface. At a transformer from outside ML.NET it stops with a warning, takes that
/// one's output columns for inputs of the graph, and writes a file that copies them: a model without its model. All it calls of ours is
/// Transform, so the caller is looked for there: some ten microseconds for each view, none for a row.</remarks>
internal static class OnnxConversion
{
    /// <exception cref="NotSupportedException">ConvertToOnnx is among the callers.</exception>
    public static void Refuse()
    {
        foreach (StackFrame frame in new StackTrace(fNeedFileInfo: false).GetFrames())
        {
            if (frame.GetMethod() is { } method && method.Name.StartsWith("ConvertToOnnx", StringComparison.Ordinal)
                && method.DeclaringType?.Assembly.GetName().Name?.StartsWith("Microsoft.ML", StringComparison.Ordinal) == true)
                throw new NotSupportedException(
                    "ConvertToOnnx cannot export transformers of Microsoft.ML.ForwardSampling: it would write a graph that copies its "
                    + "inputs. mlContext.ForwardSampling().SaveOnnx writes networks and linear models.");
        }
    }
}
