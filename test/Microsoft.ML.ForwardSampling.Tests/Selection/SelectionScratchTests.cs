using Microsoft.ML.ForwardSampling.Selection;

namespace Microsoft.ML.ForwardSampling.Tests.Selection;

public sealed class SelectionScratchTests
{
    [Fact]
    public void Rent_WhateverIsRentedAtOnce_IsNobodyElses()
    {
        var scratch = new SelectionScratch();
        for (int round = 0; round < 3; round++)
        {
            for (int n = 0; n < 300; n += 7)
                Nest(scratch, n, depth: 6);
            using RentedSpan<double> one = scratch.Rent<double>(5000);
            one.Span.Fill(1);
        }

        static void Nest(SelectionScratch scratch, int n, int depth)
        {
            using RentedSpan<int> ints = scratch.Rent<int>(n);
            using RentedSpan<byte> bytes = scratch.Rent<byte>(n);
            Assert.Equal((n, n), (ints.Span.Length, bytes.Span.Length));
            ints.Span.Fill(depth);
            bytes.Span.Fill((byte)depth);
            if (depth > 0)
                Nest(scratch, n + 100, depth - 1);
            using RentedSpan<double> later = scratch.Rent<double>(n);
            later.Span.Fill(-1);
            Assert.Equal(-1, ints.Span.IndexOfAnyExcept(depth));
            Assert.Equal(-1, bytes.Span.IndexOfAnyExcept((byte)depth));
        }
    }

    [Fact]
    public void Rent_AfterTheFirstTime_AllocatesNothing()
    {
        var scratch = new SelectionScratch();
        Run(20);

        Assert.Equal(0, Enumerable.Range(0, 3).Min(_ => Run(20)));

        long Run(int times)
        {
            long before = GC.GetAllocatedBytesForCurrentThread();
            for (int i = 0; i < times; i++)
            {
                using RentedSpan<float> floats = scratch.Rent<float>(1000 - i);
                using (RentedSpan<ulong> words = scratch.Rent<ulong>(3000))
                    words.Span[0] = 1;
                using RentedSpan<int> ints = scratch.Rent<int>(2000);
                ints.Span[^1] = 1;
            }

            return GC.GetAllocatedBytesForCurrentThread() - before;
        }
    }

    [Fact]
    public void Dispose_OutOfOrderOrTwice_IsRefused()
    {
        var scratch = new SelectionScratch();
        string outOfOrder = Assert.Throws<InvalidOperationException>(() =>
        {
            RentedSpan<int> first = scratch.Rent<int>(3);
            using RentedSpan<int> second = scratch.Rent<int>(3);
            first.Dispose();
        }).Message;
        Assert.Equal(
            "Rented memory number 1 is released while number 2 is the last that is rented. Memory of a SelectionScratch is released "
                + "once, and in the opposite order of renting: rent it in a using declaration.",
            outOfOrder);

        var other = new SelectionScratch();
        Assert.Throws<InvalidOperationException>(() =>
        {
            RentedSpan<int> one = other.Rent<int>(3);
            one.Dispose();
            one.Dispose();
        });
        Assert.Throws<ArgumentOutOfRangeException>(() => other.Rent<int>(-1).Dispose());
        default(RentedSpan<int>).Dispose();
    }

    [Fact]
    public void Select_AroundAnotherPolicy_KeepsItsOwnMemory()
    {
        var selector = new RowSelector(
            new OutsideWrapperPolicy(new OutsideWrapperPolicy(new GroupBudgetPolicy { Inner = new CubePolicy() })), 3);
        WindowData data = WindowData.Classes(500, 1);
        data.Loss[3] = float.NaN;

        Choice choice = Choice.Of(selector, data, 50);
        Assert.Equal(Choice.Of(new RowSelector(new GroupBudgetPolicy { Inner = new CubePolicy() }, 3), data, 50), choice);
    }

    [Fact]
    public void Select_APolicyThatKeepsMemory_IsNamed()
        => Assert.Equal(
            "Policy Keeping returned with 2 spans of SelectionWindow.Scratch still rented: rent them in using declarations.",
            Assert.Throws<InvalidOperationException>(() => Choice.Of(new RowSelector(new KeepingPolicy(), 1), WindowData.Classes(9, 1), 2))
                .Message);

    /// <summary>What somebody else may write: it holds memory while the inner policy runs.</summary>
    private sealed record OutsideWrapperPolicy(IRowSelectionPolicy Inner) : IRowSelectionPolicy
    {
        public string Name => "OutsideWrapper";

        public RecordStatistics Needs => Inner.Needs;

        public bool IsUnbiased => Inner.IsUnbiased;

        public void Select(in SelectionWindow window, ref RepeatableRandom random, Span<int> rows, Span<float> weights)
        {
            using RentedSpan<float> loss = window.Scratch.Rent<float>(window.Count);
            using RentedSpan<int> order = window.OrderByLoss();
            window.Loss.CopyTo(loss);
            int[] before = order.Span.ToArray();
            Inner.Select(in window, ref random, rows, weights);
            Assert.True(window.Loss.SequenceEqual(loss));
            Assert.Equal(before, order.Span.ToArray());
        }
    }

    private sealed class KeepingPolicy : IRowSelectionPolicy
    {
        public string Name => "Keeping";

        public RecordStatistics Needs => RecordStatistics.Loss;

        public bool IsUnbiased => false;

        public void Select(in SelectionWindow window, ref RepeatableRandom random, Span<int> rows, Span<float> weights)
        {
            window.OrderByLoss();
            _ = window.Scratch.Rent<int>(3);
            (rows[0], rows[1]) = (0, 1);
            weights.Fill(1);
        }
    }
}
