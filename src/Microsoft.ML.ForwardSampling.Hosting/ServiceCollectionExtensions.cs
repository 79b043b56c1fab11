using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Hosting;
using Microsoft.ML.ForwardSampling.Records;

namespace Microsoft.ML.ForwardSampling.Hosting;

/// <summary>Puts a served model and its record logs into a host.</summary>
public static class ServiceCollectionExtensions
{
    /// <summary>Adds a pool of prediction engines that follows its model's file, and a health check of it.</summary>
    /// <typeparam name="TInput">A row as the model takes it.</typeparam>
    /// <typeparam name="TOutput">What is read of a scored row.</typeparam>
    /// <param name="services">The host's services.</param>
    /// <param name="options">The model and how to follow it.</param>
    /// <returns><paramref name="services"/>.</returns>
    /// <remarks>Takes <see cref="PredictionPool{TInput,TOutput}"/> in constructors and handlers. The first model is loaded before the host
    /// has started; a host without one starts all the same, unhealthy, and serves it when it comes. The health check is named
    /// <c>model NAME</c>, tagged <c>ready</c>: unhealthy without a model, degraded while the file is damaged or gone and the former model
    /// serves on.</remarks>
    /// <exception cref="ArgumentNullException">An argument is null.</exception>
    public static IServiceCollection AddForwardSampling<TInput, TOutput>(this IServiceCollection services, PredictionPoolOptions options)
        where TInput : class
        where TOutput : class, new()
    {
        ArgumentNullException.ThrowIfNull(services);
        ArgumentNullException.ThrowIfNull(options);
        services.TryAddSingleton(_ => new PredictionPool<TInput, TOutput>(options));
        services.AddSingleton<IHostedService, ModelWatcher<TInput, TOutput>>();
        services.AddHealthChecks().Add(new HealthCheckRegistration(
            $"model {options.Name ?? Path.GetFileNameWithoutExtension(options.ModelPath)}",
            provider => new ModelHealthCheck(provider.GetRequiredService<PredictionPool<TInput, TOutput>>()), null, ["ready"]));
        return services;
    }

    /// <summary>Adds a log of records or labels as <see cref="IRecordWriter{TRecord}"/>, and a health check of it.</summary>
    /// <typeparam name="TRecord"><see cref="RegressionRecord"/>, <see cref="BinaryRecord"/>, <see cref="MulticlassRecord"/> or
    /// <see cref="LabelEvent"/>.</typeparam>
    /// <param name="services">The host's services.</param>
    /// <param name="directory">Folder of the log.</param>
    /// <param name="options">How to write; left out, the defaults.</param>
    /// <returns><paramref name="services"/>.</returns>
    /// <remarks>The host's container closes the log after the servers have answered their last request, and closing writes all that was
    /// appended: a graceful stop loses nothing. The health check is named <c>log of RECORD</c>, tagged <c>ready</c>: degraded while the
    /// disk refuses.</remarks>
    /// <exception cref="ArgumentNullException"><paramref name="services"/> is null.</exception>
    /// <exception cref="ArgumentException"><paramref name="directory"/> is empty.</exception>
    public static IServiceCollection AddForwardRecordLog<TRecord>(this IServiceCollection services, string directory,
        ForwardRecordLogOptions? options = null)
        where TRecord : struct, ILogRecord<TRecord>
    {
        ArgumentNullException.ThrowIfNull(services);
        ArgumentException.ThrowIfNullOrWhiteSpace(directory);
        services.AddSingleton<IRecordWriter<TRecord>>(_ => new ForwardRecordLog<TRecord>(directory, options));
        services.AddHealthChecks().Add(new HealthCheckRegistration($"log of {typeof(TRecord).Name}",
            provider => new WriterHealthCheck<TRecord>(provider.GetRequiredService<IRecordWriter<TRecord>>()), null, ["ready"]));
        return services;
    }
}
