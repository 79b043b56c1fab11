using System.Text;

namespace Microsoft.ML.ForwardSampling.Selection;

/// <summary>What <see cref="AdaptivePercentilePolicy"/> has tried and how it went.</summary>
internal sealed class CurveTrials(int trialWindows, int keptTrials) : PolicyState
{
    private const int Curves = (int)PercentileCurve.Falling + 1;
    private const double RoundMemory = 0.9;
    private const uint Tag = 0x69725443; // "CTri"
    private const int SavedBytes = 4 + 4 + 4 + 4 + 4 + 8 + 8 + 8 + Curves * (8 + 8 + 1);

    private readonly double[] _scores = new double[Curves];
    private readonly double[] _gains = new double[Curves];   // of the round's trials so far, loss a row
    private readonly byte[] _order = [0, 1, 2, 3, 4];
    private PercentileCurve _best = PercentileCurve.Rising;
    private int _trial;                                      // below Curves: the round's trial; from there on: the best curve is kept
    private long _windows;                                   // of the trial under way
    private long _rows;
    private double _lossBefore = double.NaN;                 // at the start of the trial; NaN before the first report

    public override SelectionFeedback Feedback => SelectionFeedback.ValidationLoss;

    /// <summary>The curve for the next window, from which so many rows are chosen.</summary>
    public PercentileCurve NextWindow(int rows, ref RepeatableRandom random)
    {
        if (double.IsNaN(_lossBefore))
            return _best;
        if (_trial == 0 && _windows == 0)
            Shuffle(ref random);
        _windows++;
        _rows += rows;
        return _trial < Curves ? (PercentileCurve)_order[_trial] : _best;
    }

    public override void ObserveValidation(double loss)
    {
        if (!double.IsNaN(_lossBefore))
        {
            if (_windows < trialWindows)
                return;
            if (_trial < Curves)
                _gains[_order[_trial]] = (_lossBefore - loss) / _rows;
            _trial++;
            if (_trial == Curves)
                JudgeRound();
            if (_trial >= Curves + keptTrials)
                _trial = 0;
        }

        _lossBefore = loss;
        _windows = 0;
        _rows = 0;
    }

    // Tag, trial windows, kept trials, best, trial, windows, rows, loss before; scores, gains, order. Little-endian.
    public override byte[] Save()
    {
        using var stream = new MemoryStream(SavedBytes);
        using var writer = new BinaryWriter(stream, Encoding.UTF8);
        writer.Write(Tag);
        writer.Write(trialWindows);
        writer.Write(keptTrials);
        writer.Write((int)_best);
        writer.Write(_trial);
        writer.Write(_windows);
        writer.Write(_rows);
        writer.Write(_lossBefore);
        foreach (double score in _scores)
            writer.Write(score);
        foreach (double gain in _gains)
            writer.Write(gain);
        writer.Write(_order);
        return stream.ToArray();
    }

    public override void Load(ReadOnlySpan<byte> saved)
    {
        using var reader = new BinaryReader(new MemoryStream(saved.ToArray()), Encoding.UTF8);
        if (saved.Length != SavedBytes || reader.ReadUInt32() != Tag || reader.ReadInt32() != trialWindows
            || reader.ReadInt32() != keptTrials)
            throw SelectionErrors.StateNotLoadable(nameof(AdaptivePercentilePolicy), saved.Length);
        _best = (PercentileCurve)reader.ReadInt32();
        _trial = reader.ReadInt32();
        _windows = reader.ReadInt64();
        _rows = reader.ReadInt64();
        _lossBefore = reader.ReadDouble();
        foreach (ref double score in _scores.AsSpan())
            score = reader.ReadDouble();
        foreach (ref double gain in _gains.AsSpan())
            gain = reader.ReadDouble();
        reader.ReadBytes(Curves).CopyTo(_order, 0);
        if (!Enum.IsDefined(_best) || _trial < 0 || _order.Any(curve => curve >= Curves))
            throw SelectionErrors.StateNotLoadable(nameof(AdaptivePercentilePolicy), saved.Length);
    }

    /// <summary>Gains shrink as training goes on, and a round's trials are neighbours in time: so a gain is measured against its own
    /// round.</summary>
    private void JudgeRound()
    {
        double mean = _gains.Average();
        double deviation = Math.Sqrt(_gains.Average(gain => (gain - mean) * (gain - mean)));
        for (int curve = 0; curve < Curves; curve++)
            _scores[curve] = RoundMemory * _scores[curve] + (deviation > 0 ? (_gains[curve] - mean) / deviation : 0);
        _best = (PercentileCurve)_scores.IndexOf(_scores.Max());
    }

    private void Shuffle(ref RepeatableRandom random)
    {
        for (int i = Curves - 1; i > 0; i--)
        {
            int other = random.NextInt(i + 1);
            (_order[i], _order[other]) = (_order[other], _order[i]);
        }
    }
}
