using Microsoft.ML.ForwardSampling.Selection;

namespace Microsoft.ML.ForwardSampling.Tests.Selection;

/// <summary>Selector states as bytes and back.</summary>
internal static class SavedStates
{
    public static byte[] Saved(this RowSelectorState state)
    {
        using var stream = new MemoryStream();
        state.Save(stream);
        return stream.ToArray();
    }

    public static RowSelectorState Load(byte[] bytes) => RowSelectorState.Load(new MemoryStream(bytes));
}
