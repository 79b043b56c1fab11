namespace Microsoft.ML.ForwardSampling.Selection;

/// <summary>What a policy remembers from one window to the next: a history of losses, what it has learned, how it did.</summary>
/// <remarks>
/// <para>Made by <see cref="IRowSelectionPolicy.NewState"/>, owned by one <see cref="RowSelector"/>, which puts it into each window
/// (<see cref="SelectionWindow.State"/>), passes feedback on to it and saves it in its <see cref="RowSelectorState"/>. Not thread-safe,
/// like the selector.</para>
/// <para>A resumed run selects the same rows only if <see cref="Save"/> writes everything on which later choices depend.</para>
/// </remarks>
public abstract class PolicyState
{
    /// <summary>Starts a state.</summary>
    protected PolicyState()
    {
    }

    /// <summary>What this state learns from beside the windows; whoever runs the policy must report it.</summary>
    /// <value>Default <see cref="SelectionFeedback.None"/>. The same for the whole life of the state.</value>
    public virtual SelectionFeedback Feedback => SelectionFeedback.None;

    /// <summary>Everything that later choices depend on, as bytes.</summary>
    /// <returns>At least one byte; the format is the state's own.</returns>
    public abstract byte[] Save();

    /// <summary>Goes on from what <see cref="Save"/> returned, in place of what this state holds.</summary>
    /// <param name="saved">Bytes of a state of the same policy with the same options.</param>
    /// <exception cref="InvalidDataException">The bytes are damaged, or of a state of another policy or with other options.</exception>
    public abstract void Load(ReadOnlySpan<byte> saved);

    /// <summary>Takes the loss of the network on data that it is not trained on, now that it was trained on the rows chosen so
    /// far.</summary>
    /// <param name="loss">Mean over the validation rows, finite, in the loss's own unit.</param>
    public virtual void ObserveValidation(double loss)
    {
    }

    /// <summary>Takes the losses of rows that have just been trained on.</summary>
    /// <param name="losses">Length m ≥ 1, unweighted, from the forward pass of the training step; may hold NaN and infinities.</param>
    /// <param name="features">Length m·d, row-major: the same features as in the windows.</param>
    /// <param name="labels">Length m, or empty when rows have no classes.</param>
    public virtual void ObserveTraining(ReadOnlySpan<float> losses, ReadOnlySpan<float> features, ReadOnlySpan<int> labels)
    {
    }
}
