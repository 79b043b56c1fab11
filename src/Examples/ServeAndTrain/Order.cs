using Microsoft.ML.Data;

namespace Microsoft.ML.ForwardSampling.Examples.ServeAndTrain;

/// <summary>An order in a shop, and whether its customer will be content.</summary>
internal sealed class Order
{
    /// <summary>Number of the order, which is also the key of its record.</summary>
    public ulong Key { get; set; }

    /// <summary>Six numbers in [-1, 1); the last four do not matter.</summary>
    [VectorType(Orders.Features)]
    public float[] Features { get; set; } = [];

    /// <summary>Whether the customer says that it was good; nobody knows while the order is served.</summary>
    public bool Label { get; set; }

    /// <summary>The order with the label that came for it.</summary>
    public Order With(bool label) => new() { Key = Key, Features = Features, Label = label };
}

/// <summary>A made-up shop with ever more orders: what pleases changes as time goes on, so a model has to learn on.</summary>
/// <remarks>Everything about an order follows from its number and the seed. So each process finds the same order under a number, as it
/// would in the shop's own database.</remarks>
internal static class Orders
{
    public const int Features = 6;

    private const double OrdersInACircle = 200_000;
    private const double RandomAnswers = 0.02;
    private const double NeverAnswered = 0.02;
    private const double AnsweredTooLate = 0.01;

    /// <summary>The order with a number.</summary>
    public static Order Of(ulong number, int seed)
    {
        ulong random = Start(number, seed, 0);
        float[] x = new float[Features];
        for (int i = 0; i < Features; i++)
            x[i] = (float)(2 * Next(ref random) - 1);
        bool content = x[1] > 0.8 * Math.Sin(3 * x[0] + (2 * Math.PI * number / OrdersInACircle));
        bool answer = Next(ref random) < RandomAnswers ? Next(ref random) < 0.5 : content;
        return new Order { Key = number, Features = x, Label = answer };
    }

    /// <summary>How long after the order its customer answers; null for one who never does. Most answer within a fifth of the wait, some
    /// after it is over, and nobody in the order of the orders.</summary>
    public static TimeSpan? AnswerAfter(ulong number, int seed, TimeSpan wait)
    {
        ulong random = Start(number, seed, 1);
        double kind = Next(ref random);
        if (kind < NeverAnswered)
            return null;
        if (kind < NeverAnswered + AnsweredTooLate)
            return wait * (1.2 + (0.8 * Next(ref random)));
        return wait * Math.Min(0.5, -0.1 * Math.Log(1 - Next(ref random)));
    }

    // SplitMix64: Steele, Lea, Flood, OOPSLA 2014.
    private static double Next(ref ulong state)
    {
        ulong z = state += 0x9E3779B97F4A7C15;
        z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9;
        z = (z ^ (z >> 27)) * 0x94D049BB133111EB;
        return ((z ^ (z >> 31)) >> 11) * (1.0 / (1UL << 53));
    }

    /// <summary>A stream of random numbers of its own for each order, seed and purpose.</summary>
    private static ulong Start(ulong number, int seed, ulong purpose)
    {
        ulong state = ((ulong)(uint)seed << 1) | purpose;
        return (ulong)(Next(ref state) * (1UL << 53)) * 0xD1342543DE82EF95 + (number << 20);
    }
}
