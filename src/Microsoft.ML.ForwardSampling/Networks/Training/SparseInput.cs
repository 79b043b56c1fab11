using Microsoft.ML.ForwardSampling.DataViews;

namespace Microsoft.ML.ForwardSampling.Networks;

/// <summary>What enters a layer of which a batch's rows touch few inputs: the rows, and the same values once more by input.</summary>
/// <param name="inputs">Inputs of the layer.</param>
internal sealed class SparseInput(int inputs) : IDisposable
{
    private readonly int[] _places = new int[inputs];   // 1 + an input's place among the touched ones; 0: not touched
    private int[] _touched = new int[64];
    private int[] _starts = new int[65];
    private int[] _rows = [];
    private float[] _values = [];

    /// <summary>The rows of the batch.</summary>
    public SparseRows Rows { get; } = new();

    /// <summary>Inputs that are in some row, in the order in which they come first.</summary>
    public int TouchedCount { get; private set; }

    /// <summary>The touched inputs.</summary>
    public ReadOnlySpan<int> Touched => _touched.AsSpan(0, TouchedCount);

    /// <summary>Where in <see cref="RowsByInput"/> each touched input's rows begin, and where the last one's end.</summary>
    public int[] Starts => _starts;

    /// <summary>Rows of each touched input, ascending.</summary>
    public int[] RowsByInput => _rows;

    /// <summary>The values there.</summary>
    public float[] ValuesByInput => _values;

    /// <summary>Gradients of the touched inputs' weights, where they are kept: input by input, whole panels.</summary>
    public AlignedFloats? Gradient { get; private set; }

    /// <summary>Sorts the first rows' values by input.</summary>
    /// <param name="rows">How many rows.</param>
    public void Transpose(int rows)
    {
        int length = rows == 0 ? 0 : Rows.Start(rows - 1) + Rows.LengthOf(rows - 1);
        ReadOnlySpan<int> slots = Rows.Slots.AsSpan(0, length);
        if (_rows.Length < length)
        {
            _rows = new int[2 * length];
            _values = new float[2 * length];
        }

        TouchedCount = 0;
        foreach (int slot in slots)
            Count(slot);
        for (int i = 0, before = 0; i < TouchedCount; i++)
            (_starts[i], before) = (before, before + _starts[i]);
        for (int row = 0; row < rows; row++)
        {
            ReadOnlySpan<int> inputsOfRow = Rows.SlotsOf(row);
            ReadOnlySpan<float> values = Rows.ValuesOf(row);
            for (int i = 0; i < values.Length; i++)
            {
                int to = _starts[_places[inputsOfRow[i]] - 1]++;
                _rows[to] = row;
                _values[to] = values[i];
            }
        }

        // Each beginning has moved to its end, which is the next one's beginning.
        for (int i = TouchedCount; i > 0; i--)
            _starts[i] = _starts[i - 1];
        _starts[0] = 0;
        foreach (int slot in Touched)
            _places[slot] = 0;
    }

    /// <summary>Makes room for the gradients of the touched inputs' weights.</summary>
    /// <param name="outputs">Weights of an input, whole panels.</param>
    public void KeepGradient(int outputs)
    {
        if (Gradient is { } enough && enough.Length >= (long)TouchedCount * outputs)
            return;
        Gradient?.Dispose();
        Gradient = new AlignedFloats(2L * TouchedCount * outputs);
    }

    public void Dispose() => Gradient?.Dispose();

    private void Count(int slot)
    {
        ref int place = ref _places[slot];
        if (place == 0)
        {
            if (TouchedCount == _touched.Length)
            {
                Array.Resize(ref _touched, 2 * TouchedCount);
                Array.Resize(ref _starts, 2 * TouchedCount + 1);
            }

            _touched[TouchedCount] = slot;
            _starts[TouchedCount] = 0;
            place = ++TouchedCount;
        }

        _starts[place - 1]++;
    }
}
