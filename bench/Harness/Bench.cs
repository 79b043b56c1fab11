namespace Microsoft.ML.ForwardSampling.Benchmarks;

/// <summary>A benchmark of <c>./build.sh bench</c>.</summary>
/// <param name="Name">What it is called by.</param>
/// <param name="Summary">What it compares, in a line.</param>
/// <param name="Run">Given the arguments behind the name; gives the exit code: 1 where an aim is missed.</param>
internal sealed record Bench(string Name, string Summary, Func<string[], int> Run)
{
    /// <summary>Runs one, under a line that says where.</summary>
    public int RunHere(string[] arguments)
    {
        Console.WriteLine($"# {Name}: {Summary}");
        Console.WriteLine(Machine.Line());
        double seconds = 0;
        int code = 0;
        seconds += Turns.Seconds(() => code = Run(arguments));
        Console.WriteLine($"# {Name}: {seconds:F0} s{(code == 0 ? "" : $", exit code {code}")}\n");
        return code;
    }
}
