using Microsoft.ML.ForwardSampling.Examples.Service;

// A web service that learns: it scores orders and records each, takes labels later, trains on the rows worth it, and serves the next model.
// Usage: dotnet run -c Release --project src/Examples/Service -- --urls http://127.0.0.1:5080 --Folder DIRECTORY
WebApplicationBuilder builder = WebApplication.CreateBuilder(args);
ServiceOptions options;
try
{
    options = ServiceOptions.From(builder.Configuration);
}
catch (ArgumentException e)
{
    Console.Error.WriteLine(e.Message);
    return 1;
}

await using WebApplication app = OrderService.Build(builder, options);
await app.RunAsync();                                       // until SIGTERM or Ctrl-C; closing the app then writes what was recorded
return 0;
