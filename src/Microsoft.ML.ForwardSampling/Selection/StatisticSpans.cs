using System.Runtime.CompilerServices;

namespace Microsoft.ML.ForwardSampling.Selection;

/// <summary>One span for each entry of the table of statistics, by its index; empty where it is not given.</summary>
/// <remarks>The runtime has no array of spans: this is one.</remarks>
internal ref struct StatisticSpans
{
    private ReadOnlySpan<float> _0;
    private ReadOnlySpan<float> _1;
    private ReadOnlySpan<float> _2;
    private ReadOnlySpan<float> _3;
    private ReadOnlySpan<float> _4;
    private ReadOnlySpan<float> _5;

    /// <summary>Flags of those that are given.</summary>
    public RecordStatistics Given { get; private set; }

    public ReadOnlySpan<float> this[int index]
    {
        // A constant index leaves one case.
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        readonly get => index switch
        {
            0 => _0,
            1 => _1,
            2 => _2,
            3 => _3,
            4 => _4,
            5 => _5,
            _ => throw new ArgumentOutOfRangeException(nameof(index)),
        };
        set
        {
            RecordStatistics flag = RecordedStatistic.All[index].Flag;
            Given = value.IsEmpty ? Given & ~flag : Given | flag;
            switch (index)
            {
                case 0:
                    _0 = value;
                    break;
                case 1:
                    _1 = value;
                    break;
                case 2:
                    _2 = value;
                    break;
                case 3:
                    _3 = value;
                    break;
                case 4:
                    _4 = value;
                    break;
                case 5:
                    _5 = value;
                    break;
                default:
                    throw new ArgumentOutOfRangeException(nameof(index));
            }
        }
    }

    /// <summary>Some rows of each that is given.</summary>
    public readonly StatisticSpans Slice(int start, int count)
    {
        StatisticSpans part = this;
        foreach (RecordedStatistic statistic in RecordedStatistic.All)
        {
            if (statistic.IsIn(Given))
                part[statistic.Index] = this[statistic.Index].Slice(start, count);
        }

        return part;
    }

    /// <summary>The first values of arrays by index, those that are not empty.</summary>
    public static StatisticSpans Of(float[][] values, int count)
    {
        var spans = default(StatisticSpans);
        for (int i = 0; i < values.Length; i++)
            spans[i] = values[i].Length == 0 ? [] : values[i].AsSpan(0, count);
        return spans;
    }
}
