using System.Reflection;

namespace Microsoft.ML.Data;

/// <summary>Calls generic methods whose type argument is only known at run time.</summary>
internal static class Generic
{
    /// <summary>Calls the method that <paramref name="sample"/> closes over any type, closed over <paramref name="type"/> instead.</summary>
    public static TResult Call<TResult>(Delegate sample, Type type, params object?[] args)
    {
        MethodInfo method = sample.Method.GetGenericMethodDefinition().MakeGenericMethod(type);
        return (TResult)method.Invoke(sample.Target, BindingFlags.DoNotWrapExceptions, null, args, null)!;
    }

    /// <summary>The getter of a column, typed at run time.</summary>
    public static Delegate GetterOf(DataViewRow row, DataViewSchema.Column column) =>
        Call<Delegate>(GetterOf<int>, column.Type.RawType, row, column);

    private static Delegate GetterOf<T>(DataViewRow row, DataViewSchema.Column column) => row.GetGetter<T>(column);
}
