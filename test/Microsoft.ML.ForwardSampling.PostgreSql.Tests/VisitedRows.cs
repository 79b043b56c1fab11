using System.Globalization;
using System.Text;
using System.Text.Json;
using Microsoft.Extensions.Logging;
using Npgsql;

namespace Microsoft.ML.ForwardSampling.PostgreSql.Tests;

/// <summary>Has the server explain each statement that runs over these connections, while it runs: the plan that was taken, and the rows
/// that it went over.</summary>
/// <remarks>By the server's own module auto_explain, whose plans come back as notices: so what is explained is what the library sent, under
/// the settings that it made.</remarks>
internal sealed class VisitedRows : ILoggerFactory, ILogger, IAsyncDisposable
{
    private const string Options = "-c session_preload_libraries=auto_explain -c auto_explain.log_min_duration=0 -c "
        + "auto_explain.log_analyze=on -c auto_explain.log_timing=off -c auto_explain.log_format=json -c auto_explain.log_level=notice";

    public VisitedRows(string connectionString)
    {
        var builder = new NpgsqlDataSourceBuilder(
            new NpgsqlConnectionStringBuilder(connectionString) { Options = Options, Pooling = false }.ConnectionString);
        builder.UseLoggerFactory(this);
        Source = builder.Build();
    }

    public NpgsqlDataSource Source { get; }

    /// <summary>Each statement so far, the rows that its plan read, kept or not, in all loops, and the plan.</summary>
    public List<(string Statement, long Rows, string Plan)> Statements { get; } = [];

    public ValueTask DisposeAsync() => Source.DisposeAsync();

    ILogger ILoggerFactory.CreateLogger(string categoryName) => this;

    void ILoggerFactory.AddProvider(ILoggerProvider provider)
    {
    }

    void IDisposable.Dispose()
    {
    }

    bool ILogger.IsEnabled(LogLevel logLevel) => true;

    IDisposable? ILogger.BeginScope<TState>(TState state) => null;

    void ILogger.Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception,
        Func<TState, Exception?, string> formatter)
    {
        if (eventId.Name != "ReceivedNotice")
            return;
        string notice = formatter(state, exception);
        using var json = JsonDocument.Parse(notice[notice.IndexOf('{', StringComparison.Ordinal)..]);
        var plan = new StringBuilder();
        long rows = Rows(json.RootElement.GetProperty("Plan"), 0, plan);
        lock (Statements)
            Statements.Add((json.RootElement.GetProperty("Query Text").GetString()!, rows, plan.ToString()));
    }

    /// <summary>Counts a node's rows and those of the nodes under it, and draws them as a tree.</summary>
    private static long Rows(JsonElement node, int depth, StringBuilder plan)
    {
        double here = 0;
        foreach (string count in (string[])["Actual Rows", "Rows Removed by Filter", "Rows Removed by Join Filter",
            "Rows Removed by Index Recheck"])
            here += node.TryGetProperty(count, out JsonElement rows) ? rows.GetDouble() : 0;
        double loops = node.GetProperty("Actual Loops").GetDouble();
        long all = (long)(here * loops);
        plan.Append(CultureInfo.InvariantCulture, $"\n{new string(' ', 2 * depth)}{Text("Node Type")} {Text("Relation Name")} "
            + $"{Text("Index Name")}: {here:0} rows in each of {loops:0} loops");
        if (node.TryGetProperty("Plans", out JsonElement plans))
        {
            foreach (JsonElement inner in plans.EnumerateArray())
                all += Rows(inner, depth + 1, plan);
        }

        return all;

        string? Text(string name) => node.TryGetProperty(name, out JsonElement value) ? value.GetString() : null;
    }
}
