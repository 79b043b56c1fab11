namespace Microsoft.ML.ForwardSampling.PostgreSql.Tests;

public class OptionsTests
{
    [Theory]
    [InlineData("")]
    [InlineData("Records")]
    [InlineData("1st")]
    [InlineData("a\"; DROP SCHEMA public; --")]
    [InlineData("a.b")]
    [InlineData("a\n")]
    [InlineData("abcdefghijklmnopqrstuvwxyz_abcdefghijklmnopqrstuvwxyz_0123456789")]
    public void Schema_NoPlainName_IsRefusedWithTheValue(string name)
    {
        var error = Assert.Throws<ArgumentException>(() => new PostgreSqlStoreOptions { Schema = name });
        Assert.Equal($"PostgreSqlStoreOptions.Schema must be 1 to 63 of the characters a-z, 0-9 and _, not beginning with a digit. Got "
            + $"'{name}'. (Parameter 'Schema')", error.Message);
    }

    [Fact]
    public void Times_OutOfRange_NameRangeAndValue()
    {
        var error = Assert.Throws<ArgumentOutOfRangeException>(
            () => new PostgreSqlStoreOptions { PartitionInterval = TimeSpan.FromDays(400) });
        Assert.Equal("PostgreSqlStoreOptions.PartitionInterval must be in [00:00:01, 366.00:00:00]. (Parameter "
            + "'PartitionInterval')\nActual value was 400.00:00:00.", error.Message.ReplaceLineEndings("\n"));
        Assert.Throws<ArgumentOutOfRangeException>(
            () => new PostgreSqlStoreOptions { PartitionInterval = TimeSpan.FromMilliseconds(1500) });
        Assert.Throws<ArgumentOutOfRangeException>(() => new PostgreSqlStoreOptions { ClaimTimeout = TimeSpan.Zero });
        Assert.Throws<ArgumentOutOfRangeException>(() => new PostgreSqlWriterOptions { FlushInterval = TimeSpan.Zero });
        Assert.Throws<ArgumentOutOfRangeException>(() => new PostgreSqlWriterOptions { BatchRecords = 0 });
    }

    [Theory]
    [InlineData(0)]
    [InlineData(3)]
    [InlineData(128)]
    [InlineData(int.MinValue)]
    public void JoinPartitions_NoPowerOfTwoUpTo64_IsRefusedWithTheValue(int partitions)
    {
        var error = Assert.Throws<ArgumentOutOfRangeException>(() => new PostgreSqlStoreOptions { JoinPartitions = partitions });
        Assert.Equal("PostgreSqlStoreOptions.JoinPartitions must be 1, 2, 4, 8, 16, 32 or 64. (Parameter 'JoinPartitions')\nActual value "
            + $"was {partitions}.", error.Message.ReplaceLineEndings("\n"));
    }

    [Fact]
    public void WriterOptions_ThatDisagree_NameBoth()
    {
        var error = Assert.Throws<ArgumentException>(
            () => new PostgreSqlWriterOptions { BatchRecords = 100, MemoryRecords = 199 }.Buffer());
        Assert.Equal("PostgreSqlWriterOptions.MemoryRecords must be at least 2 times BatchRecords, which is 100. Got 199. (Parameter "
            + "'MemoryRecords')", error.Message);
        Assert.Throws<ArgumentException>(() => new PostgreSqlWriterOptions { RetryInterval = TimeSpan.FromMinutes(1) }.Buffer());
        Assert.Equal(3, new PostgreSqlWriterOptions().Buffer().AttemptsAtClosing);
    }
}
