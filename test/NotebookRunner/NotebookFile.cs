using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Microsoft.ML.ForwardSampling.NotebookRunner;

/// <summary>A notebook's cells and outputs as Jupyter's nbformat 4.4 keeps them, with nothing that changes from run to run.</summary>
internal static class NotebookFile
{
    private static readonly JsonSerializerOptions s_options = new()
    {
        WriteIndented = true,
        IndentSize = 1,
        NewLine = "\n",
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping, // a file, not a page: quotes stay readable
    };

    public static void Write(string path, IEnumerable<Cell> cells)
    {
        var notebook = new JsonObject
        {
            ["cells"] = new JsonArray([.. cells.Select(ToJson)]),
            ["metadata"] = new JsonObject
            {
                ["kernelspec"] = new JsonObject { ["display_name"] = ".NET (C#)", ["language"] = "C#", ["name"] = ".net-csharp" },
                ["language_info"] = new JsonObject { ["file_extension"] = ".cs", ["mimetype"] = "text/x-csharp", ["name"] = "C#" },
            },
            ["nbformat"] = 4,
            ["nbformat_minor"] = 4,
        };
        File.WriteAllText(path, notebook.ToJsonString(s_options) + "\n");
    }

    public static IReadOnlyList<Cell> Read(string path)
        => [.. JsonNode.Parse(File.ReadAllText(path))!["cells"]!.AsArray().Select(cell => new Cell(
            (string?)cell!["cell_type"] == "code", Text(cell["source"]!))
        { Outputs = [.. (cell["outputs"]?.AsArray() ?? []).Select(output => FromJson(output!))] })];

    private static JsonObject ToJson(Cell cell)
    {
        var json = new JsonObject { ["cell_type"] = cell.IsCode ? "code" : "markdown" };
        if (cell.IsCode)
            json["execution_count"] = null;
        json["metadata"] = new JsonObject();
        if (cell.IsCode)
            json["outputs"] = new JsonArray([.. cell.Outputs.Select(ToJson)]);
        json["source"] = Lines(cell.Text);
        return json;
    }

    private static JsonObject ToJson(CellOutput output) => output.MimeType == CellOutput.Console
        ? new JsonObject { ["name"] = "stdout", ["output_type"] = "stream", ["text"] = Lines(output.Value) }
        : new JsonObject
        {
            ["data"] = new JsonObject { [output.MimeType] = output.MimeType == CellOutput.Png ? output.Value : Lines(output.Value) },
            ["metadata"] = new JsonObject(),
            ["output_type"] = "display_data",
        };

    private static CellOutput FromJson(JsonNode output)
    {
        if ((string?)output["output_type"] == "stream")
            return new CellOutput(CellOutput.Console, Text(output["text"]!));
        (string mimeType, JsonNode? value) = output["data"]!.AsObject().Single();
        return new CellOutput(mimeType, Text(value!));
    }

    private static JsonArray Lines(string text)
    {
        string[] lines = text.Split('\n');
        return [.. lines.Select((line, i) => i < lines.Length - 1 ? line + "\n" : line).Where(line => line.Length > 0)];
    }

    private static string Text(JsonNode text)
        => text is JsonArray lines ? string.Concat(lines.Select(line => (string)line!)) : (string)text!;
}
