// Trainings would only take each other's cores, and the README's example writes to Console.
[assembly: Xunit.v3.Parallelization(Mode = Xunit.Sdk.ParallelMode.None)]
