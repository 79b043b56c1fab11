namespace Microsoft.ML.ForwardSampling.PostgreSql;

/// <summary>What a database role may do with a store. Migrating, and dropping old partitions, is for the role that owns the
/// schema.</summary>
public enum StoreAccess
{
    /// <summary>Write records: it can read or change none, only its notes of batches.</summary>
    Writer,

    /// <summary>Add labels: it can read or change none.</summary>
    Labeller,

    /// <summary>Join records with labels into windows.</summary>
    Joiner,

    /// <summary>Read windows and selections, and complete windows.</summary>
    Worker,
}
