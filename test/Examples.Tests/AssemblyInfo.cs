// Trainings would only take each other's cores, and the README's example writes to Console.
[assembly: CollectionBehavior(DisableTestParallelization = true)]
