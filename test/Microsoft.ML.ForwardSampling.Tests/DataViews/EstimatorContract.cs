using Microsoft.ML.Data;
using Microsoft.ML.ForwardSampling.DataViews;

namespace Microsoft.ML.ForwardSampling.Tests.DataViews;

/// <summary>What every estimator of ours owes: promised schema = delivered schema, alike in a cursor, a cursor set and a mapper; a bad
/// input fails alike everywhere.</summary>
internal static class EstimatorContract
{
    /// <summary>Fits on <paramref name="input"/> and compares everything that was promised with what comes. Returns the fitted
    /// transformer.</summary>
    public static TTransformer Check<TTransformer>(IEstimator<TTransformer> estimator, IDataView input)
        where TTransformer : class, ITransformer
    {
        SchemaShape promised = estimator.GetOutputSchema(Shapes.Of(input.Schema));
        TTransformer transformer = estimator.Fit(input);
        DataViewSchema announced = transformer.GetOutputSchema(input.Schema);
        IDataView output = transformer.Transform(input);

        AssertSame(promised, Shapes.Of(announced));
        AssertSame(promised, Shapes.Of(output.Schema));
        Assert.Equal(announced.Select(column => (column.Name, column.Type.ToString(), column.IsHidden)),
            output.Schema.Select(column => (column.Name, column.Type.ToString(), column.IsHidden)));
        ViewContract.Check(output);

        // Inside a chain, where shapes are propagated before anything is fitted.
        AssertSame(promised, Shapes.Of(new EstimatorChain<ITransformer>().Append<TTransformer>(estimator).Fit(input)
            .GetOutputSchema(input.Schema)));

        if (transformer.IsRowToRowMapper)
            CheckMapper(transformer.GetRowToRowMapper(input.Schema), input, output);
        return transformer;
    }

    /// <summary>Requires the same failure, naming the column, at GetOutputSchema and Fit.</summary>
    /// <returns>The message without the parameter's name.</returns>
    public static string CheckRefused<TTransformer>(IEstimator<TTransformer> estimator, IDataView badInput)
        where TTransformer : class, ITransformer
    {
        var promised = Assert.Throws<ArgumentOutOfRangeException>(() => estimator.GetOutputSchema(Shapes.Of(badInput.Schema)));
        var fitted = Assert.Throws<ArgumentOutOfRangeException>(() => estimator.Fit(badInput));
        Assert.Equal(WithoutParameter(promised), WithoutParameter(fitted));
        return WithoutParameter(fitted);
    }

    /// <summary>Requires the failure <paramref name="message"/> wherever a fitted transformer meets a schema.</summary>
    public static void CheckRefused(ITransformer transformer, IDataView badInput, string message)
    {
        Assert.Equal(message, WithoutParameter(
            Assert.Throws<ArgumentOutOfRangeException>(() => transformer.GetOutputSchema(badInput.Schema))));
        Assert.Equal(message, WithoutParameter(Assert.Throws<ArgumentOutOfRangeException>(() => transformer.Transform(badInput))));
        Assert.Equal(message, WithoutParameter(
            Assert.Throws<ArgumentOutOfRangeException>(() => transformer.GetRowToRowMapper(badInput.Schema))));
    }

    public static string WithoutParameter(ArgumentException exception)
        => exception.Message.Replace($" (Parameter '{exception.ParamName}')", "", StringComparison.Ordinal);

    public static void AssertSame(SchemaShape promised, SchemaShape delivered)
    {
        Assert.Equal(promised.Select(column => column.Name).Order(), delivered.Select(column => column.Name).Order());
        foreach (SchemaShape.Column column in delivered)
        {
            SchemaShape.Column promise = promised.Single(other => other.Name == column.Name);
            Assert.Equal(
                (column.Name, column.Kind, column.ItemType.ToString(), column.IsKey),
                (promise.Name, promise.Kind, promise.ItemType.ToString(), promise.IsKey));
            Assert.Superset(promise.Annotations.Select(annotation => annotation.Name).ToHashSet(),
                column.Annotations.Select(annotation => annotation.Name).ToHashSet());
        }
    }

    private static void CheckMapper(IRowToRowMapper mapper, IDataView input, IDataView output)
    {
        Assert.Equal(output.Schema.Select(column => (column.Name, column.Type.ToString())),
            mapper.OutputSchema.Select(column => (column.Name, column.Type.ToString())));
        DataViewSchema.Column[] dependencies = [.. mapper.GetDependencies(mapper.OutputSchema)];
        Assert.All(dependencies, column => Assert.InRange(column.Index, 0, input.Schema.Count - 1));

        var rows = new List<string>();
        using DataViewRowCursor cursor = input.GetRowCursor(input.Schema);
        using DataViewRow row = mapper.GetRow(cursor, mapper.OutputSchema);
        Func<string>[] cells = [.. mapper.OutputSchema.Select(column => ViewContract.Cell(row, column))];
        ValueGetter<DataViewRowId> id = row.GetIdGetter();
        while (cursor.MoveNext())
        {
            DataViewRowId current = default;
            id(ref current);
            rows.Add(current + ": " + string.Join(" | ", cells.Select(cell => cell())));
        }

        Assert.Equal(ViewContract.Read(output.GetRowCursor(output.Schema)), rows);
    }
}
