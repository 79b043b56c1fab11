namespace Microsoft.ML.ForwardSampling.Nats;

/// <summary>Another joiner has taken the partition over. What this one had saved is the other's to go on with; nothing is lost.</summary>
public sealed class LeaseLostException : IOException
{
    /// <summary>Says it in general.</summary>
    public LeaseLostException()
        : this("Another joiner has taken the partition over.")
    {
    }

    /// <summary>Says who.</summary>
    /// <param name="message">The message.</param>
    public LeaseLostException(string message)
        : base(message)
    {
    }

    /// <summary>Says who, and how it was found out.</summary>
    /// <param name="message">The message.</param>
    /// <param name="innerException">The cause.</param>
    public LeaseLostException(string message, Exception innerException)
        : base(message, innerException)
    {
    }
}
