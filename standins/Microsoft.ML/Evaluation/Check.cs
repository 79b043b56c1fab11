namespace Microsoft.ML.Data;

internal static class Check
{
    /// <summary>ML.NET answers most unusable arguments with this exception.</summary>
    public static void Argument(bool holds, string paramName, string message)
    {
        if (!holds)
            throw new ArgumentOutOfRangeException(paramName, message);
    }
}
