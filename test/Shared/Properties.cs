using FsCheck;
using FsCheck.Fluent;

namespace Microsoft.ML.ForwardSampling.Tests;

/// <summary>FsCheck in plain facts: always the same inputs, a failure names its smallest one.</summary>
internal static class Properties
{
    public static void Hold<T>(Gen<T> inputs, Action<T> check, int tests = 300)
        => Check.One(
            Config.QuickThrowOnFailure.WithMaxTest(tests).WithReplay(20260114, 7).WithQuietOnSuccess(true),
            Prop.ForAll(inputs.ToArbitrary(), check));
}
