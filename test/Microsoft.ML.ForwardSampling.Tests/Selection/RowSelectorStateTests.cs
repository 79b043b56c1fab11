using FsCheck;
using FsCheck.Fluent;
using Microsoft.ML.ForwardSampling.Selection;

namespace Microsoft.ML.ForwardSampling.Tests.Selection;

public sealed class RowSelectorStateTests
{
    private static readonly RowSelectorState s_state = new()
    {
        PolicyName = "Réservoir",
        Random = new RepeatableRandomState(1, 2, 3, ulong.MaxValue),
        Report = new SelectionReport
        {
            Windows = 4,
            RowsSeen = 5,
            RowsSelected = 6,
            RepairedRows = 7,
            SumOfWeights = 8.5,
            LargestWeight = 9.25f,
            ExcludedRows = 10,
            DiscountedRows = 11,
            CappedRows = 12,
            CappedWeight = 13.5
        },
        PolicyState = new byte[] { 10, 11, 12 },
    };

    [Fact]
    public void Save_AnyState_ComesBackEqual()
    {
        Gen<RowSelectorState> states =
            from name in ArbMap.Default.GeneratorFor<NonNull<string>>()
            from words in ArbMap.Default.GeneratorFor<ulong>().ArrayOf(4)
            from counts in ArbMap.Default.GeneratorFor<long>().ArrayOf(7)
            from sum in ArbMap.Default.GeneratorFor<double>()
            from largest in ArbMap.Default.GeneratorFor<float>()
            from policy in ArbMap.Default.GeneratorFor<byte[]>()
            select new RowSelectorState
            {
                PolicyName = name.Get,
                Random = new RepeatableRandomState(words[0], words[1], words[2], words[3]),
                Report = new SelectionReport
                {
                    Windows = counts[0],
                    RowsSeen = counts[1],
                    RowsSelected = counts[2],
                    RepairedRows = counts[3],
                    SumOfWeights = sum,
                    LargestWeight = largest,
                    ExcludedRows = counts[4],
                    DiscountedRows = counts[5],
                    CappedRows = counts[6],
                    CappedWeight = sum / 3
                },
                PolicyState = policy,
            };
        Properties.Hold(states, state => Assert.Equal(state, SavedStates.Load(state.Saved())));
    }

    [Fact]
    public void Save_IsAFormatForEver()
        => Assert.Equal(
            "46776452017E000000" // FwdR, version 1, 126 bytes
            + "0A52C3A9736572766F6972" // Réservoir
            + "0100000000000000" + "0200000000000000" + "0300000000000000" + "FFFFFFFFFFFFFFFF"
            + "0400000000000000" + "0500000000000000" + "0600000000000000" + "0700000000000000" + "0000000000002140" + "00001441"
            + "0A00000000000000" + "0B00000000000000" + "0C00000000000000" + "0000000000002B40"
            + "030000000A0B0C" + Convert.ToHexString(s_state.Saved()[^4..]),
            Convert.ToHexString(s_state.Saved()));

    [Fact]
    public void Load_CutOffAnywhere_IsRefused()
    {
        byte[] bytes = s_state.Saved();
        for (int length = 0; length < bytes.Length; length++)
            Assert.Throws<InvalidDataException>(() => SavedStates.Load(bytes[..length]));
        Assert.Equal(
            $"The saved selector state has {bytes.Length - 2} bytes instead of {bytes.Length}: it was cut off.",
            Assert.Throws<InvalidDataException>(() => SavedStates.Load(bytes[..^2])).Message);
    }

    [Fact]
    public void Load_AnyBitFlipped_IsRefused()
    {
        byte[] bytes = s_state.Saved();
        for (int bit = 0; bit < 8 * bytes.Length; bit++)
        {
            byte[] damaged = [.. bytes];
            damaged[bit / 8] ^= (byte)(1 << bit % 8);
            Assert.Throws<InvalidDataException>(() => SavedStates.Load(damaged));
        }
    }

    [Fact]
    public void Load_CraftedWithARightChecksum_IsRefusedOrIsAStateThatRuns_Meets_Specification()
    {
        // What a checksum cannot tell: parts of other lengths, counts that are negative, a policy's own bytes changed.
        IRowSelectionPolicy[] policies = [new SelectiveBackpropPolicy { History = 16 }, new AdaptivePercentilePolicy(),
            new AssistedPolicy(), new WeightCapPolicy()];
        WindowData data = WindowData.Classes(40, 1);
        byte[][] saved =
        [
            .. policies.Select(policy =>
            {
                var selector = new RowSelector(policy, 1);
                selector.ReportValidation(1);
                Choice.Of(selector, data, 8);
                return selector.State.Saved();
            }),
        ];
        Gen<(int Policy, byte[] Bytes)> inputs =
            from policy in Gen.Choose(0, policies.Length - 1)
            let content = saved[policy][9..^4]
            from changes in (from place in Gen.Choose(0, content.Length - 1) from value in Gen.Choose(0, 255) select (place, value))
                .ListOf()
            from cut in Gen.Frequency((3, Gen.Constant(0)), (1, Gen.Choose(1, content.Length)))
            select (policy, Crafted(content, changes, cut));

        int refused = 0, loaded = 0;
        Properties.Hold(
            inputs,
            input =>
            {
                try
                {
                    RowSelectorState state = SavedStates.Load(input.Bytes);
                    Choice.Of(new RowSelector(policies[input.Policy], state with { PolicyName = policies[input.Policy].Name }), data, 8);
                    loaded++;
                }
                catch (InvalidDataException)
                {
                    refused++;
                }
            },
            tests: 1000);
        Assert.True(refused > 100 && loaded > 100, $"{refused} refused, {loaded} loaded");

        static byte[] Crafted(byte[] content, IEnumerable<(int Place, int Value)> changes, int cut)
        {
            byte[] changed = [.. content];
            foreach ((int place, int value) in changes)
                changed[place] = (byte)value;
            return WithChecksum(changed[..^cut]);
        }
    }

    [Fact]
    public void Load_PartsLongerThanTheState_SaysSo()
    {
        byte[] content = s_state.Saved()[9..^4];
        content[^7] = 4; // of the policy's three bytes
        Assert.Equal(
            "The saved selector state is damaged: its checksum is right, but its parts are longer or shorter than it is. It was not "
                + "written by this library.",
            Assert.Throws<InvalidDataException>(() => SavedStates.Load(WithChecksum(content))).Message);
        Assert.Throws<InvalidDataException>(() => SavedStates.Load(WithChecksum(content[..4])));
        Assert.Throws<InvalidDataException>(() => SavedStates.Load(WithChecksum([255, 255, 255, 255, 15]))); // a name of -1 bytes
        Assert.Throws<InvalidDataException>(() => SavedStates.Load([.. "FwdR"u8, 1, 255, 255, 255, 255, 0, 0, 0]));
    }

    [Fact]
    public void Load_FromAStreamThatGoesOn_ReadsToTheStatesEnd()
    {
        byte[] bytes = s_state.Saved();
        using var stream = new MemoryStream([.. bytes, .. bytes, 7]);

        Assert.Equal(s_state, RowSelectorState.Load(stream));
        Assert.Equal(bytes.Length, stream.Position);
        Assert.Equal(s_state, RowSelectorState.Load(stream));
        Assert.Equal(7, stream.ReadByte());
    }

    private static byte[] WithChecksum(byte[] content)
    {
        byte[] summed = [.. "FwdR"u8, 1, .. BitConverter.GetBytes(content.Length), .. content];
        return [.. summed, .. BitConverter.GetBytes(Crc32C.Of(summed))];
    }

    [Fact]
    public void Load_NewerVersion_SaysSo()
    {
        byte[] bytes = s_state.Saved();
        bytes[4] = 2;
        BitConverter.GetBytes(Crc32C.Of(bytes.AsSpan(0, bytes.Length - 4))).CopyTo(bytes, bytes.Length - 4);

        Assert.Equal(
            "The saved selector state has format version 2; this version of Microsoft.ML.ForwardSampling reads version 1. Update the "
                + "package to load it.",
            Assert.Throws<NotSupportedException>(() => SavedStates.Load(bytes)).Message);
    }

    [Fact]
    public void Load_SomethingElse_SaysSo()
        => Assert.Equal(
            "This is not the saved state of a RowSelector, which begins with 'FwdR', a version and a length: it begins with 9 bytes "
                + "000000000000000000.",
            Assert.Throws<InvalidDataException>(() => SavedStates.Load(new byte[20])).Message);

    [Fact]
    public void Equals_ComparesThePolicysBytes()
    {
        RowSelectorState same = s_state with { PolicyState = new byte[] { 10, 11, 12 } };

        Assert.Equal(s_state, same);
        Assert.Equal(s_state.GetHashCode(), same.GetHashCode());
        Assert.NotEqual(s_state, s_state with { PolicyState = new byte[] { 10, 11, 13 } });
    }
}
