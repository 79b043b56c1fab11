namespace Microsoft.ML.ForwardSampling.GroupTesting;

/// <summary>Where the rows of a group become one: the merge designs of arXiv 2011.10704, section 3.</summary>
public enum GroupMerge
{
    /// <summary>The mean of the members' features enters the network: the cheapest test, and a weak one, since M members dilute the
    /// positive one M times. Offered as the paper's design 1, and as a control.</summary>
    Inputs,

    /// <summary>The element-wise maximum of what the stem gives for each member enters the body. The stem is computed once a row, whatever
    /// the number of rounds. The group's score does not depend on the order of its members.</summary>
    Features,

    /// <summary>The maximum of two members' stem outputs enters the pair layers, the maximum of a group's pairs enters the body. The score
    /// depends on which members are neighbours: two that share a pair may change places, and so may two pairs.</summary>
    Tree,
}
