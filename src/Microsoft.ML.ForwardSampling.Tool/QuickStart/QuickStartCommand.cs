using System.CommandLine;
using Microsoft.ML.ForwardSampling.Tool.Arguments;
using Microsoft.ML.ForwardSampling.Tool.Compare;

namespace Microsoft.ML.ForwardSampling.Tool.QuickStart;

/// <summary>The quick start: a comparison whose data, policies and settings are chosen.</summary>
/// <remarks>
/// A network is in service while its training data arrive: each chunk of rows is scored by the deployed network, one row in ten
/// is selected by what that forward pass said, the next network is trained on the selected rows, and takes over.
/// </remarks>
internal static class QuickStartCommand
{
    /// <summary>The comparison of the README's table. A constant rate: this network stays in service and goes on learning.</summary>
    public static CompareOptions Preset { get; } = new()
    {
        Policies = ["balanced-gradient-norm"],
        Passes = 8,
        LearningRate = 1e-3,
        Schedule = CompareSchedule.Constant,
        Json = Path.Combine("artifacts", "quick-start.json"),
        Html = Path.Combine("artifacts", "quick-start.html"),
    };

    /// <summary>The short run: fewer seeds, fewer passes, and it says so.</summary>
    public static CompareOptions Taste { get; } = Preset with
    {
        Seeds = 3,
        FullSeeds = 1,
        Passes = 5,
        Notes = ["This is a taste (--quick): few seeds and passes, too few to conclude from. Run it without --quick for the comparison."],
    };

    /// <summary>The command.</summary>
    /// <param name="run">What to do with the options, and with the folder that holds Fashion-MNIST.</param>
    public static System.CommandLine.Command Create(Func<CompareOptions, string, CancellationToken, Task<int>> run)
    {
        Option<string> data = TextOption.Path("--data",
            $"Folder with the four files of Fashion-MNIST (default {FashionMnist.DebianFolder}).", "DIR");
        Option<bool> quick = new("--quick") { Description = "A taste in under a minute: fewer seeds, fewer passes." };
        var arguments = new CompareArguments(Preset, Taste);
        var command = new System.CommandLine.Command("quick-start",
            "Compare with everything chosen: Fashion-MNIST as a stream, the default policy against an even draw, early-stopped and full "
            + "training.") { data, quick };
        foreach (Option option in arguments.All)
            command.Add(option);
        command.SetAction((parsed, cancellation)
            => run(arguments.Read(parsed, parsed.GetValue(quick) ? Taste : Preset), parsed.GetValue(data) ?? FashionMnist.DebianFolder,
                cancellation));
        return command;
    }
}
