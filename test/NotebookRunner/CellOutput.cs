using System.Net;
using System.Text.RegularExpressions;

namespace Microsoft.ML.ForwardSampling.NotebookRunner;

/// <summary>Something that a cell showed.</summary>
/// <param name="MimeType">text/plain for what was written to the console.</param>
/// <param name="Value">Text, HTML, or the picture in base64.</param>
internal sealed partial record CellOutput(string MimeType, string Value)
{
    public const string Console = "text/plain", Html = "text/html", Png = "image/png";

    /// <summary>The words a reader sees, in order: those of a table cell by cell; none of a picture.</summary>
    public IEnumerable<string> Words()
        => (MimeType == Png ? "" : MimeType == Html ? WebUtility.HtmlDecode(Tag().Replace(Value, " ")) : Value)
            .Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries);

    [GeneratedRegex("<[^>]*>")]
    private static partial Regex Tag();
}
