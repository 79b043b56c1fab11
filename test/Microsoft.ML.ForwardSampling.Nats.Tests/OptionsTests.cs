using Microsoft.ML.ForwardSampling.Records;

namespace Microsoft.ML.ForwardSampling.Nats.Tests;

public class OptionsTests
{
    [Fact]
    public void Store_Defaults()
        => Assert.Equal(
            ("forward_sampling", 4, 3, 268435456L, 4096, 30.0, 5.0, 30.0),
            new NatsStoreOptions() is var o ? (o.Name, o.Partitions, o.Replicas, o.StreamBytes, o.WindowRows, o.ClaimTimeout.TotalSeconds,
                o.LeaseTimeout.TotalSeconds, o.SelectionRetention.TotalDays) : default);

    [Theory]
    [InlineData("")]
    [InlineData("a.b")]
    [InlineData("A")]
    [InlineData("*")]
    [InlineData("name of thirty-three characters..")]
    public void Name_OtherThanWordCharacters_Refused(string name)
        => Assert.Equal("NatsStoreOptions.Name must be 1 to 32 of the characters a-z, 0-9 and _. Got '" + name + "'. (Parameter 'Name')",
            Assert.Throws<ArgumentException>(() => new NatsStoreOptions { Name = name }).Message);

    [Fact]
    public void Replicas_Two_NamesWhatIsAllowed()
        => Assert.StartsWith("NatsStoreOptions.Replicas must be 1, 3 or 5.",
            Assert.Throws<ArgumentOutOfRangeException>(() => new NatsStoreOptions { Replicas = 2 }).Message);

    [Fact]
    public void Writer_OptionsThatDisagree_NameBoth()
    {
        Assert.Equal("NatsWriterOptions.MemoryRecords must be at least 2 times BatchRecords, which is 16384. Got 20000. "
            + "(Parameter 'MemoryRecords')",
            Assert.Throws<ArgumentException>(() => new NatsWriterOptions { MemoryRecords = 20000 }.Buffer()).Message);
        Assert.Equal("NatsWriterOptions.DiskBytes must be at least 2 times FileBytes, which is 16777216. Got 1048576. "
            + "(Parameter 'DiskBytes')",
            Assert.Throws<ArgumentException>(() => new NatsWriterOptions { DiskBytes = 1 << 20 }.Buffer()).Message);
    }

    [Fact]
    public void Writer_BatchBeyondAMessage_Refused()
        => Assert.Throws<ArgumentOutOfRangeException>(() => new NatsWriterOptions { BatchRecords = 16385 });

    [Fact]
    public void Writer_Defaults()
        => Assert.Equal(
            (RecordDurability.ProcessCrash, RecordOverflow.Block, 16384, 131072, 4294967296L, 16777216L, 200.0, 250.0),
            new NatsWriterOptions() is var o ? (o.Durability, o.Overflow, o.BatchRecords, o.MemoryRecords, o.DiskBytes, o.FileBytes,
                o.FlushInterval.TotalMilliseconds, o.RetryInterval.TotalMilliseconds) : default);
}
