using Microsoft.ML.ForwardSampling.ModelStress;
using Microsoft.ML.ForwardSampling.RecordStress;

// The long version of a test; the second half of ./build.sh fuzz. It ends with a line of counts.
const string Usage = """
    Usage: fuzz [--files N] [--seed N] [--keep DIR]   damaged models, states of selectors and results files, N of them (default 100,000) in
                                                      equal shares; a file that breaks something is kept in DIR (default artifacts/fuzz)
    """;
int files, seed;
string keep;
try
{
    var options = new Options(args);
    if (options.Command != "fuzz")
        throw new ArgumentException($"There is no command '{options.Command}'.");
    (files, seed) = (options.Number("--files", 100_000), options.Number("--seed", 1));
    keep = options.Text("--keep", Path.Combine("artifacts", "fuzz"));
    options.ThrowIfMore();
}
catch (ArgumentException e)
{
    Console.Error.WriteLine($"{e.Message}\n{Usage}");
    return 2;
}

using var models = new ModelFuzzer(seed);
using var selectors = new SelectorFuzzer(seed);
using var results = new ResultsFuzzer(seed);
return Fuzz.Run([models, selectors, results], files, seed, keep, Console.Out);
