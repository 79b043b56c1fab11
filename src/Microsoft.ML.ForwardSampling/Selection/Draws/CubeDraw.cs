using System.Numerics;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace Microsoft.ML.ForwardSampling.Selection;

/// <summary>The cube method: a draw with given chances whose weighted totals of several columns are those of the window, as nearly as whole
/// rows allow.</summary>
/// <remarks>
/// <para>Deville and Tillé, Biometrika 91(4), 2004, in the fast form of Chauvet and Tillé, Computational Statistics 21, 2006. Each row has
/// a value φ that starts at its chance and ends at 0 or 1. A step moves the φ of a few rows, at random in one of two opposite directions
/// that keep E[φ] and every column's Σ x·φ/p, until one of them arrives. With q columns, q + 1 rows always have such a direction: rows come
/// in one after the other, at most q of them stay undecided (flight). Then columns are given up one by one, the last first, and the
/// undecided rows go on with those that are left, down to the number of rows (landing).</para>
/// <para>The undecided rows are a basis, as in the simplex method: with E the inverse of their columns, the direction for an entering row
/// is E·x, and a row that arrives leaves its place to the entering one by one elimination step. So a row costs O(q²), not the O(q³) of
/// solving anew.</para>
/// </remarks>
internal ref struct CubeDraw
{
    // Classes beyond this many share columns with their neighbours: the work of a row grows with the square of the columns.
    public const int MaxGroups = 32;

    private const int Size = 0, One = 1, MaxColumns = 2 + 2 + MaxGroups - 1;

    // Relative: what elimination leaves of a column that the others already determine (equal chances: the number of rows is a multiple of
    // One).
    private const double Dependent = 1e-9;

    // Far below any φ: keeps 0/0 out of rows that do not move.
    private const double Tiny = 1e-300;

    private readonly ReadOnlySpan<float> _chances;
    private readonly ReadOnlySpan<int> _groupOf;
    private readonly Column _loss;
    private readonly Column _margin;
    private readonly int _firstGroup;
    private readonly double _sizeScale;

    // E, column by column, and per basis place (padded to whole vectors): direction, φ, chance, steps until arrival either way.
    private readonly Span<double> _inverse;
    private readonly Span<double> _direction;
    private readonly Span<double> _phi;
    private readonly Span<double> _chance;
    private readonly Span<double> _up;
    private readonly Span<double> _down;
    private readonly Span<double> _waitingPhi;
    private readonly Span<int> _rowAt;
    private readonly Span<int> _waiting;
    private readonly Span<double> _x;
    private readonly RowSet _chosen;
    private readonly ref RepeatableRandom _random;

    private int _columns;
    private int _stride;
    private ulong _free;
    private int _pivots;
    private int _chosenCount;

    private CubeDraw(
        ReadOnlySpan<float> chances,
        ReadOnlySpan<float> loss,
        ReadOnlySpan<float> margin,
        ReadOnlySpan<int> groupOf,
        int columns,
        RowSet chosen,
        Span<int> places,
        Span<double> memory,
        ref RepeatableRandom random)
    {
        _chances = chances;
        _loss = new Column(loss);
        _margin = new Column(margin);
        _sizeScale = 1 / (double)LargestBelowOne(chances);
        _chosen = chosen;
        _random = ref random;
        _groupOf = groupOf;
        _rowAt = places[..(MaxColumns + 1)];
        _waiting = places[(MaxColumns + 1)..];
        _firstGroup = FirstGroup(loss, margin);
        int stride = Stride(columns);
        _inverse = memory[..(columns * stride)];
        memory = memory[(columns * stride)..];
        _direction = memory[..stride];
        _phi = memory.Slice(stride, stride);
        _chance = memory.Slice(2 * stride, stride);
        _up = memory.Slice(3 * stride, stride);
        _down = memory.Slice(4 * stride, stride);
        _waitingPhi = memory.Slice(5 * stride, stride);
        _x = memory.Slice(6 * stride, stride);
        Empty(columns);
    }

    /// <summary>Chooses exactly rows.Length rows, row i with chance chances[i].</summary>
    /// <param name="chances">Length n, each in [0, 1], with sum b up to rounding. A row of chance 1 is always chosen, one of 0
    /// never.</param>
    /// <param name="loss">A column to balance, length n, finite; or empty.</param>
    /// <param name="margin">Another one; or empty.</param>
    /// <param name="label">Classes whose counts are balanced, length n; or empty. The number of rows and the total of 1 always are.</param>
    /// <param name="order">Length n, a permutation of the rows: the order in which they come in. Neighbours compete, and the last ones are
    /// the likeliest to be left to the landing: rows that weigh much should come first.</param>
    /// <param name="random">One number a step; every step decides at least one row.</param>
    /// <param name="rows">Out, length b: ascending.</param>
    /// <param name="scratch">Gives the memory.</param>
    public static void Choose(
        ReadOnlySpan<float> chances,
        ReadOnlySpan<float> loss,
        ReadOnlySpan<float> margin,
        ReadOnlySpan<int> label,
        ReadOnlySpan<int> order,
        ref RepeatableRandom random,
        Span<int> rows,
        SelectionScratch scratch)
    {
        using RentedSpan<ulong> chosenWords = RowSet.Rent(chances.Length, scratch);
        var chosen = new RowSet(chosenWords);
        using RentedSpan<int> groupOf = scratch.Rent<int>(label.Length), places = scratch.Rent<int>(2 * (MaxColumns + 1));
        int groups = label.IsEmpty ? 1 : FillGroups(label, groupOf);
        int columns = FirstGroup(loss, margin) + groups - 1; // the last group is what One and the others leave
        using RentedSpan<double> memory = scratch.Rent<double>((columns + 7) * Stride(columns));
        var draw = new CubeDraw(chances, loss, margin, groupOf, columns, chosen, places, memory, ref random);
        draw.Fly(order);
        draw.Land();
        if (draw.Touchdown(rows.Length))
            chosen.CopyTo(rows);
        else
            // chances so far apart (10⁹) that rounding lost the number of rows
            SystematicDraw.Choose(chances, order, random.NextDouble(), rows, scratch);
    }

    /// <summary>Column of the first group: behind size, one, and the statistics that are given.</summary>
    private static int FirstGroup(ReadOnlySpan<float> loss, ReadOnlySpan<float> margin) => 2 + (loss.IsEmpty ? 0 : 1)
        + (margin.IsEmpty ? 0 : 1);

    /// <summary>Whole vectors.</summary>
    private static int Stride(int columns) => (columns + 3) & ~3;

    private void Fly(ReadOnlySpan<int> order)
    {
        int refresh = Math.Max(64, 8 * _columns);
        foreach (int row in order)
        {
            float chance = _chances[row];
            if (chance >= 1)
                Decide(row, true);
            else if (chance > 0)
                Enter(row, chance);
            if (_pivots >= refresh)
                Reenter(_columns); // a fresh E: rounding cannot build up
        }
    }

    private void Land()
    {
        while (true)
        {
            int columns = Math.Min(_columns, BitOperations.PopCount(Occupied)) - 1;
            if (columns < 2)
                return;
            Reenter(columns);
        }
    }

    /// <summary>The rows still undecided, two at a time by their sum alone (the pivotal method); false when the number of rows does not
    /// come out.</summary>
    private bool Touchdown(int budget)
    {
        int last = -1;
        double phi = 0;
        for (ulong places = Occupied; places != 0; places &= places - 1)
        {
            int place = BitOperations.TrailingZeroCount(places);
            int row = _rowAt[place];
            double sum = phi + _phi[place];
            if (last < 0)
            {
                last = row;
            }
            else if (sum < 1)
            {
                if (_random.NextDouble() * sum < _phi[place])
                    last = row; // it takes all, the other one is out
            }
            else
            {
                sum -= 1;
                bool first = _random.NextDouble() * (1 - sum) < 1 - _phi[place];
                Decide(first ? last : row, true);
                if (first)
                    last = row;
            }

            phi = sum;
        }

        if (last >= 0 && _chosenCount == budget - 1 && phi > 0.5)
            Decide(last, true);
        return _chosenCount == budget;
    }

    /// <summary>Starts over with the undecided rows and the first columns of the list.</summary>
    private void Reenter(int columns)
    {
        int waiting = 0;
        for (ulong places = Occupied; places != 0; places &= places - 1)
        {
            int place = BitOperations.TrailingZeroCount(places);
            _waiting[waiting] = _rowAt[place];
            _waitingPhi[waiting++] = _phi[place];
        }

        Empty(columns);
        for (int i = 0; i < waiting; i++)
            Enter(_waiting[i], _waitingPhi[i]);
    }

    private readonly ulong Occupied => ~_free & ((1UL << _columns) - 1);

    private void Empty(int columns)
    {
        _columns = columns;
        _stride = Stride(columns);
        _pivots = 0;
        _free = (1UL << columns) - 1;
        Span<double> inverse = _inverse[..(columns * _stride)];
        inverse.Clear();
        for (int i = 0; i < columns; i++)
            inverse[i * _stride + i] = 1;
        // A free place, and padding, never moves: chance 0.
        _phi.Fill(0.5);
        _chance.Clear();
    }

    private void Enter(int row, double phi)
    {
        double chance = _chances[row];
        int group = Fill(row, chance);
        SetDirection(group);
        if (_free != 0)
        {
            int place = IndependentPlace(group);
            if (place >= 0)
            {
                Take(place, row, phi, chance);
                return;
            }
        }

        // The row and the basis have a direction: +chance for the row, −chance·direction for the others.
        (double up, double down) = StepsToArrival();
        up = Math.Min(up, (1 - phi) / chance);
        down = Math.Min(down, phi / chance);
        bool isUp = _random.NextDouble() * (up + down) < down;
        double step = isUp ? up : down;
        double reach = step * (1 + 1e-12); // rows that arrive together do so in one step
        Move(isUp ? step : -step, isUp ? _up : _down, reach);

        if ((isUp ? (1 - phi) / chance : phi / chance) <= reach)
            Decide(row, isUp);
        else
            Take(LargestFreePlace(), row, isUp ? phi + step * chance : phi - step * chance, chance);
    }

    /// <summary>The row's columns, in v = u/chance: entries x instead of x/chance, so that small chances do not make large numbers. Returns
    /// its group's column or −1.</summary>
    private readonly int Fill(int row, double chance)
    {
        int column = One;
        _x[Size] = chance * _sizeScale;
        _x[One] = 1;
        if (_loss.IsGiven)
            _x[++column] = _loss[row];
        if (_margin.IsGiven)
            _x[++column] = _margin[row];
        int group = _groupOf.IsEmpty ? int.MaxValue : _firstGroup + _groupOf[row];
        return group < _columns ? group : -1;
    }

    private readonly int Dense => Math.Min(_firstGroup, _columns);

    /// <summary>direction = E·x.</summary>
    private readonly void SetDirection(int group)
    {
        ref double inverse = ref MemoryMarshal.GetReference(_inverse);
        ref double direction = ref MemoryMarshal.GetReference(_direction);
        int dense = Dense;
        for (int k = 0; k < _stride; k += 4)
        {
            Vector256<double> sum = Vector256.LoadUnsafe(ref inverse, (nuint)k) * _x[Size]
                + Vector256.LoadUnsafe(ref inverse, (nuint)(_stride + k));
            for (int column = 2; column < dense; column++)
                sum += Vector256.LoadUnsafe(ref inverse, (nuint)(column * _stride + k)) * _x[column];
            if (group >= 0)
                sum += Vector256.LoadUnsafe(ref inverse, (nuint)(group * _stride + k));
            sum.StoreUnsafe(ref direction, (nuint)k);
        }
    }

    /// <summary>The free place in which the row adds a column's worth to the basis, or −1 when the basis already spans it.</summary>
    private readonly int IndependentPlace(int group)
    {
        int best = -1;
        double largest = 0;
        for (ulong places = _free; places != 0; places &= places - 1)
        {
            int place = BitOperations.TrailingZeroCount(places);
            double size = Math.Abs(_direction[place]);
            if (size <= largest)
                continue;
            double terms = group < 0 ? 0 : Math.Abs(_inverse[group * _stride + place]);
            for (int column = 0; column < Dense; column++)
                terms += Math.Abs(_inverse[column * _stride + place] * _x[column]);
            if (size > Dependent * terms)
            {
                best = place;
                largest = size;
            }
        }

        return best;
    }

    private readonly int LargestFreePlace()
    {
        int best = BitOperations.TrailingZeroCount(_free);
        for (ulong places = _free; places != 0; places &= places - 1)
        {
            int place = BitOperations.TrailingZeroCount(places);
            if (Math.Abs(_direction[place]) > Math.Abs(_direction[best]))
                best = place;
        }

        return best;
    }

    /// <summary>How far the basis can go in the direction and against it until its first row arrives at 0 or 1; noted for each
    /// place.</summary>
    private readonly (double Up, double Down) StepsToArrival()
    {
        ref double direction = ref MemoryMarshal.GetReference(_direction);
        ref double phi = ref MemoryMarshal.GetReference(_phi);
        ref double chance = ref MemoryMarshal.GetReference(_chance);
        ref double up = ref MemoryMarshal.GetReference(_up);
        ref double down = ref MemoryMarshal.GetReference(_down);
        Vector256<double> tiny = Vector256.Create(Tiny), one = Vector256<double>.One;
        Vector256<double> leastUp = Vector256.Create(double.PositiveInfinity), leastDown = leastUp;
        for (int k = 0; k < _stride; k += 4)
        {
            Vector256<double> here = Vector256.LoadUnsafe(ref phi, (nuint)k);
            Vector256<double> falls = Vector256.LoadUnsafe(ref chance, (nuint)k) * Vector256.LoadUnsafe(ref direction, (nuint)k);
            Vector256<double> speed = Vector256.Abs(falls), isFalling = Vector256.GreaterThan(falls, Vector256<double>.Zero);
            Vector256<double> toOne = Larger(one - here, tiny) / speed, toZero = Larger(here, tiny) / speed;
            Vector256<double> upHere = Vector256.ConditionalSelect(isFalling, toZero, toOne),
                downHere = Vector256.ConditionalSelect(isFalling, toOne, toZero);
            upHere.StoreUnsafe(ref up, (nuint)k);
            downHere.StoreUnsafe(ref down, (nuint)k);
            leastUp = Smaller(leastUp, upHere);
            leastDown = Smaller(leastDown, downHere);
        }

        return (Least(leastUp), Least(leastDown));

        static Vector256<double> Larger(Vector256<double> a, Vector256<double> b) =>
            Vector256.ConditionalSelect(Vector256.GreaterThan(a, b), a, b);
        static Vector256<double> Smaller(Vector256<double> a, Vector256<double> b) =>
            Vector256.ConditionalSelect(Vector256.LessThan(a, b), a, b);
        static double Least(Vector256<double> v) => Math.Min(Math.Min(v.GetElement(0), v.GetElement(1)),
            Math.Min(v.GetElement(2), v.GetElement(3)));
    }

    /// <summary>Moves the basis; rows that arrive are decided and leave.</summary>
    private void Move(double step, ReadOnlySpan<double> arrivals, double reach)
    {
        ref double direction = ref MemoryMarshal.GetReference(_direction);
        ref double phi = ref MemoryMarshal.GetReference(_phi);
        ref double chance = ref MemoryMarshal.GetReference(_chance);
        ref double arrival = ref MemoryMarshal.GetReference(arrivals);
        ulong arrived = 0;
        for (int k = 0; k < _stride; k += 4)
        {
            Vector256<double> falls = Vector256.LoadUnsafe(ref chance, (nuint)k) * Vector256.LoadUnsafe(ref direction, (nuint)k);
            (Vector256.LoadUnsafe(ref phi, (nuint)k) - falls * step).StoreUnsafe(ref phi, (nuint)k);
            Vector256<double> isThere = Vector256.LessThanOrEqual(Vector256.LoadUnsafe(ref arrival, (nuint)k), Vector256.Create(reach));
            arrived |= (ulong)isThere.ExtractMostSignificantBits() << k;
        }

        _free |= arrived;
        for (; arrived != 0; arrived &= arrived - 1)
        {
            int place = BitOperations.TrailingZeroCount(arrived);
            Decide(_rowAt[place], step > 0 != _direction[place] > 0);
            _phi[place] = 0.5;
            _chance[place] = 0;
        }
    }

    /// <summary>Puts a row into a free place: one step of Gauss and Jordan on E.</summary>
    private void Take(int place, int row, double phi, double chance)
    {
        ref double inverse = ref MemoryMarshal.GetReference(_inverse);
        ref double direction = ref MemoryMarshal.GetReference(_direction);
        double pivot = 1 / _direction[place];
        for (int column = 0, start = 0; column < _columns; column++, start += _stride)
        {
            double entry = _inverse[start + place] * pivot;
            if (entry == 0)
                continue; // most classes, most of the time
            Vector256<double> entries = Vector256.Create(entry);
            for (int k = 0; k < _stride; k += 4)
            {
                Vector256<double> reduced = Vector256.LoadUnsafe(ref inverse, (nuint)(start + k)) - Vector256.LoadUnsafe(ref direction,
                    (nuint)k) * entries;
                reduced.StoreUnsafe(ref inverse, (nuint)(start + k));
            }

            _inverse[start + place] = entry;
        }

        _rowAt[place] = row;
        _phi[place] = phi;
        _chance[place] = chance;
        _free &= ~(1UL << place);
        _pivots++;
    }

    private void Decide(int row, bool isChosen)
    {
        if (isChosen)
        {
            _chosen.Add(row);
            _chosenCount++;
        }
    }

    /// <summary>Numbers the classes from 0; where their range is wider than the columns there are, equal parts of it share a number.
    /// Returns how many numbers there are.</summary>
    private static int FillGroups(ReadOnlySpan<int> label, Span<int> groupOf)
    {
        int min = label[0], max = label[0];
        foreach (int value in label)
        {
            min = Math.Min(min, value);
            max = Math.Max(max, value);
        }

        long span = (long)max - min + 1;
        int groups = (int)Math.Min(span, MaxGroups);
        if (groups == span)
        {
            for (int row = 0; row < label.Length; row++)
                groupOf[row] = label[row] - min;
        }
        else
        {
            for (int row = 0; row < label.Length; row++)
                groupOf[row] = (int)(((long)label[row] - min) * groups / span);
        }

        return groups;
    }

    private static float LargestBelowOne(ReadOnlySpan<float> chances)
    {
        float largest = float.Epsilon;
        foreach (float chance in chances)
            largest = chance < 1 && chance > largest ? chance : largest;
        return largest;
    }

    /// <summary>A statistic minus its mean, over its largest distance from it: within [−1, 1], so that columns weigh alike in the
    /// elimination.</summary>
    private readonly ref struct Column
    {
        private readonly ReadOnlySpan<float> _values;
        private readonly double _mean;
        private readonly double _scale;

        public Column(ReadOnlySpan<float> values)
        {
            _values = values;
            if (values.IsEmpty)
                return;
            _mean = WindowSums.Sum(values) / values.Length;
            double largest = 0;
            foreach (float value in values)
                largest = Math.Max(largest, Math.Abs(value - _mean));
            _scale = largest > 0 ? 1 / largest : 0;
        }

        public bool IsGiven => !_values.IsEmpty;

        public double this[int row] => (_values[row] - _mean) * _scale;
    }
}
