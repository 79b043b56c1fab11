using System.Globalization;

namespace Microsoft.ML.ForwardSampling.Examples.Service;

/// <summary>What can be said on the command line, as --Name value, or in the environment.</summary>
internal sealed record ServiceOptions
{
    /// <summary>Where everything is kept: records/, labels/, model.zip, join.state.</summary>
    public string Folder { get; init; } = "service-data";

    /// <summary>Seed of the shop and of the trainings.</summary>
    public int Seed { get; init; } = 1;

    /// <summary>Joined rows from which a model is trained.</summary>
    public int WindowRows { get; init; } = 2560;

    /// <summary>How long a prediction waits for its label, seconds.</summary>
    public double WaitSeconds { get; init; } = 3600;

    /// <summary>Seconds after which records are written that nobody asked to flush.</summary>
    public double FlushSeconds { get; init; } = 0.1;

    /// <summary>Predictions are recorded; only the benchmark has it otherwise.</summary>
    public bool Records { get; init; } = true;

    /// <summary>Models are trained in this process.</summary>
    public bool Trains { get; init; } = true;

    public string ModelPath => Path.Combine(Folder, "model.zip");

    public string RecordFolder => Path.Combine(Folder, "records");

    public string LabelFolder => Path.Combine(Folder, "labels");

    public string JoinState => Path.Combine(Folder, "join.state");

    /// <summary>Reads them; what is not said is as above.</summary>
    /// <exception cref="ArgumentException">A value is not what belongs there; the message names it.</exception>
    public static ServiceOptions From(IConfiguration configuration)
    {
        var options = new ServiceOptions();
        return options with
        {
            Folder = configuration[nameof(Folder)] ?? options.Folder,
            Seed = (int)Number(configuration, nameof(Seed), options.Seed, 0, int.MaxValue),
            WindowRows = (int)Number(configuration, nameof(WindowRows), options.WindowRows, 64, 1 << 20),
            WaitSeconds = Number(configuration, nameof(WaitSeconds), options.WaitSeconds, 0.1, 86400),
            FlushSeconds = Number(configuration, nameof(FlushSeconds), options.FlushSeconds, 0.001, 3600),
        };
    }

    private static double Number(IConfiguration configuration, string name, double preset, double min, double max)
    {
        if (configuration[name] is not { } text)
            return preset;
        return double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out double number) && number >= min && number <= max
            ? number
            : throw new ArgumentException(
                string.Create(CultureInfo.InvariantCulture, $"--{name} must be a number between {min} and {max}. Got '{text}'."));
    }
}
