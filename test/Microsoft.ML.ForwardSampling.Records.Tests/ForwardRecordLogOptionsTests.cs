
namespace Microsoft.ML.ForwardSampling.Records.Tests;

public class ForwardRecordLogOptionsTests
{
    [Fact]
    public void Defaults_ArePinned()
    {
        var options = new ForwardRecordLogOptions();
        Assert.Equal(
            (RecordDurability.ProcessCrash, RecordOverflow.Block, 65536, 8388608, TimeSpan.FromMilliseconds(100), TimeSpan.FromSeconds(1),
                268435456L, TimeSpan.FromHours(1), (long?)null, (TimeSpan?)null, (int?)null, TimeProvider.System),
            (options.Durability, options.Overflow, options.BlockBytes, options.MemoryBytes, options.FlushInterval, options.RetryInterval,
                options.SegmentBytes, options.SegmentAge, options.RetentionBytes, options.RetentionAge, options.Seed,
                options.TimeProvider));
        Assert.Empty(options.KeepUnread);
        options.Validate();
    }

    [Fact]
    public void Options_OutOfRange_NameRangeAndValue()
    {
        Says("ForwardRecordLogOptions.BlockBytes must be in [1024, 524288].", () => new() { BlockBytes = 1023 });
        Says("ForwardRecordLogOptions.BlockBytes must be a multiple of 32.", () => new() { BlockBytes = 1040 });
        Says("ForwardRecordLogOptions.MemoryBytes must be in [4096, 1073741824].", () => new() { MemoryBytes = 4095 });
        Says("ForwardRecordLogOptions.FlushInterval must be in [00:00:00.0010000, 01:00:00].",
            () => new() { FlushInterval = TimeSpan.Zero });
        Says("ForwardRecordLogOptions.RetryInterval must be in [00:00:00.0010000, 01:00:00].",
            () => new() { RetryInterval = TimeSpan.FromHours(2) });
        Says("ForwardRecordLogOptions.SegmentBytes must be in [4096, 1099511627776].", () => new() { SegmentBytes = 4095 });
        Says("ForwardRecordLogOptions.SegmentAge must be in [00:00:01, 366.00:00:00].",
            () => new() { SegmentAge = TimeSpan.FromMilliseconds(999) });
        Says("ForwardRecordLogOptions.RetentionBytes must be at least 4096.", () => new() { RetentionBytes = 4095 });
        Says("ForwardRecordLogOptions.RetentionAge must be in [00:00:01, 36600.00:00:00].", () => new() { RetentionAge = TimeSpan.Zero });
        Says("ForwardRecordLogOptions.Durability must be one of ProcessCrash, PowerLoss.",
            () => new() { Durability = (RecordDurability)2 });
        Says("ForwardRecordLogOptions.Overflow must be one of Block, DropAndRecord.", () => new() { Overflow = (RecordOverflow)2 });
        Assert.Throws<ArgumentNullException>(() => new ForwardRecordLogOptions { TimeProvider = null! });
    }

    [Fact]
    public void Validate_OptionsDisagree_NamesBoth()
    {
        Disagree("ForwardRecordLogOptions.MemoryBytes must be at least 4 times BlockBytes, which is 65536. Got 65536. (Parameter "
            + "'MemoryBytes')", new() { MemoryBytes = 65536 });
        Disagree("ForwardRecordLogOptions.SegmentBytes must be at least 2 times BlockBytes, which is 65536. Got 65536. (Parameter "
            + "'SegmentBytes')", new() { SegmentBytes = 65536 });
        Disagree("ForwardRecordLogOptions.RetentionBytes must be at least SegmentBytes, which is 268435456. Got 4096. (Parameter "
            + "'RetentionBytes')", new() { RetentionBytes = 4096 });
    }

    private static void Says(string message, Func<ForwardRecordLogOptions> make) =>
        Assert.StartsWith(message, Assert.Throws<ArgumentOutOfRangeException>(make).Message, StringComparison.Ordinal);

    private static void Disagree(string message, ForwardRecordLogOptions options) =>
        Assert.Equal(message, Assert.Throws<ArgumentException>(options.Validate).Message);
}
