// Makes one training step, as a program that was installed somewhere does: prints "trained", or the exception's type and message.
// Usage: TrainOnce [DEVICE]
// Or loads a regression model and scores one row: prints the score by fs.Load, the score after saving it again by mlContext.Model.Load,
// what asking for the torch module brings, and the number of weights. Usage: TrainOnce score MODEL FEATURE ...
using System.Globalization;
using Microsoft.ML;
using Microsoft.ML.Data;
using Microsoft.ML.ForwardSampling;
using Microsoft.ML.ForwardSampling.Networks;

var context = new MLContext(seed: 1);
try
{
    if (args is ["score", var path, .. var features])
    {
        Console.WriteLine(Score(path, [.. features.Select(value => float.Parse(value, CultureInfo.InvariantCulture))]));
        return;
    }

    IDataView rows = context.Data.LoadFromEnumerable([new Row([1, 2], 3), new Row([2, 1], 4)]);
    using var model = context.ForwardSampling().Trainers.Regression(
        new NetworkTrainerOptions { Device = args is [var device] ? device : "cpu", MaximumSteps = 1 }).Fit(rows);
    Console.WriteLine("trained");
}
catch (Exception e)
{
    Console.WriteLine($"{e.GetType().Name}: {e.Message}");
}

string Score(string path, float[] features)
{
    var type = SchemaDefinition.Create(typeof(Features));
    type[nameof(Features.Values)].ColumnType = new VectorDataViewType(NumberDataViewType.Single, features.Length);
    type[nameof(Features.Values)].ColumnName = "Features";
    IDataView row = context.Data.LoadFromEnumerable([new Features(features)], type);
    var model = (NetworkPredictionTransformer)context.ForwardSampling().Load(path, out DataViewSchema schema);
    string again = path + ".again";
    context.ForwardSampling().Save(model, schema, again);
    string module = "made";
    try
    {
        _ = model.Model.Network;
    }
    catch (DllNotFoundException e)
    {
        module = e.GetType().Name;
    }

    return string.Join(' ', Text(model.Transform(row)), Text(context.Model.Load(again, out _).Transform(row)), module,
        model.Model.ParameterCount);
}

static string Text(IDataView scored) => scored.GetColumn<float>("Score").Single().ToString("R", CultureInfo.InvariantCulture);

internal sealed record Row([property: VectorType(2)] float[] Features, float Label);

internal sealed record Features(float[] Values);
