using Microsoft.ML.Data;
using Microsoft.ML.ForwardSampling.DataViews;

namespace Microsoft.ML.ForwardSampling.Networks;

/// <summary>Reads rows ahead, scores them by one pass of the network when the first of their scores is asked for, and serves them one by
/// one.</summary>
/// <remarks>Blocks grow from 16 to 1,024 rows, fewer where rows have many values.</remarks>
internal sealed class LookAheadCursor : BlockCursor
{
    private const int FirstBlock = 16;
    private const int LargestBlock = 1024;

    private readonly InputReader _inputs;
    private readonly BlockScores _scores;
    private VBuffer<float> _buffer;

    public LookAheadCursor(DataViewRowCursor input, DataViewSchema schema, ActiveColumns active, InputReader inputs, NetworkModel model,
        bool withActivationNorm, float threshold)
        : base(input, schema, active, FirstBlock, ScoringBatch.RowsFor(model, LargestBlock))
    {
        _inputs = inputs;
        _scores = new BlockScores(model, Current, ScoringBatch.RowsFor(model, LargestBlock), withActivationNorm, threshold);
    }

    protected override bool IsFull => _scores.IsFull;

    protected override Delegate AddedGetter(int added) => _scores.GetGetter(added);

    protected override void ReadRow(int slot)
    {
        _inputs.Read(ref _buffer);
        _scores.Set(slot, _buffer);
    }

    protected override void StartBlock(int rows) => _scores.NewBlock(rows);

    protected override void Close()
    {
        _scores.Dispose();
        base.Close();
    }

    /// <summary>Scores a block when the first of its scores is asked for.</summary>
    private sealed class BlockScores(NetworkModel model, BufferedRow current, int capacity, bool withActivationNorm,
        float threshold) : ScoreGetters(model, capacity, withActivationNorm, threshold)
    {
        private int _rows;
        private bool _scored;

        public void Set(int slot, in VBuffer<float> inputs) => Batch.Set(slot, inputs);

        public bool IsFull => Batch.IsFull;

        public void NewBlock(int rows)
        {
            _rows = rows;
            _scored = false;
        }

        protected override int CurrentRow()
        {
            if (!_scored)
            {
                Batch.Score(_rows);
                _scored = true;
            }

            return current.Slot;
        }
    }
}
