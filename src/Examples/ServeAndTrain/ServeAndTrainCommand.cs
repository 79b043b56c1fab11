using System.CommandLine;

namespace Microsoft.ML.ForwardSampling.Examples.ServeAndTrain;

/// <summary>The command line: without a role it starts all three, with one it is that process.</summary>
internal static class ServeAndTrainCommand
{
    /// <summary>What to write on the command line.</summary>
    public const string Name = "serve-and-train";

    private const string DefaultFolder = "serve-and-train";
    private const int DefaultKills = 6;

    private static readonly ServeAndTrainOptions Defaults = new();

    /// <summary>The command.</summary>
    /// <param name="output">Where it prints.</param>
    /// <param name="guarded">Runs what the command line asks for.</param>
    public static System.CommandLine.Command Create(TextWriter output, Func<CancellationToken, Action, Task<int>> guarded)
    {
        Argument<string?> role = new("role")
        {
            Description = "serve, label or train: only this process, in this terminal. report: count the run of the folder. Left out: "
                + "all three processes, then the report.",
            Arity = ArgumentArity.ZeroOrOne,
        };
        role.AcceptOnlyFromAmong([.. Supervisor.Roles, "report"]);
        Option<string> directory = new("--directory")
        { Description = $"Folder of the run (default {DefaultFolder}). One that holds a run goes on with it.", HelpName = "DIR" };
        Option<string> store = new("--store")
        {
            Description = "Where records and labels are kept: files (default), postgres or nats.",
            HelpName = "KIND"
        };
        store.AcceptOnlyFromAmong("files", "postgres", "nats");
        Option<string> connection = new("--connection")
        {
            Description = $"PostgreSQL connection string (default: environment variable {PostgreSqlStore.ConnectionVariable}), or NATS "
                + $"servers (default: {NatsStore.ConnectionVariable}; without one, three nodes are started on this machine).",
            HelpName = "STRING"
        };
        Option<int?> rows = NumberOption.Create("--rows", $"Orders to serve (default {Defaults.Rows}).", 1, 100_000_000);
        Option<int?> rate = NumberOption.Create("--rate", $"Orders a second (default {Defaults.Rate}).", 1, 1_000_000);
        Option<int?> window = NumberOption.Create("--window",
            $"Joined rows from which the next model is trained (default {Defaults.WindowRows}).", 64, 1_000_000);
        Option<double?> wait = NumberOption.Create("--wait",
            $"Seconds after which a label is too late (default {Defaults.Wait.TotalSeconds}).", 0.1, 3600.0);
        Option<int?> seed = NumberOption.Create("--seed", $"Seed of orders, labels, training and kills (default {Defaults.Seed}).", 0,
            int.MaxValue / 2);
        Option<int?> kills = NumberOption.Create("--kills", $"Processes to kill with SIGKILL, at random moments (default {DefaultKills}).",
            0, 1000);
        var command = new System.CommandLine.Command(Name,
            "Three processes: one serves and records, one brings late labels, one trains and hands models back. Killed and restarted, "
            + "nothing is lost.")
        {
            role, store, connection, directory, rows, rate, window, wait, seed, kills,
        };
        command.SetAction((parsed, cancellation) => guarded(cancellation, () =>
        {
            var run = RunFolder.Open(parsed.GetValue(directory) ?? DefaultFolder, options => options with
            {
                Store = parsed.GetValue(store) is string kind ? Enum.Parse<StoreKind>(kind, ignoreCase: true) : options.Store,
                Rows = parsed.GetValue(rows) ?? options.Rows,
                Rate = parsed.GetValue(rate) ?? options.Rate,
                WindowRows = parsed.GetValue(window) ?? options.WindowRows,
                Wait = parsed.GetValue(wait) is double seconds ? TimeSpan.FromMilliseconds(Math.Round(1000 * seconds)) : options.Wait,
                Seed = parsed.GetValue(seed) ?? options.Seed,
            });
            // The processes that this one starts inherit it.
            if (parsed.GetValue(connection) is string text)
                Environment.SetEnvironmentVariable(
                    run.Options.Store == StoreKind.Nats ? NatsStore.ConnectionVariable : PostgreSqlStore.ConnectionVariable, text);
            switch (parsed.GetValue(role))
            {
                case "serve":
                    ServeRole.Run(run, output, cancellation);
                    break;
                case "label":
                    LabelRole.Run(run, output, cancellation);
                    break;
                case "train":
                    TrainRole.Run(run, output, cancellation);
                    break;
                case "report":
                    using (NatsServers.StartFor(run))
                        Supervisor.Report(run, output);
                    break;
                default:
                    using (NatsServers.StartFor(run))
                        Supervisor.Run(run, parsed.GetValue(kills) ?? DefaultKills, output, cancellation);
                    break;
            }
        }));
        return command;
    }
}
