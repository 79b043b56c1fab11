namespace Microsoft.ML.ForwardSampling.DataViews;

/// <summary>Cursors around the cursors of an input.</summary>
internal static class InputCursors
{
    /// <summary>Opens one around each input; if that fails for one, none of the inputs is left open.</summary>
    public static DataViewRowCursor[] Wrap(DataViewRowCursor[] inputs, Converter<DataViewRowCursor, DataViewRowCursor> open)
    {
        try
        {
            return Array.ConvertAll(inputs, open);
        }
        catch
        {
            foreach (DataViewRowCursor input in inputs)
                input.Dispose();
            throw;
        }
    }
}
