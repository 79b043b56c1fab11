using Microsoft.DotNet.Interactive;
using Microsoft.DotNet.Interactive.Commands;
using Microsoft.DotNet.Interactive.CSharp;
using Microsoft.DotNet.Interactive.Documents;
using Microsoft.DotNet.Interactive.Events;
using Microsoft.DotNet.Interactive.Formatting;
using Microsoft.DotNet.Interactive.PackageManagement;

namespace Microsoft.ML.ForwardSampling.NotebookRunner;

/// <summary>Runs the cells of a notebook as .NET Interactive does, with the product's packages from a folder.</summary>
internal static class NotebookKernel
{
    private const string Product = "#r \"nuget: Microsoft.ML.ForwardSampling, ", AnyVersion = Product + "*-*\"";

    private static readonly List<object> s_held = [];

    /// <summary>Runs every code cell of a notebook file, in order.</summary>
    /// <param name="path">The notebook.</param>
    /// <param name="packages">The folder with the product's packages.</param>
    /// <param name="version">Their version, which the cell that takes any version gets.</param>
    /// <returns>The cells with what they showed; what loading packages shows is left out, since it names versions.</returns>
    /// <exception cref="InvalidOperationException">A cell failed; the message holds the reason and the cell.</exception>
    public static async Task<IReadOnlyList<Cell>> RunAsync(string path, string packages, string version, CancellationToken cancellation)
    {
        CSharpKernel csharp = NewKernel();
        using var kernel = new CompositeKernel { csharp };
        await SendAsync(kernel, $"#i \"nuget:{packages}\"", cancellation);
        InteractiveDocument document = await InteractiveDocument.LoadAsync(new FileInfo(path),
            [new Microsoft.DotNet.Interactive.Documents.KernelInfo("csharp", "C#", ["C#"])]);
        var cells = new List<Cell>();
        foreach (InteractiveDocumentElement element in document.Elements)
        {
            string text = element.Contents.ReplaceLineEndings("\n");
            bool isCode = element.KernelName == "csharp", loads = text.StartsWith(Product, StringComparison.Ordinal);
            IReadOnlyList<CellOutput> outputs = isCode
                ? await SendAsync(kernel, text.Replace(AnyVersion, $"{Product}{version}\"", StringComparison.Ordinal), cancellation) : [];
            cells.Add(new Cell(isCode, text) { Outputs = loads ? [] : outputs });
        }

        // With the kernel goes the way to the packages' native libraries, which the charts' finalizers still take: those of garbage run
        // now, and what the cells hold is held as long as the process lives.
        s_held.Add(csharp.ScriptState);
        GC.Collect();
        GC.WaitForPendingFinalizers();
        return cells;
    }

    private static CSharpKernel NewKernel()
        => new CSharpKernel().UseKernelHelpers().UseNugetDirective((kernel, packages) =>
        {
            kernel.AddAssemblyReferences(packages.SelectMany(package => package.AssemblyPaths));
            return Task.CompletedTask;
        });

    private static async Task<IReadOnlyList<CellOutput>> SendAsync(CompositeKernel kernel, string code, CancellationToken cancellation)
    {
        KernelCommandResult result = await kernel.SendAsync(new SubmitCode(code, "csharp"), cancellation);
        if (result.Events.OfType<CommandFailed>().FirstOrDefault() is { } failed)
            throw new InvalidOperationException($"A cell failed: {failed.Message}\nThe cell:\n{code}");
        var outputs = new List<CellOutput>();
        foreach (DisplayEvent shown in result.Events.OfType<DisplayEvent>())
        {
            FormattedValue value = shown.FormattedValues.First();
            // What is written to the console line by line is one output.
            if (shown is StandardOutputValueProduced && outputs is [.., { MimeType: CellOutput.Console } last])
                outputs[^1] = last with { Value = last.Value + value.Value.ReplaceLineEndings("\n") };
            else
                outputs.Add(new CellOutput(value.MimeType, value.Value.ReplaceLineEndings("\n")));
        }

        return outputs;
    }
}
