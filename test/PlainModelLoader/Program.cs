// Loads a model as any ML.NET program does, with this library's assembly beside it but nowhere named, and prints the scores of the rows in
// a file. Usage: PlainModelLoader MODEL ROWS.csv (columns: four features, label, band)
using System.Globalization;
using Microsoft.ML;
using Microsoft.ML.Data;

var context = new MLContext();
ITransformer model = context.Model.Load(args[0], out _);
IDataView rows = context.Data.LoadFromTextFile(
    args[1],
    [new TextLoader.Column("Features", DataKind.Single, 0, 3), new TextLoader.Column("Label", DataKind.Single, 4),
        new TextLoader.Column("Band", DataKind.String, 5)],
    separatorChar: ',');
foreach (DataDebuggerPreview.RowInfo row in model.Transform(rows).Preview(1000).RowView)
{
    object score = row.Values.Last(v => v.Key == "Score").Value;
    Console.WriteLine(score is VBuffer<float> vector
        ? string.Join(",", vector.DenseValues().Select(x => x.ToString("R", CultureInfo.InvariantCulture)))
        : Convert.ToString(score, CultureInfo.InvariantCulture));
}
