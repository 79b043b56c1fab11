using Microsoft.ML.Data;
using Microsoft.ML.ForwardSampling.DataViews;

namespace Microsoft.ML.ForwardSampling.GroupTesting;

/// <summary>Reads rows ahead in whole groups, tests them when the first of their scores is asked for, and serves them one by
/// one.</summary>
/// <remarks>Blocks grow from one group, or 16 rows, to about 1,024 rows. Each is a whole number of groups: a row is in the same group
/// whatever was read.</remarks>
internal sealed class GroupCursor : BlockCursor
{
    private const int FirstBlock = 16;
    private const int LargestBlock = 1024;

    private readonly GroupCounters _counters;
    private readonly ValueGetter<VBuffer<float>>? _features;
    private readonly GroupTester? _tester;
    private readonly Delegate[] _getters;
    private VBuffer<float> _buffer;
    private int _rows;
    private bool _scored;

    public GroupCursor(DataViewRowCursor input, DataViewSchema schema, ActiveColumns active, GroupTestingTransformer transformer,
        DataViewSchema.Column features)
        : base(input, schema, active, WholeGroups(FirstBlock, transformer), MostRows(transformer))
    {
        _counters = transformer.Counters;
        if (active.AnyAdded)
        {
            _features = input.GetGetter<VBuffer<float>>(input.Schema[features.Index]);
            _tester = new GroupTester(transformer.Network, transformer.Schedule, [.. transformer.Thresholds], transformer.Prevalence,
                MostRows(transformer));
        }

        _getters = [(ValueGetter<float>)GetScore, (ValueGetter<float>)GetProbability, (ValueGetter<bool>)GetIsPositive,
            (ValueGetter<float>)GetTests];
    }

    protected override Delegate AddedGetter(int added) => _getters[added];

    protected override void ReadRow(int slot)
    {
        if (_tester is null)
            return;
        _features!(ref _buffer);
        _buffer.CopyTo(_tester.Features(slot));
    }

    protected override void StartBlock(int rows) => (_rows, _scored) = (rows, false);

    private static int WholeGroups(int rows, GroupTestingTransformer transformer)
    {
        int unit = transformer.Schedule.Unit;
        return (rows + unit - 1) / unit * unit;
    }

    private static int MostRows(GroupTestingTransformer transformer)
    {
        int unit = transformer.Schedule.Unit;
        return Math.Max(1, RowBlocks.RowsFor(transformer.Network.FeatureCount, LargestBlock) / unit) * unit;
    }

    private int CurrentRow()
    {
        if (!_scored)
        {
            _tester!.Score(_rows);
            _counters.Add(_tester.Counts);
            _scored = true;
        }

        return Current.Slot;
    }

    private void GetScore(ref float value) => value = _tester!.Scores[CurrentRow()];

    private void GetProbability(ref float value) => value = _tester!.Probabilities[CurrentRow()];

    private void GetIsPositive(ref bool value) => value = _tester!.Scores[CurrentRow()] > 0f;

    private void GetTests(ref float value) => value = _tester!.Tests[CurrentRow()];
}
