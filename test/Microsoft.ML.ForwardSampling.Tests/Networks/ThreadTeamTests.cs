using Microsoft.ML.ForwardSampling.Networks;

namespace Microsoft.ML.ForwardSampling.Tests.Networks;

public sealed class ThreadTeamTests
{
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(5)]
    public void Run_ManyPieces_EveryMemberDoesEachOnceBeforeTheNext(int size)
    {
        using var team = new ThreadTeam(size);
        int[] done = new int[size];
        for (int piece = 1; piece <= 2000; piece++)
        {
            team.Run(member => done[member]++);
            Assert.All(done, count => Assert.Equal(piece, count));
        }
    }

    [Fact]
    public void Run_AfterALongPause_WakesTheMembers()
    {
        using var team = new ThreadTeam(3);
        int done = 0;
        for (int piece = 0; piece < 3; piece++)
        {
            team.Run(_ => Interlocked.Increment(ref done));
            Thread.Sleep(60);
        }

        Assert.Equal(9, done);
    }

    [Fact]
    public void Run_WorkThrows_TheCallerHearsAndTheTeamGoesOn()
    {
        using var team = new ThreadTeam(3);

        AggregateException thrown = Assert.Throws<AggregateException>(
            () => team.Run(member => throw new InvalidOperationException($"member {member}")));
        int done = 0;
        team.Run(_ => Interlocked.Increment(ref done));

        Assert.IsType<InvalidOperationException>(thrown.InnerException);
        Assert.Equal(3, done);
    }

    [Fact]
    public void Dispose_NeverUsed_EndsItsThreads() => new ThreadTeam(4).Dispose();
}
