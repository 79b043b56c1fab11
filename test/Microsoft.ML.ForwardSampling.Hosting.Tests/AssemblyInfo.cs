// Instruments are those of the whole process: what another test does would be measured too.
[assembly: Xunit.v3.Parallelization(Mode = Xunit.Sdk.ParallelMode.None)]
