using System.Numerics.Tensors;
using System.Runtime.InteropServices;
using Microsoft.ML.ForwardSampling.Selection;

namespace Microsoft.ML.ForwardSampling.GroupTesting;

/// <summary>Counts of the rows that one caller scored.</summary>
internal sealed class GroupTestingCounts(int rounds)
{
    public long Rows, Unscored, StemPasses, PairPasses, MergedValues;

    public long[] Tests { get; } = new long[rounds];

    public long[] Positives { get; } = new long[rounds];

    public void Clear()
    {
        Rows = Unscored = StemPasses = PairPasses = MergedValues = 0;
        Array.Clear(Tests);
        Array.Clear(Positives);
    }
}

/// <summary>Tests the rows of a block by the rounds of a schedule. Used by one thread at a time.</summary>
/// <remarks>Groups are cut by place in the block, which begins with the first member of a group. A row with a feature that is no finite
/// number is left out of its group: one such member would otherwise decide for all.</remarks>
internal sealed class GroupTester
{
    private readonly GroupNetwork _network;
    private readonly GroupSchedule _schedule;
    private readonly float[] _thresholds;
    private readonly double _prevalence;
    private readonly NetworkPart.Runner _stem;
    private readonly NetworkPart.Runner? _pairs;
    private readonly NetworkPart.Runner _body;
    private readonly float[] _features;
    private readonly int[] _place;                      // of a row's stem output; -1: the row is left out
    private readonly bool[] _isOpen;                    // whether no test of the row was negative yet
    private readonly List<Group> _groups = [];
    private readonly List<int> _members = [];
    private readonly double[] _sums;
    private float[] _compact = [];
    private float[] _maps = [];
    private float[] _merged = [];
    private float[] _pairMaps = [];
    private int _width;
    private long[] _shape;

    /// <summary>The members of a group: a part of <see cref="_members"/>.</summary>
    private readonly record struct Group(int Start, int End)
    {
        public int Count => End - Start;
    }

    public GroupTester(GroupNetwork network, GroupSchedule schedule, float[] thresholds, double prevalence, int capacity)
    {
        network.ThrowIfDisposed();
        _network = network;
        _schedule = schedule;
        _thresholds = thresholds;
        _prevalence = prevalence;
        _stem = new NetworkPart.Runner(network.Stem);
        _pairs = network.Pairs is { } pairs ? new NetworkPart.Runner(pairs) : null;
        _body = new NetworkPart.Runner(network.Body);
        _features = new float[capacity * network.FeatureCount];
        _place = new int[capacity];
        _isOpen = new bool[capacity];
        Scores = new float[capacity];
        Probabilities = new float[capacity];
        Tests = new float[capacity];
        _sums = network.Merge == GroupMerge.Inputs ? new double[network.FeatureCount] : [];
        _width = network.FeatureCount;
        _shape = [network.FeatureCount];
        Counts = new GroupTestingCounts(schedule.Rounds);
    }

    /// <summary>The logit of a row's last test less the threshold of its round.</summary>
    public float[] Scores { get; }

    public float[] Probabilities { get; }

    /// <summary>A row's share in its tests: their sum over all rows is the number of tests.</summary>
    public float[] Tests { get; }

    /// <summary>Of the last block.</summary>
    public GroupTestingCounts Counts { get; }

    public Span<float> Features(int row) => _features.AsSpan(row * _network.FeatureCount, _network.FeatureCount);

    /// <summary>Scores the first rows.</summary>
    public void Score(int rows)
    {
        _network.ThrowIfDisposed();
        Counts.Clear();
        Prepare(rows);
        for (int round = 0; round < _schedule.Rounds; round++)
        {
            FormGroups(rows, round);
            if (_groups.Count == 0)
                break;
            ReadOnlySpan<float> logits = LogitsOfGroups();
            for (int group = 0; group < _groups.Count; group++)
                Judge(_groups[group], logits[group], round);
        }

        for (int row = 0; row < rows; row++)
        {
            if (float.IsNaN(Scores[row]))
                Counts.Unscored++;
            Probabilities[row] = GroupPosterior.Probability(Probabilities[row], _prevalence);
        }

        Counts.Rows = rows - Counts.Unscored;
    }

    /// <summary>Finds the rows that can be tested and, unless inputs are merged, what the stem gives for each: once for all
    /// rounds.</summary>
    private void Prepare(int rows)
    {
        int count = 0;
        for (int row = 0; row < rows; row++)
        {
            bool isUsable = WindowSums.AllFinite(Features(row));
            _place[row] = isUsable ? count++ : -1;
            _isOpen[row] = isUsable;
            Scores[row] = isUsable ? float.PositiveInfinity : float.NaN;    // the least of its tests: none yet
            Probabilities[row] = isUsable ? 0f : float.NaN;                 // the logarithm of a likelihood ratio, until the end
            Tests[row] = 0f;
        }

        int features = _network.FeatureCount;
        ReadOnlySpan<float> usable = _features.AsSpan(0, count * features);
        if (count < rows)
        {
            Span<float> compact = NetworkPart.Grow(ref _compact, count * features);
            for (int row = 0; row < rows; row++)
            {
                if (_place[row] >= 0)
                    Features(row).CopyTo(compact[(_place[row] * features)..]);
            }

            usable = compact;
        }

        if (_network.Merge == GroupMerge.Inputs || count == 0)
        {
            usable.CopyTo(NetworkPart.Grow(ref _maps, count * features));
            return;
        }

        Span<float> maps = _stem.Run(usable, count, [features]);
        Counts.StemPasses += count;
        _width = _stem.Width;
        _shape = _stem.Shape;
        maps.CopyTo(NetworkPart.Grow(ref _maps, maps.Length));
    }

    /// <summary>The groups of a round: those of rows that no test has ruled out.</summary>
    private void FormGroups(int rows, int round)
    {
        _groups.Clear();
        _members.Clear();
        int size = _schedule.GroupSizes[round];
        if (!_schedule.IsTwoGroupings)
        {
            for (int start = 0; start < rows; start += size)
                AddGroup(start, 1, Math.Min(start + size, rows));
            return;
        }

        for (int square = 0; square < rows; square += size * size)
        {
            int end = Math.Min(square + size * size, rows);
            for (int line = square; line < end; line += size)
                AddGroup(line, 1, Math.Min(line + size, end));
            for (int column = square; column < Math.Min(square + size, end); column++)
                AddGroup(column, size, end);
        }
    }

    private void AddGroup(int first, int step, int end)
    {
        int start = _members.Count;
        for (int row = first; row < end; row += step)
        {
            if (_isOpen[row])
                _members.Add(row);
        }

        if (_members.Count > start)
            _groups.Add(new Group(start, _members.Count));
    }

    private ReadOnlySpan<float> LogitsOfGroups()
    {
        int groups = _groups.Count;
        if (_pairs is not null)
        {
            Span<float> pairs = MergePairs(out int count);
            Span<float> maps = _pairs.Run(pairs, count, _shape);
            Counts.PairPasses += count;
            Span<float> trees = NetworkPart.Grow(ref _pairMaps, groups * _pairs.Width);
            MergePairMaps(maps, trees, _pairs.Width);
            return _body.Run(trees, groups, _pairs.Shape);
        }

        Span<float> merged = NetworkPart.Grow(ref _merged, groups * _width);
        for (int group = 0; group < groups; group++)
            Merge(_groups[group], merged.Slice(group * _width, _width));
        if (_network.Merge == GroupMerge.Features)
            return _body.Run(merged, groups, _shape);
        Counts.StemPasses += groups;
        return _body.Run(_stem.Run(merged, groups, _shape), groups, _stem.Shape);
    }

    private void Merge(Group group, Span<float> merged)
    {
        if (group.Count > 1)
            Counts.MergedValues += (long)group.Count * _width;
        if (_network.Merge == GroupMerge.Inputs && group.Count > 1)
        {
            Average(group, merged);
            return;
        }

        MapOf(_members[group.Start]).CopyTo(merged);
        for (int i = group.Start + 1; i < group.End; i++)
            TensorPrimitives.Max(merged, MapOf(_members[i]), merged);
    }

    /// <summary>In Doubles, so that the order of the members does not show in the Single that it becomes.</summary>
    private void Average(Group group, Span<float> merged)
    {
        Array.Clear(_sums);
        for (int i = group.Start; i < group.End; i++)
        {
            ReadOnlySpan<float> member = MapOf(_members[i]);
            for (int feature = 0; feature < member.Length; feature++)
                _sums[feature] += member[feature];
        }

        for (int feature = 0; feature < merged.Length; feature++)
            merged[feature] = (float)(_sums[feature] / group.Count);
    }

    private Span<float> MergePairs(out int count)
    {
        count = _groups.Sum(group => (group.Count + 1) / 2);
        Span<float> merged = NetworkPart.Grow(ref _merged, count * _width);
        int pair = 0;
        foreach (Group group in _groups)
        {
            for (int i = group.Start; i < group.End; i += 2)
                Merge(new Group(i, Math.Min(i + 2, group.End)), merged.Slice(pair++ * _width, _width));
        }

        return merged;
    }

    private void MergePairMaps(ReadOnlySpan<float> maps, Span<float> trees, int width)
    {
        int pair = 0;
        for (int group = 0; group < _groups.Count; group++)
        {
            Span<float> tree = trees.Slice(group * width, width);
            int pairs = (_groups[group].Count + 1) / 2;
            maps.Slice(pair * width, width).CopyTo(tree);
            for (int i = 1; i < pairs; i++)
                TensorPrimitives.Max(tree, maps.Slice((pair + i) * width, width), tree);
            if (pairs > 1)
                Counts.MergedValues += (long)pairs * width;
            pair += pairs;
        }
    }

    private ReadOnlySpan<float> MapOf(int row) => _maps.AsSpan(_place[row] * _width, _width);

    private void Judge(Group group, float logit, int round)
    {
        float score = logit - _thresholds[round];
        float logRatio = GroupPosterior.LogRatio(logit, group.Count, _prevalence);
        float share = 1f / group.Count;
        // A group whose logit is no number says nothing: its members are tested, or get no score.
        bool isPositive = !(score <= 0f);
        Counts.Tests[round]++;
        if (isPositive)
            Counts.Positives[round]++;
        foreach (int row in CollectionsMarshal.AsSpan(_members)[group.Start..group.End])
        {
            Tests[row] += share;
            // Two groupings have other neighbours and count both; of rounds, whose groups lie in each other, the last counts.
            Scores[row] = _schedule.IsTwoGroupings ? MathF.Min(Scores[row], score) : score;
            Probabilities[row] = _schedule.IsTwoGroupings ? Probabilities[row] + logRatio : logRatio;
            if (!_schedule.IsTwoGroupings)
                _isOpen[row] = isPositive;
        }
    }
}
