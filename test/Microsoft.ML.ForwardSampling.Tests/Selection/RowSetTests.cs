using Microsoft.ML.ForwardSampling.Selection;

namespace Microsoft.ML.ForwardSampling.Tests.Selection;

public sealed class RowSetTests
{
    [Fact]
    public void CopyTo_RowsAddedInAnyOrder_Ascend()
    {
        var scratch = new SelectionScratch();
        for (int n = 1; n <= 130; n++)
        {
            using RentedSpan<ulong> words = RowSet.Rent(n, scratch);
            var set = new RowSet(words);
            int[] every = [.. Enumerable.Range(0, n).Where(row => row % 3 != 1)];
            foreach (int row in every.Reverse())
                set.Add(row);
            set.Add(every[0]);
            var rows = new int[every.Length];
            set.CopyTo(rows);

            Assert.Equal(every, rows);
            Assert.Equal(every.Length, set.Count());
            Assert.True(set.Contains(0));
            Assert.False(n > 1 && set.Contains(1));
        }
    }
}
